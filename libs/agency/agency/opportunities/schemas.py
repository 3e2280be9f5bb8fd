"""Opportunities over HTTP."""

from datetime import datetime
from uuid import UUID

from common.contracts.opportunities import DemandNotice
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict

from agency.opportunities.domain import OpportunityState


class DismissalIn(In):
    """Why it is of no interest; may be left out."""

    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "近期产能已满"}]})


class OpportunityOut(Out):
    """A demand that fits an offering of yours, with the reason; whose it is shows with an invitation."""

    id: UUID
    epoch: int
    version: int
    demand_id: UUID
    demand_window: str
    provider_id: UUID
    offering_id: UUID
    offering_title: str
    demand: DemandNotice
    score: float
    reason_zh: str
    reason_en: str
    state: OpportunityState
    state_reason: str | None
    found_at: datetime
    heard_at: datetime
    read_at: datetime | None
    dismissed_at: datetime | None
    dismissed_reason: str | None


class UnreadOut(Out):
    """How many are open, and neither read nor dismissed."""

    unread: int
