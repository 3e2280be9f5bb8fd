from datetime import date, datetime
from uuid import UUID

from common import http
from common.contracts.quotations import QuotationState


class QuotationOut(http.Out):
    """A quotation on normalised fields. `stands`: it could be accepted today."""

    id: UUID
    invitation_id: UUID
    platform: str
    provider_id: UUID
    provider_name: str
    offering_id: UUID
    offering_version: int
    state: QuotationState
    state_reason: str | None
    revision: int
    price_cents: int | None
    lead_days: int | None
    valid_until: date | None
    scope: str
    answered_at: datetime | None
    stands: bool
    over_budget: bool | None
    in_time: bool | None
