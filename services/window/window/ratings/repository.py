from uuid import UUID

from common import db, errors
from common.auth import Principal
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from window.ratings.domain import Rating
from window.ratings.tables import RatingRow


async def find(tx: AsyncSession, who: Principal, engagement_id: UUID) -> Rating | None:
    query = select(RatingRow).where(RatingRow.engagement_id == engagement_id)
    if not who.staff:
        query = query.where(RatingRow.owner_subject == who.subject)
    return await db.one(tx, query, Rating)


async def get(tx: AsyncSession, who: Principal, engagement_id: UUID) -> Rating:
    """Raises: NotFound when there is none or it is not the caller's to see."""
    found = await find(tx, who, engagement_id)
    if found is None:
        raise errors.absent("评价", "rating")
    return found


async def own(tx: AsyncSession, who: Principal, engagement_id: UUID) -> Rating:
    """The caller's own rating, locked. Raises: NotFound."""
    query = select(RatingRow).where(
        RatingRow.engagement_id == engagement_id, RatingRow.owner_subject == who.subject
    )
    found = await db.one(tx, query, Rating, lock=True)
    if found is None:
        raise errors.absent("评价", "rating")
    return found


async def add(tx: AsyncSession, rating: Rating) -> None:
    await db.add(tx, RatingRow, rating)


async def save(tx: AsyncSession, rating: Rating) -> None:
    await db.save(tx, RatingRow, rating)
