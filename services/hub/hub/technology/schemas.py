from datetime import date, datetime
from uuid import UUID

from common.contracts.demands import Budget, DemandState, SizeClass
from common.contracts.offerings import Price
from common.contracts.technology import Achievement, TechnologyNeed
from pydantic import BaseModel

from hub.cases.domain import Case
from hub.catalogue.domain import Item

# Who may answer a need sees these; whose it is stays with the platforms until the provider is invited.
FOR_AGENCIES = ("number", "title", "text", "technology", "division", "budget", "needed_by", "example")


class AchievementOut(BaseModel):
    """A published achievement; `summary` is its abstract. `achievement` is null where it was never told."""

    platform: str
    id: UUID
    version: int
    title: str
    summary: str
    category: str
    provider_id: UUID
    provider_name: str
    division: str
    price: Price
    achievement: Achievement | None = None
    example: bool

    @classmethod
    def of(cls, item: Item) -> "AchievementOut":
        known = {name: item.body[name] for name in cls.model_fields if name in item.body}
        return cls.model_validate(known | {"platform": item.owner})


class NeedOut(BaseModel):
    """An open technology need. What stands below `example` is for staff; the name only where it is not hidden."""

    id: UUID
    number: str
    title: str
    text: str
    technology: TechnologyNeed
    division: str
    budget: Budget
    needed_by: date | None
    example: bool
    window: str | None = None
    state: DemandState | None = None
    category: str | None = None
    industry: str | None = None
    size_class: SizeClass | None = None
    enterprise_name: str | None = None
    submitted_at: datetime | None = None

    @classmethod
    def of(cls, case: Case, *, for_staff: bool) -> "NeedOut":
        names = cls.model_fields if for_staff else FOR_AGENCIES
        known = {name: case.body[name] for name in names if name in case.body}
        return cls.model_validate(known | {"id": case.id, "window": case.owner if for_staff else None})
