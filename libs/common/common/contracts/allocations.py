"""A demand given to a provider by an accepted campaign plan (活动分配)."""

from typing import Literal
from uuid import UUID

from common.contracts.envelope import Fact, State
from common.fields import Cents, Line, Moment, NodeId

CampaignKind = Literal["service_voucher", "three_visits", "training"]


class Allocation(State):
    """Owned by matchmaking; copied to the demand's window and to the provider's platform.

    Shape: `amount_cents` is what the campaign pays of it, 0 for none.
    """

    campaign_id: UUID
    campaign_name: Line
    kind: CampaignKind
    demand_id: UUID
    demand_number: Line
    demand_title: Line
    demand_window: NodeId
    platform: NodeId
    provider_id: UUID
    provider_name: Line
    offering_id: UUID
    offering_title: Line
    amount_cents: Cents = 0
    state: Literal["assigned", "withdrawn"]
    state_reason: str | None = None
    decided_at: Moment


class AllocationMade(Allocation, Fact):
    type = "allocation.made.v1"


class AllocationWithdrawn(Allocation, Fact):
    type = "allocation.withdrawn.v1"
