from datetime import datetime
from uuid import UUID

from common import http
from common.contracts.demands import DemandState
from common.fields import Line
from pydantic import ConfigDict, Field


class WithdrawalIn(http.In):
    """Why the demand is taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "项目取消"}]})

    reason: Line


class WithdrawalOut(http.Out):
    """The withdrawn demand."""

    demand_id: UUID = Field(validation_alias="id")
    number: str
    state: DemandState
    reason: str = Field(validation_alias="state_reason")
    withdrawn_at: datetime = Field(validation_alias="changed_at")
