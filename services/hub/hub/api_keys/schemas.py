from datetime import datetime
from typing import Annotated
from uuid import UUID

from common.fields import Line, Slug
from common.http import In, Out
from pydantic import ConfigDict, Field, StringConstraints

RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class ApiKeyIn(In):
    """A key to make; its roles are at most yours."""

    name: Line
    roles: Annotated[tuple[RoleName, ...], Field(min_length=1, max_length=7)]
    expires_in_days: Annotated[int, Field(ge=1, le=365, strict=True)] = 90

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "ERP 对接", "roles": ["sme"], "expires_in_days": 90}]}
    )


class ApiKeyOut(Out):
    """A key without its secret."""

    id: UUID
    lookup: Slug
    name: str
    roles: tuple[str, ...]
    owner_subject: UUID
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class ApiKeyMade(ApiKeyOut):
    """The one answer that holds the key."""

    key: str
