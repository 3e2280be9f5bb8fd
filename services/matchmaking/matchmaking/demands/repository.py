"""Copies of demands. The matching reads them all; of people, operators and the demand's own staff do."""

from collections.abc import Collection, Sequence
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope
from common.copies import State
from common.mirrors import MIRRORED, XID, Key, Mirror, among
from sqlalchemy import and_, false, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.demands import domain
from matchmaking.demands.tables import DemandRow

OPEN = and_(DemandRow.deleted == false(), DemandRow.state.in_(domain.OPEN))


async def apply_all(tx: AsyncSession, said: Sequence[tuple[Envelope, Demand]]) -> list[copies.Outcome]:
    states = [
        State(envelope, deleted=demand.state == "withdrawn", searched={"state": demand.state})
        for envelope, demand in said
    ]
    return await copies.apply_all(tx, DemandRow, states, MIRRORED)


async def get(tx: AsyncSession, who: Principal, owner: str, id: UUID) -> Demand | None:
    """A demand for an operator or its own window's staff; None for others, as for one that is not there."""
    if not who.staff_of(owner):
        return None
    statement = select(DemandRow.body).where(DemandRow.owner == owner, DemandRow.id == id)
    body = (await tx.execute(statement)).scalar_one_or_none()
    return None if body is None else Demand.model_validate(body)


def mirror() -> Mirror:
    """What is open."""
    return Mirror(DemandRow, OPEN)


async def demands(
    tx: AsyncSession, keys: Collection[Key]
) -> Sequence[tuple[Key, Demand, tuple[str, bytes] | None]]:
    """Demands, each with the model that read it and the vector."""
    statement = select(DemandRow).where(among((DemandRow.owner, DemandRow.id), keys))
    return [
        (
            (row.owner, row.id),
            Demand.model_validate(row.body),
            None if row.model is None or row.vector is None else (row.model, row.vector),
        )
        for row in (await tx.execute(statement)).scalars()
    ]


async def learn(tx: AsyncSession, owner: str, id: UUID, model: str, vector: bytes) -> None:
    """Keep what was read of a demand for its meaning."""
    await tx.execute(
        update(DemandRow)
        .where(DemandRow.owner == owner, DemandRow.id == id)
        .values(model=model, vector=vector, changed_xid=XID)
    )


async def unmatched_after(tx: AsyncSession, after: tuple[str, UUID] | None) -> tuple[str, Demand] | None:
    """The next open demand nothing was found for, held until the commit; passes over what others hold."""
    query = select(DemandRow).where(DemandRow.state == "no_match").order_by(DemandRow.owner, DemandRow.id)
    if after is not None:
        query = query.where(tuple_(DemandRow.owner, DemandRow.id) > after)
    row = (await tx.execute(query.limit(1).with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if row is None else (row.owner, Demand.model_validate(row.body))
