from datetime import datetime
from typing import Any
from uuid import UUID

from common import http
from common.contracts.demands import SizeClass
from common.fields import Cents, Count, DivisionCode, IndustryCode, Line
from pydantic import ConfigDict, JsonValue, field_validator
from pydantic_core import PydanticCustomError

from window.enterprises.domain import Email, Phone, Profile

EXAMPLE: dict[str, JsonValue] = {
    "name": "呼和浩特市示例乳品加工有限公司",
    "credit_code": "91150100MA0N000013",
    "division": "150105",
    "industry": "1441",
    "employees": 46,
    "revenue_cents": 1_850_000_000,
    "total_assets_cents": 960_000_000,
    "contact_name": "张晓",
    "contact_phone": "13800000000",
    "contact_email": "zhang@example.cn",
}


class EnterpriseIn(Profile, http.In):
    """An enterprise registers. Money in cents (分)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class EnterprisePatch(http.In):
    """What changes; a field left out stays. The credit code never changes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"employees": 52, "revenue_cents": 2_100_000_000}]}
    )

    name: Line | None = None
    division: DivisionCode | None = None
    industry: IndustryCode | None = None
    employees: Count | None = None
    revenue_cents: Cents | None = None
    total_assets_cents: Cents | None = None
    contact_name: Line | None = None
    contact_phone: Phone | None = None
    contact_email: Email | None = None

    @field_validator("name", "division", "industry", mode="before")
    @classmethod
    def _not_emptied(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("needed", "cannot be emptied", {"zh": "不能清空"})
        return value


class EnterpriseOut(http.Out):
    """An enterprise; `size_reason_*` says why it has its size class."""

    id: UUID
    epoch: int
    version: int
    name: str
    credit_code: str
    division: str
    industry: str
    employees: int | None
    revenue_cents: int | None
    total_assets_cents: int | None
    size_class: SizeClass
    size_reason_zh: str
    size_reason_en: str
    size_standard: str
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
    example: bool
    registered_at: datetime
    changed_at: datetime
