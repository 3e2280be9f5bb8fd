from typing import Any, Literal

from pydantic import BaseModel

from hub.tokens.domain import GRANTS


class TokenOut(BaseModel):
    """RFC 6749 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    scope: str


class OAuthError(BaseModel):
    """RFC 6749 5.2; `error_description_zh` is ours."""

    error: str
    error_description: str
    error_description_zh: str


_TEXT = {"type": "string", "maxLength": 1024}
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": list(GRANTS)},
                        "username": _TEXT,
                        "password": _TEXT | {"format": "password"},
                        "client_id": _TEXT,
                        "client_secret": _TEXT | {"format": "password"},
                        "api_key": _TEXT | {"format": "password"},
                        "scope": _TEXT,
                    },
                },
                "examples": {
                    "person": {
                        "value": {
                            "grant_type": "password",
                            "username": "mengyuan-food",
                            "password": "grassland-2026",
                        }
                    }
                },
            }
        },
    }
}
