from datetime import datetime
from uuid import UUID

from common import http
from common.contracts.engagements import EngagementState, Milestone
from pydantic import ConfigDict


class AcceptanceIn(http.In):
    """The enterprise accepts what was delivered; there is nothing to add."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class EngagementOut(http.Out):
    """An engagement with its milestones."""

    id: UUID
    epoch: int
    version: int
    demand_id: UUID
    demand_number: str
    title: str
    enterprise_name: str
    invitation_id: UUID
    quotation_id: UUID
    quotation_revision: int
    platform: str
    provider_id: UUID
    provider_name: str
    price_cents: int
    lead_days: int | None
    milestones: tuple[Milestone, ...]
    state: EngagementState
    state_reason: str | None
    award_reason: str
    delivery_note: str
    created_at: datetime
    confirmed_at: datetime | None
    delivered_at: datetime | None
    accepted_at: datetime | None
    changed_at: datetime
