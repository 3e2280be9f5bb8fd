"""The work that follows an award (服务合同). Owned by the demand's window, copied to the provider's platform."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Contract, Fact, State
from common.fields import Cents, Line, Moment, NodeId, OptionalText

EngagementState = Literal[
    "created", "confirmed", "in_progress", "delivered", "accepted", "disputed", "closed", "cancelled"
]


class Milestone(Contract):
    """A step both parties see."""

    number: Annotated[int, Field(ge=1, le=50)]
    title: Line
    due: date | None = None
    done_at: Moment | None = None


class Engagement(State):
    """One engagement: at most one of a demand is not cancelled.

    Shape: `provider_subject` is the opaque account of the provider's owner.
    """

    demand_id: UUID
    demand_window: NodeId
    demand_number: Line
    title: Line
    enterprise_name: Line
    invitation_id: UUID
    quotation_id: UUID
    quotation_revision: Annotated[int, Field(ge=1)]
    platform: NodeId
    provider_id: UUID
    provider_name: Line
    price_cents: Cents
    lead_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=50)] = ()
    state: EngagementState
    state_reason: str | None = None
    delivery_note: OptionalText = ""
    created_at: Moment
    delivered_at: Moment | None = None
    accepted_at: Moment | None = None
    provider_subject: Line | None = None


class EngagementCreated(Engagement, Fact):
    type = "engagement.created.v1"


class EngagementConfirmed(Engagement, Fact):
    type = "engagement.confirmed.v1"


class EngagementProgressed(Engagement, Fact):
    """A milestone was done; the first one means work has begun."""

    type = "engagement.progressed.v1"


class EngagementDelivered(Engagement, Fact):
    type = "engagement.delivered.v1"


class EngagementAccepted(Engagement, Fact):
    type = "engagement.accepted.v1"


class EngagementCancelled(Engagement, Fact):
    """It ended before the delivery; `state_reason` says why."""

    type = "engagement.cancelled.v1"


class EngagementClosed(Engagement, Fact):
    type = "engagement.closed.v1"
