"""A state change leaves three traces in its own transaction: what we last said of it, a fact for the network,
a line for the audit."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from common import announcements, audit, db, outbox
from common.auth import Principal
from common.contracts.envelope import Fact
from common.tables import AuditRow


async def write(
    tx: AsyncSession, fact: Fact, *, who: Principal, at: datetime, recipient: str | None = None
) -> None:
    """Owe the fact to the network and note who brought it about."""
    await write_many(tx, (fact,), who=who, at=at, recipient=recipient)


async def write_many(
    tx: AsyncSession, facts: Sequence[Fact], *, who: Principal, at: datetime, recipient: str | None = None
) -> None:
    """Several facts of one act, in order."""
    if not facts:
        return
    await announcements.note(tx, [(fact, recipient) for fact in facts])
    await outbox.add_all(tx, facts, node=who.node, at=at, recipient=recipient)
    lines = [
        audit.row(
            who.subject, fact.type, fact.id, fact.case_id, at, {"version": fact.version, "epoch": fact.epoch}
        )
        for fact in facts
    ]
    await db.add_all(tx, AuditRow, lines)
