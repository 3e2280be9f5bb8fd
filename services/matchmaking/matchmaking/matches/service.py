"""Keep a result and tell the demand's window."""

from datetime import datetime

from common import journal
from common.auth import Principal
from common.contracts.demands import Demand
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matches import domain, repository
from matchmaking.matching.engine import Result


async def exists(tx: AsyncSession, owner: str, demand: Demand) -> bool:
    """Whether this very version of the demand has its result."""
    return await repository.exists(tx, owner, demand)


async def record(
    tx: AsyncSession,
    who: Principal,
    owner: str,
    demand: Demand,
    result: Result,
    *,
    considered: int,
    retrieved: int,
    at: datetime,
) -> None:
    """Store the result for a version of a demand, unless it has one. Emits: MatchComputed."""
    version = await repository.last_version(tx, owner, demand.id) + 1
    value, fact = domain.computed(
        owner, demand, version, result, considered=considered, retrieved=retrieved, at=at
    )
    if await repository.add(tx, value):
        await journal.write(tx, fact, who=who, at=at, recipient=owner)
