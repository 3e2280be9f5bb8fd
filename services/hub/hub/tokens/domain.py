"""What a token says, and the ways a request for one is refused (RFC 6749 5.2)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from common.contracts.envelope import Contract

PASSWORD, CLIENT, API_KEY = "password", "client_credentials", "urn:hubnet:grant:api-key"
GRANTS = (PASSWORD, CLIENT, API_KEY)


class Holder(Contract):
    """Who a token is for."""

    subject: str
    roles: tuple[str, ...]
    home: str | None


class Token(Contract):
    """A token as it is handed out."""

    access_token: str
    expires_in: int
    roles: tuple[str, ...]


class Refused(Exception):
    """A refusal in OAuth's own form. `en` is ASCII, as the RFC wants it."""

    def __init__(self, error: str, *, zh: str, en: str, status: int = 400):
        super().__init__(error)
        self.error, self.zh, self.en, self.status = error, zh, en, status


def wrong_credentials() -> Refused:
    """One answer for no such account, wrong secret, revoked and expired: it tells nothing apart."""
    return Refused(
        "invalid_grant",
        zh="账号或密钥不正确，或已停用；请核对后重试",
        en="the account or its secret is not right, or it is no longer active; check and try again",
    )


def wrong_client() -> Refused:
    return Refused(
        "invalid_client",
        zh="客户端编号或密钥不正确，或已撤销",
        en="the client id or its secret is not right, or it was revoked",
        status=401,
    )


def narrowed(held: Iterable[str], scope: str | None) -> tuple[str, ...]:
    """The roles asked for by `scope`; all of them when it is not given.

    Raises: Refused for a role that is not held.
    """
    roles = tuple(held)
    if scope is None or not scope.strip():
        return roles
    wanted = tuple(dict.fromkeys(scope.split()))
    if set(wanted) - set(roles):
        raise Refused(
            "invalid_scope",
            zh="请求的角色超出该账号的角色",
            en="the scope asks for a role this account does not have",
        )
    return wanted


def claims(
    holder: Holder, *, issuer: str, audience: str, roles_claim: str, id: str, at: datetime, lifetime_s: int
) -> dict[str, Any]:
    """RFC 9068, with the roles and the home platform."""
    issued = int(at.timestamp())
    return {
        "iss": issuer,
        "aud": audience,
        "sub": holder.subject,
        "iat": issued,
        "nbf": issued,
        "exp": issued + lifetime_s,
        "jti": id,
        roles_claim: list(holder.roles),
    } | ({"home": holder.home} if holder.home else {})
