from collections.abc import Sequence
from uuid import UUID

from common import db
from common.auth import Principal
from sqlalchemy import false, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.clients.domain import Client
from hub.clients.tables import ClientRow


async def add(tx: AsyncSession, client: Client) -> None:
    await db.add(tx, ClientRow, client)


async def save(tx: AsyncSession, client: Client) -> None:
    await db.save(tx, ClientRow, client)


async def by_client_id(tx: AsyncSession, client_id: str) -> Client | None:
    """For signing in, before there is a caller."""
    return await db.one(tx, select(ClientRow).where(ClientRow.client_id == client_id), Client)


async def of_platform(tx: AsyncSession, home: str) -> Sequence[Client]:
    """The keys of a platform that are not revoked, locked."""
    query = select(ClientRow).where(
        ClientRow.home == home, ClientRow.roles.contains(["platform"]), ClientRow.revoked_at.is_(None)
    )
    rows = (await tx.execute(query.order_by(ClientRow.id).with_for_update())).scalars()
    return [db.value(row, Client) for row in rows]


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Client | None:
    if "operator" not in who.roles:
        return None
    return await db.one(tx, select(ClientRow).where(ClientRow.id == id), Client, lock=lock)


async def page(
    tx: AsyncSession, who: Principal, *, after: UUID | None, limit: int
) -> tuple[Sequence[Client], UUID | None]:
    query = select(ClientRow) if "operator" in who.roles else select(ClientRow).where(false())
    return await db.page(tx, query, ClientRow.id, Client, after=after, limit=limit)
