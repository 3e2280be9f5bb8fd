"""The end of a provider over HTTP."""

from uuid import UUID

from common.contracts.providers import ProviderState
from common.fields import Line
from common.http import In, Out
from pydantic import ConfigDict


class RetirementIn(In):
    """Why, where there is something to say."""

    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "机构停止营业"}]})


class RetirementOut(Out):
    """The provider as it ended."""

    id: UUID
    epoch: int
    version: int
    name: str
    credit_code: str
    state: ProviderState
    state_reason: str | None
