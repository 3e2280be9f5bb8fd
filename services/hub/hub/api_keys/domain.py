"""Keys a person gives to a program: never more than the person may, not for ever, and revocable."""

from datetime import datetime, timedelta
from uuid import UUID

from common.contracts.envelope import Contract
from common.errors import Conflict, Forbidden

PREFIX = "pk"


class ApiKey(Contract):
    """A key. `lookup` is its public half; `roles` the scope, at most the owner's."""

    id: UUID
    lookup: str
    secret_hmac: bytes
    owner_subject: UUID
    name: str
    roles: tuple[str, ...]
    version: int = 1
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def alive(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at


def label(lookup: str) -> str:
    return f"api-key:{lookup}"


def join(lookup: str, secret: str) -> str:
    return f"{PREFIX}_{lookup}_{secret}"


def split(key: str) -> tuple[str, str] | None:
    """The two halves, or None when it has not the form of a key."""
    prefix, _, rest = key.partition("_")
    lookup, _, secret = rest.partition("_")
    return (lookup, secret) if prefix == PREFIX and lookup and secret else None


def scope(wanted: tuple[str, ...], held: tuple[str, ...]) -> tuple[str, ...]:
    """Raises: Forbidden for a role the owner has not."""
    if missing := set(wanted) - set(held):
        raise Forbidden(
            "scope-too-wide",
            zh=f"密钥的角色不得超出您的角色；请去掉 {'、'.join(sorted(missing))}",
            en=f"a key may have no role that you have not; leave out {', '.join(sorted(missing))}",
            field="roles",
        )
    return tuple(dict.fromkeys(wanted))


def expiry(at: datetime, days: int) -> datetime:
    return at + timedelta(days=days)


def revoke(key: ApiKey, at: datetime) -> ApiKey:
    """Raises: Conflict when it is already."""
    if key.revoked_at is not None:
        raise Conflict("already-revoked", zh="该密钥已撤销；无需重复操作", en="the key is already revoked")
    return key.model_copy(update={"revoked_at": at, "version": key.version + 1})
