"""Which key signs, which are published, and when one may go. All follow from three times."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from common.contracts.envelope import Contract
from common.errors import Conflict

TOKEN_LIFETIME_S = 900
# Services read the keys again every 300 s, checked once a minute; until then they have not seen a new one.
SIGN_AFTER_S = 420
# After the last token of a key has expired: the services' leeway of 60 s, and as much again for slow clocks.
GRACE_S = 120


class SigningKey(Contract):
    """A key pair. Published from the start, it signs from `signs_from` until another one does."""

    kid: str
    public: dict[str, Any]
    sealed: bytes | None
    published_at: datetime
    signs_from: datetime
    retired_at: datetime | None = None


def signer(keys: Sequence[SigningKey], at: datetime) -> SigningKey | None:
    """The newest key whose time has come; the first one when no time has come yet."""
    usable = sorted(
        (key for key in keys if key.retired_at is None and key.sealed),
        key=lambda key: (key.signs_from, key.kid),
    )
    due = [key for key in usable if key.signs_from <= at]
    return due[-1] if due else (usable[0] if usable else None)


def spent(keys: Sequence[SigningKey], at: datetime) -> list[SigningKey]:
    """The keys whose every token has expired: their successor has signed for a token's lifetime and more."""
    current = signer(keys, at)
    if current is None or at < current.signs_from + timedelta(seconds=TOKEN_LIFETIME_S + GRACE_S):
        return []
    return [
        key
        for key in keys
        if key.retired_at is None and key is not current and key.signs_from <= current.signs_from
    ]


def check_rotation(keys: Sequence[SigningKey], at: datetime) -> None:
    """Raises: Conflict while the last rotation still waits for its turn."""
    if any(key.retired_at is None and key.signs_from > at for key in keys):
        raise Conflict(
            "rotation-pending",
            zh="上一次轮换的新密钥尚未启用；请稍后再轮换，或以 compromised=true 立即轮换",
            en="the new key of the last rotation does not sign yet; wait, or rotate at once with compromised=true",
        )


def status(key: SigningKey, keys: Sequence[SigningKey], at: datetime) -> str:
    if key.retired_at is not None:
        return "retired"
    if key is signer(keys, at):
        return "signing"
    return "published" if key.signs_from > at else "verifying"
