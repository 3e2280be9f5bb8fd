from collections.abc import Sequence

from common import convergence, db, drift
from common.digests import Digest, Record
from common.tables import DifferenceRow, DriftRow
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.drift.domain import Comparison, Difference

HELD = drift.copies("hub", "catalogue_offerings", "catalogue_providers")
SHOWN = 200


async def comparisons(tx: AsyncSession, node: str | None = None) -> Sequence[Comparison]:
    """All, or those a node has a part in."""
    query = select(DriftRow).order_by(DriftRow.owner, DriftRow.observer)
    if node is not None:
        query = query.where(or_(DriftRow.owner == node, DriftRow.observer == node))
    return [db.value(row, Comparison) for row in (await tx.execute(query)).scalars()]


async def differences(tx: AsyncSession, owner: str) -> Sequence[Difference]:
    """What differs between an owner's records and the copies here; the first of them."""
    query = select(DifferenceRow).where(DifferenceRow.owner == owner).order_by(DifferenceRow.id).limit(SHOWN)
    return [db.value(row, Difference) for row in (await tx.execute(query)).scalars()]


async def digest(tx: AsyncSession, owner: str) -> Digest:
    """The digest of our copies of an owner's records."""
    return await convergence.digest(tx, HELD.live, owner)


async def records(tx: AsyncSession, owner: str, bucket: int) -> Sequence[Record]:
    return await convergence.records(tx, HELD.live, owner, [bucket])
