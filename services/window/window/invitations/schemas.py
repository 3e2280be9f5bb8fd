from datetime import datetime
from typing import Annotated
from uuid import UUID

from common import http
from common.contracts.invitations import InvitationState
from common.fields import Moment
from pydantic import ConfigDict, Field


class InvitationsIn(http.In):
    """Up to ten offerings of the match, each of another provider."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offering_ids": ["01890000-0000-7000-8000-000000000002"],
                    "respond_by": "2030-06-01T18:00:00+08:00",
                }
            ]
        }
    )

    offering_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]
    respond_by: Moment


class InvitationOut(http.Out):
    """One invited provider and what became of it."""

    id: UUID
    epoch: int
    version: int
    demand_id: UUID
    platform: str
    provider_id: UUID
    provider_name: str
    offering_id: UUID
    offering_version: int
    offering_title: str
    respond_by: datetime
    state: InvitationState
    state_reason: str | None
    issued_at: datetime
    answered_at: datetime | None
