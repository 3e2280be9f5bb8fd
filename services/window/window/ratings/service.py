from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from common import ids, journal
from common.auth import Principal
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from window.engagements import service as engagements
from window.ratings import domain, repository
from window.ratings.domain import Rating


async def give(
    tx: AsyncSession, who: Principal, engagement_id: UUID, grade: int, text: str, *, at: datetime
) -> Rating:
    """Rate once; then nothing is owed and the case is closed.

    Raises: NotFound; Conflict. Emits: RatingGiven to the provider's platform, EngagementClosed, DemandProgressed.
    """
    engagement = await engagements.own(tx, who, engagement_id)
    if await repository.find(tx, who, engagement_id) is not None:
        raise domain.rated_already()
    rating, fact = domain.give(engagement, grade, text, id=ids.new(), at=at)
    await repository.add(tx, rating)
    await journal.write(tx, fact, who=who, at=at, recipient=rating.platform)
    await engagements.close(tx, who, engagement, at=at)
    return rating


async def change(
    tx: AsyncSession,
    who: Principal,
    engagement_id: UUID,
    changes: Mapping[str, Any],
    match: Match,
    *,
    at: datetime,
) -> Rating:
    """Raises: NotFound; Stale; Conflict after a week. Emits: RatingChanged."""
    rating = await repository.own(tx, who, engagement_id)
    match.check(rating)
    rating, fact = domain.change(rating, changes, at)
    await repository.save(tx, rating)
    await journal.write(tx, fact, who=who, at=at, recipient=rating.platform)
    return rating
