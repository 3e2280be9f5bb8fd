from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from common import http
from common.contracts.demands import Budget, DemandState, SizeClass
from common.contracts.finance import FinanceNeed
from common.contracts.technology import TechnologyNeed
from common.fields import DivisionCode, IndustryCode, Line, Slug, Text
from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from window.demands.domain import Draft, Step


class BudgetIn(Budget, http.In):
    """Cents (分); an open end is left out."""


class FinanceNeedIn(FinanceNeed, http.In):
    """Money sought, in cents (分), with the collateral and guarantees the enterprise can bring."""


class TechnologyNeedIn(TechnologyNeed, http.In):
    """A technology need (技术需求); `least_maturity` is 1 to 9 by GB/T 22900."""


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
                },
                {
                    "enterprise_id": "01890000-0000-7000-8000-000000000001",
                    "title": "收购原料奶的流动资金贷款",
                    "text": "旺季收奶需要流动资金，可用存货和应收账款抵押，也可由担保公司担保。",
                    "category": "financing.loan_matching",
                    "finance": {
                        "amount_cents": 200_000_000,
                        "term_months": 12,
                        "purpose": "收购原料奶",
                        "collateral": ["inventory", "receivables"],
                        "guarantees": ["guarantee_company"],
                    },
                },
                {
                    "enterprise_id": "01890000-0000-7000-8000-000000000001",
                    "title": "奶酪成熟过程在线检测技术",
                    "text": "奶酪成熟度靠人工抽检，批次间差异大，希望引进或合作开发在线检测技术。",
                    "category": "technology_quality.rnd_transfer",
                    "budget": {"to_cents": 60_000_000},
                    "technology": {
                        "main_problem": "成熟度靠人工抽检，批次间差异大。",
                        "key_technology": "近红外光谱在线测定水分与蛋白水解程度。",
                        "expected_goal": "每批在线检测，误差不超过百分之三。",
                        "keywords": ["奶酪", "近红外光谱"],
                        "from_year": 2030,
                        "to_year": 2031,
                        "cooperation": ["joint_development", "licence"],
                        "field": "食品加工",
                        "least_maturity": 5,
                    },
                },
            ]
        }
    )

    enterprise_id: UUID
    budget: BudgetIn = BudgetIn()  # pyright: ignore[reportIncompatibleVariableOverride]
    finance: FinanceNeedIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    technology: TechnologyNeedIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class DemandPatch(http.In):
    """What changes; a field left out stays, an explicit null removes what may be absent. Matching starts anew."""

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
    qualifications: Annotated[tuple[Line, ...], Field(max_length=10)] | None = None
    finance: FinanceNeedIn | None = None
    technology: TechnologyNeedIn | None = None
    confidential: bool | None = None

    @field_validator(
        "title", "text", "industry", "division", "budget", "must_haves", "nice_to_haves", "qualifications",
        "confidential", mode="before",
    )  # fmt: skip
    @classmethod
    def _not_emptied(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("needed", "cannot be emptied", {"zh": "不能清空"})
        return value


class SimilarIn(http.In):
    """What the enterprise is about to ask for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "enterprise_id": "01890000-0000-7000-8000-000000000001",
                    "title": "乳制品检验检测",
                    "text": "我司生产酸奶和奶酪，需要每月送检微生物与理化指标。",
                }
            ]
        }
    )

    enterprise_id: UUID
    title: Line
    text: Text


class SimilarOut(http.Out):
    """An open demand of the same enterprise that says nearly the same; `similarity` 1 is the same words."""

    demand_id: UUID
    number: str
    title: str
    state: DemandState
    submitted_at: datetime
    similarity: float


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
    qualifications: tuple[str, ...]
    finance: FinanceNeed | None
    technology: TechnologyNeed | None
    example: bool
    state: DemandState
    state_reason: str | None
    engagement_id: UUID | None
    submitted_at: datetime
    changed_at: datetime


class DemandDetail(DemandOut):
    """A demand with what has happened to it, oldest first."""

    timeline: tuple[Step, ...]
