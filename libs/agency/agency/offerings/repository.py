"""Offerings in the database, as far as the caller may see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.offerings import OfferingState
from common.tables import AnnouncementRow
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from agency.offerings.domain import Offering
from agency.offerings.tables import OfferingRow


def _seen_by(who: Principal) -> Select[Any]:
    query = select(OfferingRow)
    return query if who.staff else query.where(OfferingRow.owner_subject == who.subject)


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Offering | None:
    return await db.one(tx, _seen_by(who).where(OfferingRow.id == id), Offering, lock=lock)


async def page(
    tx: AsyncSession,
    who: Principal,
    *,
    state: OfferingState | None,
    provider_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Offering], UUID | None]:
    query = _seen_by(who)
    if state is not None:
        query = query.where(OfferingRow.state == state)
    if provider_id is not None:
        query = query.where(OfferingRow.provider_id == provider_id)
    return await db.page(tx, query, OfferingRow.id, Offering, after=after, limit=limit)


async def living_of(tx: AsyncSession, who: Principal, provider_id: UUID) -> Sequence[Offering]:
    """All of a provider's that are not retired, locked."""
    query = _seen_by(who).where(OfferingRow.provider_id == provider_id, OfferingRow.state != "retired")
    rows = await tx.execute(query.order_by(OfferingRow.id).with_for_update())
    return [db.value(row, Offering) for row in rows.scalars()]


async def by_source(tx: AsyncSession, who: Principal, source_id: UUID) -> Offering | None:
    return await db.one(tx, _seen_by(who).where(OfferingRow.source_id == source_id), Offering, lock=True)


async def by_ids(tx: AsyncSession, who: Principal, ids: Sequence[UUID]) -> dict[UUID, Offering]:
    """Those of the ids that exist, locked."""
    query = _seen_by(who).where(OfferingRow.id.in_(ids)).order_by(OfferingRow.id).with_for_update()
    return {row.id: db.value(row, Offering) for row in (await tx.execute(query)).scalars()}


async def add(tx: AsyncSession, offering: Offering) -> None:
    await db.add(tx, OfferingRow, offering)


async def save(tx: AsyncSession, offering: Offering) -> None:
    await db.save(tx, OfferingRow, offering)


async def add_all(tx: AsyncSession, offerings: Sequence[Offering]) -> None:
    await db.add_all(tx, OfferingRow, offerings)


async def save_all(tx: AsyncSession, offerings: Sequence[Offering]) -> None:
    await db.save_all(tx, OfferingRow, offerings)


async def unsaid(tx: AsyncSession, limit: int) -> Sequence[Offering]:
    """Records of which nothing is kept that was said; of databases older than what keeps it."""
    said = select(AnnouncementRow.id).where(
        AnnouncementRow.noun == "offering", AnnouncementRow.id == OfferingRow.id
    )
    query = select(OfferingRow).where(~said.exists()).order_by(OfferingRow.id).limit(limit)
    return [db.value(row, Offering) for row in (await tx.execute(query)).scalars()]
