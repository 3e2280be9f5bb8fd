"""What an import needs of the database besides the rows of its nouns."""

from collections.abc import Sequence
from datetime import datetime

from common import audit, outbox
from common.auth import Principal
from common.contracts.envelope import Fact
from common.tables import AuditRow, OutboxRow
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

LOCK = 0x48554241


async def one_at_a_time(tx: AsyncSession) -> None:
    """Two imports that describe the same rows wait for each other."""
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))


async def journal_all(tx: AsyncSession, facts: Sequence[Fact], who: Principal, at: datetime) -> None:
    """As `journal.write`, for a thousand facts in two statements."""
    if not facts:
        return
    owed = [row for fact in facts for row in outbox.envelopes(fact, who.node, at, None)]
    done = [
        audit.row(
            who.subject, fact.type, fact.id, fact.case_id, at, {"version": fact.version, "epoch": fact.epoch}
        )
        for fact in facts
    ]
    await tx.execute(OutboxRow.__table__.insert(), owed)  # pyright: ignore[reportAttributeAccessIssue]
    await tx.execute(AuditRow.__table__.insert(), done)  # pyright: ignore[reportAttributeAccessIssue]
