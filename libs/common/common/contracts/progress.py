"""What a provider says of its work (进度报告). Owned by its platform; the demand's window decides what follows."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Fact, State
from common.fields import Moment, NodeId, OptionalText


class Progress(State):
    """One report; it is never changed."""

    engagement_id: UUID
    demand_id: UUID
    demand_window: NodeId
    provider_id: UUID
    step: Literal["confirmed", "milestone", "delivered"]
    milestone: Annotated[int, Field(ge=1, le=50)] | None = None
    note: OptionalText = ""
    reported_at: Moment


class ProgressReported(Progress, Fact):
    type = "progress.reported.v1"
