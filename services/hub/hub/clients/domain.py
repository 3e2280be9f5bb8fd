"""Machines and their secrets. A secret is 256 random bits, so a keyed hash of it is enough to store."""

import hashlib
import hmac
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.contracts.envelope import Contract
from common.errors import Conflict

Role = Literal["sme", "agency", "window_staff", "cluster_staff", "operator", "department", "platform"]


class Client(Contract):
    """A machine. `id` is the subject of its tokens, `client_id` what it signs in with."""

    id: UUID
    client_id: str
    name: str
    secret_hmac: bytes
    roles: tuple[Role, ...]
    home: str | None = None
    version: int = 1
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    expires_at: datetime | None = None

    def alive(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def digest(pepper: bytes, label: str, secret: str) -> bytes:
    """What is stored of a secret; useless without the pepper, and bound to whose it is by `label`."""
    return hmac.digest(pepper, f"{label}\0{secret}".encode("utf-8", "replace"), hashlib.sha256)


def matches(pepper: bytes, label: str, secret: str, stored: bytes | None) -> bool:
    """Compare in the same time whether or not there is anything stored."""
    return hmac.compare_digest(digest(pepper, label, secret), stored or bytes(32)) and stored is not None


def label(client_id: str) -> str:
    return f"client:{client_id}"


def outlived(client: Client, until: datetime) -> Client | None:
    """A client that another takes over from until then; None when it ends before that anyway."""
    if not client.alive(until):
        return None
    return client.model_copy(update={"expires_at": until, "version": client.version + 1})


def revoke(client: Client, at: datetime) -> Client:
    """Raises: Conflict when it is already."""
    if client.revoked_at is not None:
        raise Conflict(
            "already-revoked", zh="该客户端已撤销；无需重复操作", en="the client is already revoked"
        )
    return client.model_copy(update={"revoked_at": at, "version": client.version + 1})
