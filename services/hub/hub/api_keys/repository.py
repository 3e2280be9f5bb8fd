from collections.abc import Sequence
from uuid import UUID

from common import db
from common.auth import Principal
from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.api_keys.domain import ApiKey
from hub.api_keys.tables import ApiKeyRow


async def add(tx: AsyncSession, key: ApiKey) -> None:
    await db.add(tx, ApiKeyRow, key)


async def save(tx: AsyncSession, key: ApiKey) -> None:
    await db.save(tx, ApiKeyRow, key)


async def by_lookup(tx: AsyncSession, lookup: str) -> ApiKey | None:
    """For exchanging it, before there is a caller."""
    return await db.one(tx, select(ApiKeyRow).where(ApiKeyRow.lookup == lookup), ApiKey)


def _visible(who: Principal):
    """Your own; all for an operator."""
    query = select(ApiKeyRow)
    if "operator" in who.roles:
        return query
    return query.where(cast(ApiKeyRow.owner_subject, String) == who.subject)


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> ApiKey | None:
    return await db.one(tx, _visible(who).where(ApiKeyRow.id == id), ApiKey, lock=lock)


async def page(
    tx: AsyncSession, who: Principal, *, after: UUID | None, limit: int
) -> tuple[Sequence[ApiKey], UUID | None]:
    return await db.page(tx, _visible(who), ApiKeyRow.id, ApiKey, after=after, limit=limit)
