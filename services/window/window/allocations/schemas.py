from datetime import datetime
from uuid import UUID

from common import http
from common.contracts.allocations import CampaignKind


class AllocationOut(http.Out):
    """A provider that a campaign gave to the demand. `amount_cents` is what the campaign pays, 0 for none."""

    id: UUID
    version: int
    campaign_id: UUID
    campaign_name: str
    kind: CampaignKind
    platform: str
    provider_id: UUID
    provider_name: str
    offering_id: UUID
    offering_title: str
    amount_cents: int
    state: str
    state_reason: str | None
    decided_at: datetime


class AllocationsOut(http.Out):
    """All allocations of one demand, the latest decision first."""

    demand_id: UUID
    items: tuple[AllocationOut, ...]
