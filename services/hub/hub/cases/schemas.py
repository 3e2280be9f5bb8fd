from datetime import datetime
from uuid import UUID

from common.contracts.demands import DemandState, SizeClass
from common.http import Out
from pydantic import BaseModel

from hub.cases.domain import Case, Event


class CaseOut(BaseModel):
    """A demand of the region, without its text. `owner` is its window."""

    id: UUID
    owner: str
    number: str
    title: str
    category: str | None
    industry: str
    division: str
    size_class: SizeClass
    state: DemandState
    state_reason: str | None
    example: bool
    forked: bool
    submitted_at: datetime
    changed_at: datetime
    epoch: int
    version: int

    @classmethod
    def of(cls, case: Case) -> "CaseOut":
        known = {name: case.body[name] for name in cls.model_fields if name in case.body}
        return cls.model_validate(known | {"owner": case.owner, "forked": case.forked})


class EventOut(Out):
    """One thing that happened."""

    at: datetime
    type: str
    source: str
    platform: str | None
    zh: str
    en: str


class CaseDetail(BaseModel):
    """A demand with all that happened to it, in order."""

    case: CaseOut
    timeline: list[EventOut]

    @classmethod
    def made(cls, case: Case, events: "list[Event]") -> "CaseDetail":
        return cls(case=CaseOut.of(case), timeline=[EventOut.model_validate(event) for event in events])
