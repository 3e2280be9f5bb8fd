"""API keys: made, revoked, and exchanged."""

import secrets
from datetime import datetime
from uuid import UUID

from common import audit, ids
from common.auth import Principal
from common.errors import Forbidden, absent
from sqlalchemy.ext.asyncio import AsyncSession

from hub.api_keys import domain, repository
from hub.api_keys.domain import ApiKey
from hub.clients.domain import digest, matches
from hub.users import service as users

LOOKUP_BYTES = 8
SECRET_BYTES = 32


async def make(
    tx: AsyncSession,
    who: Principal,
    *,
    name: str,
    roles: tuple[str, ...],
    days: int,
    pepper: bytes,
    at: datetime,
) -> tuple[ApiKey, str]:
    """The key's record, and the key itself, which is not kept.

    Raises: Forbidden when the caller is no person, or has not the roles.
    """
    try:
        owner = await users.holder(tx, UUID(who.subject))
    except ValueError:
        owner = None
    if owner is None:
        raise Forbidden(
            "key-needs-person",
            zh="接口密钥属于个人账号；机器请使用客户端凭据",
            en="API keys belong to people; machines use client credentials",
        )
    # At most what this token may, which can be less than what its owner may.
    wanted = domain.scope(roles, tuple(role for role in owner.roles if role in who.roles))
    lookup, secret = secrets.token_hex(LOOKUP_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(
        id=ids.new(), lookup=lookup, secret_hmac=digest(pepper, domain.label(lookup), secret),
        owner_subject=owner.id, name=name, roles=wanted, created_at=at, expires_at=domain.expiry(at, days),
    )  # fmt: skip
    await repository.add(tx, key)
    await audit.add(
        tx, who.subject, "api-key.made", key.id, at=at, detail={"roles": list(wanted), "days": days}
    )
    return key, domain.join(lookup, secret)


async def revoke(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> ApiKey:
    key = await repository.get(tx, who, id, lock=True)
    if key is None:
        raise absent("密钥", "key")
    revoked = domain.revoke(key, at)
    await repository.save(tx, revoked)
    await audit.add(tx, who.subject, "api-key.revoked", id, at=at, detail={})
    return revoked


async def proved(tx: AsyncSession, key: str, pepper: bytes, at: datetime) -> ApiKey | None:
    """The record of a key that is genuine, not expired and not revoked."""
    halves = domain.split(key)
    lookup, secret = halves or ("", "")
    found = await repository.by_lookup(tx, lookup) if halves else None
    right = matches(pepper, domain.label(lookup), secret, found.secret_hmac if found else None)
    return found if right and found is not None and found.alive(at) else None
