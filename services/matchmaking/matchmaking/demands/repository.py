"""Copies of demands. Only the matching itself reads them; no route does."""

from uuid import UUID

from common import copies
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.demands.tables import DemandRow


async def apply(tx: AsyncSession, envelope: Envelope, demand: Demand) -> copies.Outcome:
    return await copies.apply(
        tx, DemandRow, envelope, deleted=demand.state == "withdrawn", state=demand.state
    )


async def unmatched_after(tx: AsyncSession, after: tuple[str, UUID] | None) -> tuple[str, Demand] | None:
    """The next open demand nothing was found for, held until the commit; passes over what others hold."""
    query = select(DemandRow).where(DemandRow.state == "no_match").order_by(DemandRow.owner, DemandRow.id)
    if after is not None:
        query = query.where(tuple_(DemandRow.owner, DemandRow.id) > after)
    row = (await tx.execute(query.limit(1).with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if row is None else (row.owner, Demand.model_validate(row.body))
