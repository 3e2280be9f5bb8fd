"""Allocations over HTTP."""

from datetime import datetime
from uuid import UUID

from common.contracts.allocations import CampaignKind
from common.http import Out


class ReceivedAllocationOut(Out):
    """A demand that a campaign gave to a provider. `amount_cents` is what the campaign pays, 0 for none."""

    id: UUID
    version: int
    campaign_id: UUID
    campaign_name: str
    kind: CampaignKind
    demand_id: UUID
    demand_number: str
    demand_title: str
    demand_window: str
    provider_id: UUID
    provider_name: str
    offering_id: UUID
    offering_title: str
    amount_cents: int
    state: str
    state_reason: str | None
    decided_at: datetime
