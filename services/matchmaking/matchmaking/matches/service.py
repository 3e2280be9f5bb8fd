"""Keep a result and tell the demand's window."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from common import journal, restoring
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.matches import Match
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matches import domain, repository
from matchmaking.matches.domain import Computed, Evidence, Run


async def exists(tx: AsyncSession, owner: str, demand: Demand) -> bool:
    """Whether this very version of the demand has its result."""
    return await repository.exists(tx, owner, demand)


async def record(
    tx: AsyncSession, who: Principal, owner: str, found: Computed, *, at: datetime
) -> Evidence | None:
    """Store the result for a version of a demand, unless it has one. Emits: MatchComputed."""
    version = await repository.last_version(tx, owner, found.run.demand.id) + 1
    value, fact = domain.computed(owner, await restoring.epoch(tx), version, found, at)
    if not await repository.add(tx, value, found.run):
        return None
    await journal.write(tx, fact, who=who, at=at, recipient=owner)
    return value


async def get(
    tx: AsyncSession, who: Principal, owner: str, demand_id: UUID, version: int
) -> tuple[Evidence, Run | None]:
    """Raises: NotFound."""
    found = await repository.run_of(tx, who, owner, demand_id, version)
    if found is None:
        raise absent("对接结果", "match")
    return found


async def newest(tx: AsyncSession, who: Principal, owner: str, demand_id: UUID) -> Evidence | None:
    found = await repository.of_demand(tx, who, owner, demand_id)
    return found[0] if found else None


async def shown(
    tx: AsyncSession, demands: Sequence[tuple[str, UUID]]
) -> Mapping[tuple[str, UUID], Sequence[Match]]:
    """All results of these demands."""
    return await repository.shown(tx, demands)
