from collections.abc import Sequence

from common import db
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.signing_keys.domain import SigningKey
from hub.signing_keys.tables import SigningKeyRow

# Any number, the same in every process of the hub: one at a time makes or retires keys.
LOCK = 0x48554223
SHOWN_RETIRED = 20


async def add(tx: AsyncSession, key: SigningKey) -> None:
    await db.add(tx, SigningKeyRow, key)


async def retire(tx: AsyncSession, key: SigningKey) -> None:
    """Its private part goes with it."""
    await tx.execute(
        update(SigningKeyRow)
        .where(SigningKeyRow.kid == key.kid)
        .values(retired_at=key.retired_at, sealed=None)
    )


async def published(tx: AsyncSession) -> Sequence[SigningKey]:
    rows = await tx.execute(
        select(SigningKeyRow).where(SigningKeyRow.retired_at.is_(None)).order_by(SigningKeyRow.signs_from)
    )
    return [db.value(row, SigningKey) for row in rows.scalars()]


async def recent(tx: AsyncSession) -> Sequence[SigningKey]:
    """All that are published and the last retired, newest first."""
    rows = await tx.execute(
        select(SigningKeyRow).order_by(SigningKeyRow.published_at.desc()).limit(SHOWN_RETIRED)
    )
    return [db.value(row, SigningKey) for row in rows.scalars()]


async def alone(tx: AsyncSession) -> None:
    """Wait until no other transaction changes the keys, and keep others out until the commit."""
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
