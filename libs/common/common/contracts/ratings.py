"""How an enterprise was served (服务评价), in five grades."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Fact, State
from common.fields import Moment, NodeId, OptionalText


class Rating(State):
    """A rating of one engagement; 5 is very satisfied, 1 very dissatisfied."""

    engagement_id: UUID
    demand_id: UUID
    platform: NodeId
    provider_id: UUID
    grade: Annotated[int, Field(ge=1, le=5)]
    text: OptionalText = ""
    rated_at: Moment


class RatingGiven(Rating, Fact):
    type = "rating.given.v1"


class RatingChanged(Rating, Fact):
    type = "rating.changed.v1"
