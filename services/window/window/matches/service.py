from datetime import datetime
from uuid import UUID

from common.auth import Principal
from common.contracts.envelope import Envelope
from common.contracts.matches import Match
from common.copies import Outcome
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands import service as demands
from window.demands.domain import Demand, awaits
from window.matches import repository


async def store(tx: AsyncSession, who: Principal, envelope: Envelope, match: Match, *, at: datetime) -> None:
    """Keep the newest result for what the demand says now; anything else is too late and harmless.

    Raises: NotFound when the demand is not ours. Emits: DemandMatched, DemandUnmatched.
    """
    demand = await demands.get(tx, who, match.demand_id, lock=True)
    if not awaits(demand, match.demand_version):
        return
    outcome = await repository.store(tx, envelope, demand_id=demand.id, owner_subject=demand.owner_subject)
    if outcome is Outcome.APPLIED:
        await demands.match(tx, who, demand, match.outcome, at=at)


async def of_demand(tx: AsyncSession, who: Principal, demand_id: UUID) -> tuple[Demand, Match | None]:
    """The demand and its newest result, None while it has none for what it says now.

    Shape: of the similar demands only those the caller may see: another's would tell what it needs.
    Raises: NotFound when the demand is not the caller's to see.
    """
    # The result first: one that is seen here has reached the demand, which is read after it.
    match = await repository.latest(tx, who, demand_id)
    demand = await demands.get(tx, who, demand_id)
    if match is None or match.demand_version < demand.content_version:
        return demand, None
    seen = await demands.seen(tx, who, [similar.demand_id for similar in match.similar])
    return demand, match.model_copy(
        update={"similar": tuple(similar for similar in match.similar if similar.demand_id in seen)}
    )


async def current(tx: AsyncSession, who: Principal, demand: Demand) -> Match | None:
    """The newest result for what a demand says now, for the slices above."""
    match = await repository.latest(tx, who, demand.id)
    return match if match is not None and match.demand_version >= demand.content_version else None
