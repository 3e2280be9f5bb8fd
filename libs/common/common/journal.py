"""A state change leaves two traces in its own transaction: a fact for the network, a line for the audit."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from common import audit
from common.auth import Principal
from common.contracts.envelope import Fact
from common.outbox import INSERT, envelopes


async def write(
    tx: AsyncSession, fact: Fact, *, who: Principal, at: datetime, recipient: str | None = None
) -> None:
    """Owe the fact to the network and note who brought it about."""
    await tx.execute(INSERT, envelopes(fact, who.node, at, recipient))
    detail = {"version": fact.version, "epoch": fact.epoch}
    await tx.execute(audit.INSERT, audit.row(who.subject, fact.type, fact.id, fact.case_id, at, detail))
