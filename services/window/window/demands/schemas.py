from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from common import http
from common.contracts.demands import Budget, DemandState, SizeClass
from common.fields import DivisionCode, IndustryCode, Line, Slug, Text
from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from window.demands.domain import Draft, Step


class BudgetIn(Budget, http.In):
    """Cents (分); an open end is left out."""


class DemandIn(Draft, http.In):
    """A demand of one of the caller's enterprises. Industry and place default to the enterprise's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "enterprise_id": "01890000-0000-7000-8000-000000000001",
                    "title": "乳制品检验检测与食品安全管理体系咨询",
                    "text": "我司生产酸奶和奶酪，需要每月送检微生物与理化指标，并辅导建立 HACCP 体系。",
                    "division": "150105",
                    "budget": {"from_cents": 3_000_000, "to_cents": 8_000_000},
                    "needed_by": "2030-06-30",
                    "must_haves": ["具备 CMA 资质"],
                    "nice_to_haves": ["可上门取样"],
                    "confidential": False,
                }
            ]
        }
    )

    enterprise_id: UUID
    budget: BudgetIn = BudgetIn()  # pyright: ignore[reportIncompatibleVariableOverride]


class DemandPatch(http.In):
    """What changes; a field left out stays. Matching starts anew."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"budget": {"to_cents": 9_000_000}, "needed_by": "2030-09-30"}]}
    )

    title: Line | None = None
    text: Text | None = None
    category: Slug | None = None
    industry: IndustryCode | None = None
    division: DivisionCode | None = None
    budget: BudgetIn | None = None
    needed_by: date | None = None
    must_haves: Annotated[tuple[Line, ...], Field(max_length=20)] | None = None
    nice_to_haves: Annotated[tuple[Line, ...], Field(max_length=20)] | None = None
    confidential: bool | None = None

    @field_validator(
        "title", "text", "industry", "division", "budget", "must_haves", "nice_to_haves", "confidential",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _not_emptied(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("needed", "cannot be emptied", {"zh": "不能清空"})
        return value


class DemandOut(http.Out):
    """A demand. `enterprise_name` is null on the network while it is confidential."""

    id: UUID
    epoch: int
    version: int
    number: str
    enterprise_id: UUID
    title: str
    text: str
    category: str | None
    industry: str
    division: str
    size_class: SizeClass
    enterprise_name: str | None
    confidential: bool
    budget: Budget
    needed_by: date | None
    must_haves: tuple[str, ...]
    nice_to_haves: tuple[str, ...]
    example: bool
    state: DemandState
    state_reason: str | None
    engagement_id: UUID | None
    submitted_at: datetime
    changed_at: datetime


class DemandDetail(DemandOut):
    """A demand with what has happened to it, oldest first."""

    timeline: tuple[Step, ...]
