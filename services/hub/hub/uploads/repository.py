from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.uploads.tables import PartRow


async def add(tx: AsyncSession, batch: UUID, part: int, data: bytes) -> None:
    await tx.execute(PartRow.__table__.insert(), {"batch": batch, "part": part, "data": data})  # pyright: ignore[reportAttributeAccessIssue]


async def parts(tx: AsyncSession, batch: UUID) -> AsyncIterator[bytes]:
    """The file, piece by piece, as far as it is there."""
    number = 0
    while (data := await _part(tx, batch, number)) is not None:
        yield data
        number += 1


async def _part(tx: AsyncSession, batch: UUID, number: int) -> bytes | None:
    query = select(PartRow.data).where(PartRow.batch == batch, PartRow.part == number)
    return (await tx.execute(query)).scalar_one_or_none()
