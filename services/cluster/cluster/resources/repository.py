"""Resources in the database, as far as the caller may see them: published ones are for everybody."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cluster.resources.domain import Resource, ResourceState
from cluster.resources.tables import ResourceRow


def _seen_by(who: Principal) -> Select[Any]:
    query = select(ResourceRow)
    if who.staff:
        return query
    return query.where(or_(ResourceRow.state == "published", ResourceRow.owner_subject == who.subject))


async def find(tx: AsyncSession, who: Principal, id: UUID) -> Resource | None:
    return await db.one(tx, _seen_by(who).where(ResourceRow.id == id), Resource)


async def find_own(tx: AsyncSession, who: Principal, id: UUID) -> Resource | None:
    """One the caller may change, locked."""
    query = select(ResourceRow).where(ResourceRow.id == id)
    if not who.staff:
        query = query.where(ResourceRow.owner_subject == who.subject)
    return await db.one(tx, query, Resource, lock=True)


async def page(
    tx: AsyncSession,
    who: Principal,
    *,
    state: ResourceState | None,
    mine: bool,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Resource], UUID | None]:
    query = _seen_by(who)
    if mine:
        query = query.where(ResourceRow.owner_subject == who.subject)
    if state is not None:
        query = query.where(ResourceRow.state == state)
    return await db.page(tx, query, ResourceRow.id, Resource, after=after, limit=limit)


async def add(tx: AsyncSession, resource: Resource) -> None:
    await db.add(tx, ResourceRow, resource)


async def save(tx: AsyncSession, resource: Resource) -> None:
    await db.save(tx, ResourceRow, resource)
