from datetime import datetime
from typing import Annotated
from uuid import UUID

from common import http
from common.contracts.engagements import EngagementState, Milestone
from common.fields import Line
from pydantic import ConfigDict, Field

from window.engagements.domain import Plan


class PlanIn(Plan, http.In):
    """A milestone to agree on."""


class AwardIn(http.In):
    """The choice and its reason; milestones are optional."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "quotation_id": "01890000-0000-7000-8000-000000000003",
                    "reason": "价格与工期最优",
                    "milestones": [{"title": "首次取样", "due": "2030-06-10"}],
                }
            ]
        }
    )

    quotation_id: UUID
    reason: Line
    milestones: Annotated[tuple[PlanIn, ...], Field(max_length=50)] = ()


class AwardOut(http.Out):
    """The award and the engagement that came of it."""

    demand_id: UUID
    engagement_id: UUID
    engagement_state: EngagementState
    quotation_id: UUID
    platform: str
    provider_id: UUID
    provider_name: str
    price_cents: int
    reason: str
    milestones: tuple[Milestone, ...]
    told_lost: int
    awarded_at: datetime
