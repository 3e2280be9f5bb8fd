from collections.abc import Sequence
from typing import Any

from common import db
from common.tables import OutboxRow
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import ON_THE_WAY, Member
from hub.members.tables import MemberRow


async def get(tx: AsyncSession, id: str, *, lock: bool = False) -> Member | None:
    return await db.one(tx, select(MemberRow).where(MemberRow.id == id), Member, lock=lock)


async def everything(tx: AsyncSession) -> list[Member]:
    rows = (await tx.execute(select(MemberRow).order_by(MemberRow.created_at, MemberRow.id))).scalars()
    return [db.value(row, Member) for row in rows]


async def enrol(tx: AsyncSession, members: Sequence[Member]) -> None:
    """Keep whoever is not known yet; two hubs may do so at once."""
    values: list[dict[str, Any]] = [db.columns(MemberRow, member) for member in members]
    if values:
        await tx.execute(insert(MemberRow).values(values).on_conflict_do_nothing())


async def add(tx: AsyncSession, member: Member) -> bool:
    """Whether it was new."""
    statement = insert(MemberRow).values(db.columns(MemberRow, member)).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(MemberRow.id))).first() is not None


async def save(tx: AsyncSession, member: Member) -> None:
    await db.save(tx, MemberRow, member)


async def on_the_way(tx: AsyncSession, subject: str) -> int:
    """How many platforms somebody has not yet brought in."""
    query = select(func.count()).where(MemberRow.subject == subject, MemberRow.state.in_(ON_THE_WAY))
    return (await tx.execute(query)).scalar_one()


async def drop_feed(tx: AsyncSession, feed: str) -> None:
    """Nobody will read it any more."""
    await tx.execute(delete(OutboxRow).where(OutboxRow.feed == feed))
