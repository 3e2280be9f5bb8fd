"""Both sides of the technology market, as the catalogue and the register of demands know them."""

from collections.abc import Sequence
from uuid import UUID

from common.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import service as cases
from hub.cases.domain import Case
from hub.catalogue import service as catalogue
from hub.catalogue.domain import Item, Search


async def achievements(
    tx: AsyncSession, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Item], UUID | None]:
    """Published achievements of active providers, the newest first."""
    wanted = search.model_copy(update={"kind": "technology_achievement"})
    return await catalogue.page(tx, wanted, after=after, limit=limit)


async def needs(
    tx: AsyncSession, who: Principal, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Case], UUID | None]:
    """Open demands that say which technology they need, the newest first."""
    return await cases.technology_needs(tx, who, search, after=after, limit=limit)
