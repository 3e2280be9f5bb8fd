from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db, errors
from common.auth import Principal
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from window.engagements.domain import Engagement
from window.engagements.tables import EngagementRow


def _visible(who: Principal) -> Select[Any]:
    query = select(EngagementRow)
    return query if who.staff else query.where(EngagementRow.owner_subject == who.subject)


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Engagement:
    """Raises: NotFound when it is absent or not the caller's to see."""
    found = await db.one(tx, _visible(who).where(EngagementRow.id == id), Engagement, lock=lock)
    if found is None:
        raise errors.absent("服务合同", "engagement")
    return found


async def own(tx: AsyncSession, who: Principal, id: UUID) -> Engagement:
    """The caller's own engagement, locked. Raises: NotFound."""
    query = select(EngagementRow).where(EngagementRow.id == id, EngagementRow.owner_subject == who.subject)
    found = await db.one(tx, query, Engagement, lock=True)
    if found is None:
        raise errors.absent("服务合同", "engagement")
    return found


async def worked_by(tx: AsyncSession, who: Principal, id: UUID) -> Engagement:
    """A living engagement for the provider's owner, and for staff on site. Raises: NotFound for anybody else."""
    query = select(EngagementRow).where(EngagementRow.id == id, EngagementRow.state != "cancelled")
    if not who.on_site:
        query = query.where(EngagementRow.provider_subject == who.subject)
    found = await db.one(tx, query, Engagement)
    if found is None:
        raise errors.absent("服务合同", "engagement")
    return found


async def of_quotation(tx: AsyncSession, who: Principal, quotation_id: UUID) -> Engagement | None:
    """The living engagement that rests on a quotation, locked."""
    query = _visible(who).where(
        EngagementRow.quotation_id == quotation_id, EngagementRow.state != "cancelled"
    )
    return await db.one(tx, query, Engagement, lock=True)


async def page(
    tx: AsyncSession, who: Principal, *, state: str | None, after: UUID | None, limit: int
) -> tuple[Sequence[Engagement], UUID | None]:
    query = _visible(who)
    if state is not None:
        query = query.where(EngagementRow.state == state)
    return await db.page(tx, query, EngagementRow.id, Engagement, after=after, limit=limit)


async def add(tx: AsyncSession, engagement: Engagement) -> None:
    await db.add(tx, EngagementRow, engagement)


async def save(tx: AsyncSession, engagement: Engagement) -> None:
    await db.save(tx, EngagementRow, engagement)
