"""Providers in the database, as far as the caller may see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.providers import ProviderState
from common.tables import AnnouncementRow
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from agency.providers.domain import GONE, Provider
from agency.providers.tables import ProviderRow


def _seen_by(who: Principal) -> Select[Any]:
    query = select(ProviderRow)
    return query if who.staff else query.where(ProviderRow.owner_subject == who.subject)


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Provider | None:
    return await db.one(tx, _seen_by(who).where(ProviderRow.id == id), Provider, lock=lock)


async def pinned(tx: AsyncSession, who: Principal, id: UUID) -> Provider | None:
    """One that stays as it is until the commit; others may pin it too."""
    query = _seen_by(who).where(ProviderRow.id == id).with_for_update(read=True)
    return await db.one(tx, query, Provider)


async def page(
    tx: AsyncSession, who: Principal, *, state: ProviderState | None, after: UUID | None, limit: int
) -> tuple[Sequence[Provider], UUID | None]:
    query = _seen_by(who)
    if state is not None:
        query = query.where(ProviderRow.state == state)
    return await db.page(tx, query, ProviderRow.id, Provider, after=after, limit=limit)


async def add(tx: AsyncSession, provider: Provider) -> bool:
    """Store a new one, unless its credit code is taken."""
    statement = insert(ProviderRow).values(db.columns(ProviderRow, provider)).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(ProviderRow.id))).first() is not None


async def save(tx: AsyncSession, provider: Provider) -> None:
    await db.save(tx, ProviderRow, provider)


async def due_for_restoration(tx: AsyncSession, who: Principal, at: datetime) -> Sequence[Provider]:
    """Suspensions past their end that nobody else is working on."""
    query = _seen_by(who).where(ProviderRow.state == "suspended", ProviderRow.suspended_until <= at)
    rows = await tx.execute(query.order_by(ProviderRow.id).limit(100).with_for_update(skip_locked=True))
    return [db.value(row, Provider) for row in rows.scalars()]


async def by_codes(tx: AsyncSession, who: Principal, codes: Sequence[str]) -> dict[str, Provider]:
    """The living provider of each credit code, locked."""
    query = _seen_by(who).where(ProviderRow.credit_code.in_(codes), ProviderRow.state.not_in(GONE))
    rows = await tx.execute(query.order_by(ProviderRow.id).with_for_update())
    return {row.credit_code: db.value(row, Provider) for row in rows.scalars()}


async def by_ids(tx: AsyncSession, who: Principal, ids: Sequence[UUID]) -> dict[UUID, Provider]:
    rows = await tx.execute(_seen_by(who).where(ProviderRow.id.in_(ids)))
    return {row.id: db.value(row, Provider) for row in rows.scalars()}


async def add_all(tx: AsyncSession, providers: Sequence[Provider]) -> None:
    await db.add_all(tx, ProviderRow, providers)


async def save_all(tx: AsyncSession, providers: Sequence[Provider]) -> None:
    await db.save_all(tx, ProviderRow, providers)


async def unsaid(tx: AsyncSession, limit: int) -> Sequence[Provider]:
    """Records of which nothing is kept that was said; of databases older than what keeps it."""
    said = select(AnnouncementRow.id).where(
        AnnouncementRow.noun == "provider", AnnouncementRow.id == ProviderRow.id
    )
    query = select(ProviderRow).where(~said.exists()).order_by(ProviderRow.id).limit(limit)
    return [db.value(row, Provider) for row in (await tx.execute(query)).scalars()]
