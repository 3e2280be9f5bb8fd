"""Assignments over HTTP."""

from datetime import datetime
from uuid import UUID

from common.contracts.engagements import EngagementState, Milestone
from common.http import In, Out
from pydantic import ConfigDict

from agency.assignments.domain import Report, Step


class ReportIn(Report, In):
    """A step of the work: confirmed first, then milestones, then delivered."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"step": "confirmed", "note": "已安排项目负责人"}]}
    )


class ReportOut(Out):
    """A report that was made."""

    id: UUID
    step: Step
    milestone: int | None
    note: str
    reported_at: datetime


class AssignmentRatingOut(Out):
    """How the enterprise was served: 5 very satisfied, 1 very dissatisfied."""

    grade: int
    text: str
    rated_at: datetime


class AssignmentOut(Out):
    """The engagement and its rating as its window last told them, and the reports made here."""

    id: UUID
    epoch: int
    version: int
    demand_id: UUID
    demand_window: str
    demand_number: str
    title: str
    enterprise_name: str
    quotation_id: UUID
    quotation_revision: int
    provider_id: UUID
    provider_name: str
    price_cents: int
    lead_days: int | None
    milestones: tuple[Milestone, ...]
    state: EngagementState
    state_reason: str | None
    created_at: datetime
    delivered_at: datetime | None
    accepted_at: datetime | None
    reports: tuple[ReportOut, ...]
    rating: AssignmentRatingOut | None
