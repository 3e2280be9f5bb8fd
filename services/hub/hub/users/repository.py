from collections.abc import Sequence
from uuid import UUID

from common import db
from common.auth import Principal
from sqlalchemy import false, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from hub.users.domain import User
from hub.users.tables import UserRow


async def add(tx: AsyncSession, user: User) -> bool:
    """Whether the username was free."""
    result = await tx.execute(
        upsert(UserRow)
        .values(db.columns(UserRow, user))
        .on_conflict_do_nothing(index_elements=["username_key"])
        .returning(UserRow.id)
    )
    return result.first() is not None


async def save(tx: AsyncSession, user: User) -> None:
    await db.save(tx, UserRow, user)


async def by_key(tx: AsyncSession, username_key: str) -> User | None:
    """For signing in, before there is a caller."""
    return await db.one(tx, select(UserRow).where(UserRow.username_key == username_key), User)


async def by_subject(tx: AsyncSession, subject: UUID) -> User | None:
    """For signing in with a key of theirs."""
    return await db.one(tx, select(UserRow).where(UserRow.id == subject), User)


async def any_operator(tx: AsyncSession) -> bool:
    found = await tx.execute(select(UserRow.id).where(UserRow.roles.contains(["operator"])).limit(1))
    return found.first() is not None


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> User | None:
    """Oneself, or anybody for an operator."""
    if "operator" not in who.roles and str(id) != who.subject:
        return None
    return await db.one(tx, select(UserRow).where(UserRow.id == id), User, lock=lock)


async def myself(tx: AsyncSession, who: Principal) -> User | None:
    """The person behind the caller's token; None for a machine."""
    try:
        return await by_subject(tx, UUID(who.subject))
    except ValueError:
        return None


async def page(
    tx: AsyncSession, who: Principal, *, after: UUID | None, limit: int
) -> tuple[Sequence[User], UUID | None]:
    """Everybody for an operator, else nobody."""
    query = select(UserRow) if "operator" in who.roles else select(UserRow).where(false())
    return await db.page(tx, query, UserRow.id, User, after=after, limit=limit)
