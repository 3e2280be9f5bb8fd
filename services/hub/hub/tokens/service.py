"""Prove who asks, then issue."""

from datetime import datetime
from uuid import uuid4

from common import audit
from common.settings import Settings
from sqlalchemy.ext.asyncio import AsyncSession

from hub.api_keys import service as api_keys
from hub.clients import service as clients
from hub.signing_keys import service as signing_keys
from hub.signing_keys.domain import TOKEN_LIFETIME_S
from hub.tokens import domain
from hub.tokens.domain import Holder, Token
from hub.users import service as users
from hub.users.domain import User


async def candidate(tx: AsyncSession, username: str) -> User | None:
    """Who might be signing in; to be proved outside any transaction, for it takes long."""
    return await users.find(tx, username)


async def by_password(user: User | None, password: str) -> Holder | None:
    if not await users.proves(password, user) or user is None:
        return None
    return Holder(subject=str(user.id), roles=user.roles, home=user.home)


async def by_secret(
    tx: AsyncSession, client_id: str, secret: str, pepper: bytes, at: datetime
) -> Holder | None:
    client = await clients.proved(tx, client_id, secret, pepper, at)
    return client and Holder(subject=str(client.id), roles=client.roles, home=client.home)


async def by_api_key(tx: AsyncSession, key: str, pepper: bytes, at: datetime) -> Holder | None:
    """The key's owner, with as many of the key's roles as the owner still has."""
    found = await api_keys.proved(tx, key, pepper, at)
    owner = await users.holder(tx, found.owner_subject) if found else None
    if found is None or owner is None:
        return None
    roles = tuple(role for role in found.roles if role in owner.roles)
    return Holder(subject=str(owner.id), roles=roles, home=owner.home)


async def issue(
    tx: AsyncSession, holder: Holder, *, grant: str, scope: str | None, settings: Settings, pepper: bytes,
    at: datetime,
) -> Token:  # fmt: skip
    """Raises: domain.Refused when the scope is too wide."""
    holder = holder.model_copy(update={"roles": domain.narrowed(holder.roles, scope)})
    id = str(uuid4())
    claims = domain.claims(
        holder, issuer=settings.token_issuer, audience=settings.audience, roles_claim=settings.roles_claim,
        id=id, at=at, lifetime_s=TOKEN_LIFETIME_S,
    )  # fmt: skip
    token = await signing_keys.sign(tx, claims, pepper, at=at)
    await audit.add(tx, holder.subject, "token.issued", id, at=at, detail={"grant": grant})
    return Token(access_token=token, expires_in=TOKEN_LIFETIME_S, roles=holder.roles)


async def note_refusal(tx: AsyncSession, user: User | None, *, grant: str, at: datetime) -> None:
    """A failed sign-in to a real account is part of its history."""
    if user is not None:
        await audit.add(tx, "anonymous", "token.refused", user.id, at=at, detail={"grant": grant})
