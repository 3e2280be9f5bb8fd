"""A provider's answer to an invitation (报价). Owned by the provider's platform, addressed to the demand's window."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Fact, State
from common.fields import Cents, Line, Moment, NodeId, OptionalText

QuotationState = Literal[
    "invited", "viewed", "declined", "submitted", "withdrawn", "expired", "rejected", "accepted", "confirmed",
    "relapsed",
]  # fmt: skip


class Quotation(State):
    """The answer of one invited provider; `revision` counts its submissions.

    Shape: `provider_subject` is the opaque account of the provider's owner, set once it has quoted: after
    the award the demand's window shows the enterprise's contact to that account.
    """

    invitation_id: UUID
    demand_id: UUID
    demand_window: NodeId
    platform: NodeId
    provider_id: UUID
    provider_name: Line
    offering_id: UUID
    offering_version: Annotated[int, Field(ge=1)]
    state: QuotationState
    state_reason: str | None = None
    revision: Annotated[int, Field(ge=0)] = 0
    price_cents: Cents | None = None
    lead_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    valid_until: date | None = None
    scope: OptionalText = ""
    answered_at: Moment | None = None
    provider_subject: Line | None = None


class QuotationViewed(Quotation, Fact):
    type = "quotation.viewed.v1"


class QuotationSubmitted(Quotation, Fact):
    type = "quotation.submitted.v1"


class QuotationDeclined(Quotation, Fact):
    type = "quotation.declined.v1"


class QuotationWithdrawn(Quotation, Fact):
    type = "quotation.withdrawn.v1"


class QuotationExpired(Quotation, Fact):
    """The invitation expired before the provider answered."""

    type = "quotation.expired.v1"


class QuotationSettled(Quotation, Fact):
    """The award reached the provider's platform: accepted, rejected with the reason, or relapsed.

    Shape: relapsed says that the quotation was taken back before the award arrived: the award is void.
    """

    type = "quotation.settled.v1"
