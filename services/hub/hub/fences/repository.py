from collections.abc import Iterable, Sequence

from common import db
from common.tables import DeadLetterRow, FeedInRow, FeedOutRow
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hub.fences.domain import Position, Restoration
from hub.fences.tables import PositionRow, RestorationRow


async def positions(
    tx: AsyncSession, nodes: Iterable[str] | None = None, *, lock: bool = False
) -> dict[str, Position]:
    """Of these nodes, or of all that were ever seen."""
    query = select(PositionRow).order_by(PositionRow.node)
    if nodes is not None:
        query = query.where(PositionRow.node.in_(list(nodes)))
    rows = (await tx.execute(query.with_for_update() if lock else query)).scalars()
    return {row.node: db.value(row, Position) for row in rows}


async def keep(tx: AsyncSession, position: Position) -> None:
    values = db.columns(PositionRow, position)
    await tx.execute(
        insert(PositionRow).values(values).on_conflict_do_update(index_elements=["node"], set_=values)
    )


async def applied(tx: AsyncSession) -> dict[str, int]:
    rows = (await tx.execute(select(FeedInRow.source, FeedInRow.applied_seq))).all()
    return dict(rows)


async def furthest(tx: AsyncSession, node: str) -> int:
    """The last position of a node's feed that came here, gaps or not."""
    row = (
        await tx.execute(select(FeedInRow).where(FeedInRow.source == node).with_for_update())
    ).scalar_one_or_none()
    return 0 if row is None else max([row.applied_seq, *row.ahead])


async def go_on_from(tx: AsyncSession, node: str, feed_seq: int) -> None:
    """Take a node's feed as applied up to here: what is missing below will never come."""
    values = {"source": node, "applied_seq": feed_seq, "ahead": []}
    await tx.execute(
        insert(FeedInRow).values(values).on_conflict_do_update(index_elements=["source"], set_=values)
    )


async def told(tx: AsyncSession, feed: str) -> tuple[int, int]:
    """How far our feed to a node is numbered, and confirmed."""
    query = select(FeedOutRow.last_seq, FeedOutRow.confirmed_seq).where(FeedOutRow.feed == feed)
    row = (await tx.execute(query)).first()
    return (row[0], row[1]) if row is not None else (0, 0)


async def parked(tx: AsyncSession, node: str, message_id: str) -> bool:
    """Whether a message was parked before: it has its position, and comes again when it is sent again."""
    found = func.position(func.convert_to(message_id, "UTF8").op("IN")(DeadLetterRow.payload))
    query = select(DeadLetterRow.id).where(DeadLetterRow.source == node, found > 0).limit(1)
    return (await tx.execute(query)).first() is not None


async def add(tx: AsyncSession, restoration: Restoration) -> None:
    await tx.execute(insert(RestorationRow).values(db.columns(RestorationRow, restoration)))


async def save(tx: AsyncSession, restoration: Restoration) -> None:
    row = RestorationRow
    await tx.execute(
        update(row)
        .where(row.node == restoration.node, row.epoch == restoration.epoch)
        .values(db.columns(row, restoration))
    )


async def last(tx: AsyncSession, node: str) -> Restoration | None:
    query = select(RestorationRow).where(RestorationRow.node == node).order_by(RestorationRow.epoch.desc())
    row = (
        await tx.execute(query.limit(1), execution_options={"populate_existing": True})
    ).scalar_one_or_none()
    return None if row is None else db.value(row, Restoration)


async def of_node(tx: AsyncSession, node: str) -> Sequence[Restoration]:
    query = select(RestorationRow).where(RestorationRow.node == node).order_by(RestorationRow.epoch.desc())
    return [db.value(row, Restoration) for row in (await tx.execute(query)).scalars()]


async def ordered(tx: AsyncSession) -> dict[str, Restoration]:
    """Those not yet taken."""
    query = select(RestorationRow).where(RestorationRow.state == "ordered").order_by(RestorationRow.epoch)
    return {row.node: db.value(row, Restoration) for row in (await tx.execute(query)).scalars()}
