"""Offerings over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from common.contracts.demands import SizeClass
from common.contracts.finance import FinanceTerms
from common.contracts.offerings import OfferingKind, OfferingState, Price
from common.contracts.technology import Achievement, IntellectualProperty
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict, Field

from agency.offerings.domain import Changes, Draft, Review


class PriceIn(Price, In):
    """Cents (分). Both ends left out means by agreement, both zero free of charge."""


class FinanceTermsIn(FinanceTerms, In):
    """What a finance product gives. Cents (分); an open end is left out."""


class IntellectualPropertyIn(IntellectualProperty, In):
    """A right in an achievement."""


class AchievementIn(Achievement, In):
    """A technology achievement; `maturity` is 1 to 9 by GB/T 22900."""

    intellectual_property: Annotated[tuple[IntellectualPropertyIn, ...], Field(max_length=20)] = ()  # pyright: ignore[reportIncompatibleVariableOverride]


class OfferingIn(Draft, In):
    """An offering to be reviewed, of a provider of yours."""

    provider_id: UUID
    price: PriceIn = PriceIn()  # pyright: ignore[reportIncompatibleVariableOverride]
    finance: FinanceTermsIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    achievement: AchievementIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider_id": "01980000-0000-7000-8000-000000000001",
                    "kind": "service",
                    "title": "稀土永磁材料磁性能检测",
                    "summary": "按国家标准测量剩磁、矫顽力与最大磁能积，五个工作日出具报告。",
                    "category": "technology_quality.testing",
                    "division": "150203",
                    "service_area": ["1502", "1501"],
                    "price": {"from_cents": 80000, "to_cents": 300000, "unit": "sample"},
                    "lead_days": 5,
                    "size_classes": ["medium", "small", "micro"],
                    "capacity": 20,
                    "attributes": {"standards": ["GB/T 3217"]},
                    "example": True,
                },
                {
                    "provider_id": "01980000-0000-7000-8000-000000000001",
                    "kind": "finance_product",
                    "title": "牧业经营贷款",
                    "summary": "以牲畜或存货抵押，也可由担保公司担保；十个工作日内答复。",
                    "category": "financing.loan_matching",
                    "lead_days": 14,
                    "finance": {
                        "amount_from_cents": 10_000_000,
                        "amount_to_cents": 500_000_000,
                        "term_from_months": 6,
                        "term_to_months": 36,
                        "collateral": ["livestock", "inventory"],
                        "guarantees": ["guarantee_company"],
                    },
                    "example": True,
                },
                {
                    "provider_id": "01980000-0000-7000-8000-000000000001",
                    "kind": "technology_achievement",
                    "title": "羊绒纤维快速鉴别方法",
                    "summary": "近红外光谱结合图像识别，一分钟鉴别一份样品。",
                    "category": "technology_quality.rnd_transfer",
                    "achievement": {
                        "owner": "示例·草原纤维研究所",
                        "maturity": 6,
                        "keywords": ["羊绒", "近红外光谱"],
                        "field": "纺织材料",
                        "cooperation": ["licence", "joint_development"],
                        "intellectual_property": [{"kind": "invention", "status": "applied"}],
                    },
                    "example": True,
                },
            ]
        }
    )


class OfferingPatch(Changes, In):
    """Fields to change; what is left out stays. An explicit null removes what may be absent."""

    price: PriceIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    finance: FinanceTermsIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    achievement: AchievementIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"price": {"from_cents": 90000, "to_cents": 300000, "unit": "sample"}}]
        }
    )


class ReviewIn(In):
    """The decision of the platform's staff."""

    decision: Review
    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"decision": "publish"}]})


class ReasonIn(In):
    """Why, where there is something to say."""

    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "设备检修"}]})


class OfferingOut(Out):
    """An offering."""

    id: UUID
    epoch: int
    version: int
    provider_id: UUID
    provider_name: str
    kind: OfferingKind
    title: str
    summary: str
    category: str
    division: str
    service_area: tuple[str, ...]
    price: Price
    lead_days: int | None
    size_classes: tuple[SizeClass, ...]
    qualifications: tuple[str, ...]
    capacity: int | None
    finance: FinanceTerms | None
    achievement: Achievement | None
    attributes: dict[str, Any]
    example: bool
    state: OfferingState
    state_reason: str | None
    external_ref: str | None
    source_id: UUID | None
    submitted_at: datetime
    changed_at: datetime
