"""Offerings over HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from common.contracts.offerings import OfferingKind, OfferingState, Price
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict

from agency.offerings.domain import Changes, Draft, Review


class PriceIn(Price, In):
    """Cents (分). Both ends left out means by agreement, both zero free of charge."""


class OfferingIn(Draft, In):
    """An offering to be reviewed, of a provider of yours."""

    provider_id: UUID
    price: PriceIn = PriceIn()  # pyright: ignore[reportIncompatibleVariableOverride]

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
                    "attributes": {"standards": ["GB/T 3217"]},
                    "example": True,
                }
            ]
        }
    )


class OfferingPatch(Changes, In):
    """Fields to change; what is left out stays."""

    price: PriceIn | None = None  # pyright: ignore[reportIncompatibleVariableOverride]

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
    attributes: dict[str, Any]
    example: bool
    state: OfferingState
    state_reason: str | None
    external_ref: str | None
    source_id: UUID | None
    submitted_at: datetime
    changed_at: datetime
