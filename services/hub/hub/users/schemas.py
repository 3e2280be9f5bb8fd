from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from common.fields import Line, NodeId, OptionalText
from common.http import In, Out
from pydantic import ConfigDict, Field, StringConstraints

from hub.users.domain import Role

Password = Annotated[OptionalText, StringConstraints(max_length=128), Field(repr=False)]


class RegistrationIn(In):
    """Open an account for oneself."""

    username: Line
    password: Password
    role: Literal["sme", "agency"]
    home: NodeId | None = Field(default=None, description="Platform one mostly deals with")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"username": "mengyuan-food", "password": "grassland-2026", "role": "sme", "home": "hohhot"}
            ]
        }
    )


class StaffIn(In):
    """Open an account with any role; `home` is needed for staff of a platform."""

    username: Line
    password: Password
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=6)]
    home: NodeId | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "username": "hohhot.staff",
                    "password": "window-duty-2026",
                    "roles": ["window_staff"],
                    "home": "hohhot",
                }
            ]
        }
    )


class PasswordIn(In):
    old_password: Password
    new_password: Password

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"old_password": "grassland-2026", "new_password": "wide-grassland-2027"}]
        }
    )


class UserOut(Out):
    """A person; `id` is the subject of their tokens."""

    id: UUID
    username: str
    roles: tuple[str, ...]
    home: str | None
    active: bool
    created_at: datetime
