"""Machines: registered, revoked, and proved by their secret."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from common import audit, ids
from common.auth import Principal
from common.errors import absent
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.clients import domain, repository
from hub.clients.domain import Client, Role
from hub.users.domain import check_home

SECRET_BYTES = 32


async def register(
    tx: AsyncSession, who: Principal, *, name: str, roles: tuple[Role, ...], home: str | None,
    network: Topology, pepper: bytes, at: datetime,
) -> tuple[Client, str]:  # fmt: skip
    """The client, and its secret, which is not kept.

    Raises: Invalid.
    """
    check_home(roles, home, network)
    id = ids.new()
    client_id, secret = f"c-{id.hex[-16:]}", secrets.token_urlsafe(SECRET_BYTES)
    client = Client(
        id=id, client_id=client_id, name=name, roles=tuple(dict.fromkeys(roles)), home=home, created_at=at,
        created_by=who.subject, secret_hmac=domain.digest(pepper, domain.label(client_id), secret),
    )  # fmt: skip
    await repository.add(tx, client)
    await audit.add(tx, who.subject, "client.registered", id, at=at, detail={"roles": list(client.roles)})
    return client, secret


async def revoke(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Client:
    client = await repository.get(tx, who, id, lock=True)
    if client is None:
        raise absent("客户端", "client")
    revoked = domain.revoke(client, at)
    await repository.save(tx, revoked)
    await audit.add(tx, who.subject, "client.revoked", id, at=at, detail={})
    return revoked


async def rotate(
    tx: AsyncSession, who: Principal, *, home: str, overlap: timedelta, pepper: bytes, at: datetime
) -> tuple[Client, str]:
    """A new key for a platform, and its secret, which is not kept. The old ones work on for the overlap."""
    await end(tx, who, home, at=at, until=at + overlap)
    id = ids.new()
    client_id, secret = f"c-{id.hex[-16:]}", secrets.token_urlsafe(SECRET_BYTES)
    client = Client(
        id=id, client_id=client_id, name=home, roles=("platform",), home=home, created_at=at,
        created_by=who.subject, secret_hmac=domain.digest(pepper, domain.label(client_id), secret),
    )  # fmt: skip
    await repository.add(tx, client)
    await audit.add(
        tx, who.subject, "client.registered", id, at=at, detail={"roles": ["platform"], "home": home}
    )
    return client, secret


async def end(tx: AsyncSession, who: Principal, home: str, *, at: datetime, until: datetime) -> None:
    """The keys of a platform end then."""
    for client in await repository.of_platform(tx, home):
        if (ending := domain.outlived(client, until)) is not None:
            await repository.save(tx, ending)
            await audit.add(
                tx, who.subject, "client.ending", client.id, at=at, detail={"expires_at": until.isoformat()}
            )


async def proved(tx: AsyncSession, client_id: str, secret: str, pepper: bytes, at: datetime) -> Client | None:
    """The client whose secret this is, unless revoked or expired."""
    client = await repository.by_client_id(tx, client_id)
    right = domain.matches(pepper, domain.label(client_id), secret, client.secret_hmac if client else None)
    return client if right and client is not None and client.alive(at) else None


async def keep(
    tx: AsyncSession, who: Principal, *, client_id: str, secret: str, role: Role, pepper: bytes, at: datetime
) -> None:
    """Make the client with this very secret, or give it this secret: what the file says, holds."""
    stored = domain.digest(pepper, domain.label(client_id), secret)
    found = await repository.by_client_id(tx, client_id)
    if found is None:
        client = Client(
            id=ids.derived("client", client_id), client_id=client_id, name=client_id, secret_hmac=stored,
            roles=(role,), created_at=at, created_by=who.subject,
        )  # fmt: skip
        await repository.add(tx, client)
        await audit.add(tx, who.subject, "client.registered", client.id, at=at, detail={"roles": [role]})
    elif found.secret_hmac != stored:
        await repository.save(
            tx, found.model_copy(update={"secret_hmac": stored, "version": found.version + 1})
        )
        await audit.add(tx, who.subject, "client.secret-changed", found.id, at=at, detail={})
