from datetime import datetime
from typing import Annotated
from uuid import UUID

from common.fields import Line, NodeId
from common.http import In, Out
from pydantic import ConfigDict, Field

from hub.clients.domain import Role


class ClientIn(In):
    """A machine to register."""

    name: Line
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=7)]
    home: NodeId | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "包头市企业服务平台接口", "roles": ["window_staff"], "home": "baotou"}]
        }
    )


class ClientOut(Out):
    """A machine; its secret is never shown again."""

    id: UUID
    client_id: str
    name: str
    roles: tuple[str, ...]
    home: str | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    expires_at: datetime | None = None


class ClientMade(ClientOut):
    """The one answer that holds the secret."""

    client_secret: str
