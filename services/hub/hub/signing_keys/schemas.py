from datetime import datetime
from typing import Annotated, Any

from common.http import In
from pydantic import BaseModel, ConfigDict, Field

from hub.signing_keys.domain import SIGN_AFTER_S, SigningKey


class RotationIn(In):
    """How to rotate: with overlap, or at once because the key may be in other hands."""

    sign_after_s: Annotated[int, Field(ge=0, le=86_400, strict=True)] = SIGN_AFTER_S
    compromised: bool = False

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"sign_after_s": SIGN_AFTER_S, "compromised": False}]}
    )


class SigningKeyOut(BaseModel):
    """A key's public side."""

    kid: str
    status: str
    published_at: datetime
    signs_from: datetime
    retired_at: datetime | None

    @classmethod
    def of(cls, key: SigningKey, status: str) -> "SigningKeyOut":
        return cls(
            kid=key.kid, status=status, published_at=key.published_at, signs_from=key.signs_from,
            retired_at=key.retired_at,
        )  # fmt: skip


class SigningKeys(BaseModel):
    items: list[SigningKeyOut]


class Jwks(BaseModel):
    """RFC 7517."""

    keys: list[dict[str, Any]]


class Discovery(BaseModel):
    """The part of OpenID Connect discovery and RFC 8414 that applies here."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    response_types_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    claims_supported: list[str]
