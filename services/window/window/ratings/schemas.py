from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from common import http
from common.fields import OptionalText
from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

Grade = Annotated[int, Field(ge=1, le=5, strict=True, description="5 很满意 … 1 很不满意")]


class RatingIn(http.In):
    """Five grades: 5 very satisfied, 1 very dissatisfied."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grade": 5, "text": "响应快，报告规范。"}]})

    grade: Grade
    text: OptionalText = ""


class RatingPatch(http.In):
    """What changes; a field left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grade": 4}]})

    grade: Grade | None = None
    text: OptionalText | None = None

    @field_validator("grade", "text", mode="before")
    @classmethod
    def _not_emptied(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("needed", "cannot be emptied", {"zh": "不能清空"})
        return value


class RatingOut(http.Out):
    """A rating, editable for 7 days after `rated_at`."""

    id: UUID
    epoch: int
    version: int
    engagement_id: UUID
    demand_id: UUID
    platform: str
    provider_id: UUID
    grade: int
    text: str
    rated_at: datetime
    changed_at: datetime
