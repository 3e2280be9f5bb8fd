"""Quotations over HTTP."""

from datetime import date, datetime
from uuid import UUID

from common.contracts.invitations import DemandSummary
from common.contracts.quotations import QuotationState
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict

from agency.quotations.domain import Offer


class SubmissionIn(Offer, In):
    """An offer; until the deadline a later one replaces it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "price_cents": 260000,
                    "lead_days": 5,
                    "valid_until": "2099-12-31",
                    "scope": "三个样品的磁性能检测与报告，含取样指导。",
                }
            ]
        }
    )


class DeclinationIn(In):
    """Why not; the enterprise reads it."""

    reason: Line

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "近期产能已满"}]})


class QuotationWithdrawalIn(In):
    """Why it is taken back, where there is something to say."""

    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "设备故障，无法按期完成"}]})


class AskedOut(Out):
    """The invitation as the provider reads it."""

    offering_title: str
    demand: DemandSummary
    respond_by: datetime
    issued_at: datetime


class OwnQuotationOut(Out):
    """A quotation with the invitation it answers."""

    id: UUID
    epoch: int
    version: int
    invitation_id: UUID
    demand_id: UUID
    demand_window: str
    provider_id: UUID
    provider_name: str
    offering_id: UUID
    offering_version: int
    invitation: AskedOut
    respond_by: datetime
    state: QuotationState
    state_reason: str | None
    revision: int
    price_cents: int | None
    lead_days: int | None
    valid_until: date | None
    scope: str
    answered_at: datetime | None
    received_at: datetime
    changed_at: datetime
