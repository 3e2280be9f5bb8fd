"""How the enterprise was served (服务评价): five grades, once, editable for a week."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.contracts.ratings import Rating as Public
from common.contracts.ratings import RatingChanged, RatingGiven
from common.errors import Conflict

from window.engagements.domain import Engagement

EDITABLE_FOR = timedelta(days=7)


class Rating(Public):
    """A rating as the demand's window, which owns it, holds it."""

    owner_subject: str
    changed_at: datetime


def give(
    engagement: Engagement, grade: int, text: str, *, id: UUID, at: datetime
) -> tuple[Rating, RatingGiven]:
    """Raises: Conflict before the acceptance."""
    if engagement.state not in ("accepted", "closed"):
        raise Conflict(
            "not-accepted-yet",
            zh=f"服务合同当前状态为 {engagement.state}；验收后才能评价",
            en=f"the engagement is {engagement.state}; it can be rated once it is accepted",
        )
    rating = Rating(
        id=id,
        version=1,
        engagement_id=engagement.id,
        demand_id=engagement.demand_id,
        platform=engagement.platform,
        provider_id=engagement.provider_id,
        grade=grade,
        text=text,
        rated_at=at,
        owner_subject=engagement.owner_subject,
        changed_at=at,
    )
    return rating, RatingGiven.of(rating)


def change(rating: Rating, changes: Mapping[str, Any], at: datetime) -> tuple[Rating, RatingChanged]:
    """Raises: Conflict after the week."""
    if at > rating.rated_at + EDITABLE_FOR:
        raise Conflict(
            "rating-final",
            zh="评价满 7 天后不可修改",
            en="a rating can be changed for 7 days, which have passed",
        )
    changed = rating.model_copy(update={**changes, "version": rating.version + 1, "changed_at": at})
    return changed, RatingChanged.of(changed)


def rated_already() -> Conflict:
    return Conflict(
        "already-rated",
        zh="该服务合同已评价；7 天内可用 PATCH 修改",
        en="this engagement is rated already; change the rating with PATCH within 7 days",
    )
