from collections.abc import Sequence
from uuid import UUID

from common.outbox import stamped
from common.tables import DeadLetterRow, FeedOutRow, OutboxRow
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession


async def confirmed(tx: AsyncSession, feed: str) -> int:
    """How far the reader of a feed has confirmed it."""
    found = await tx.execute(select(FeedOutRow.confirmed_seq).where(FeedOutRow.feed == feed))
    return found.scalar_one_or_none() or 0


async def behind(tx: AsyncSession, feed: str, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
    """Messages of a feed behind a position, in order."""
    rows = await tx.execute(
        select(OutboxRow.feed_seq, OutboxRow.envelope)
        .where(OutboxRow.feed == feed, OutboxRow.feed_seq > after)
        .order_by(OutboxRow.feed_seq)
        .limit(limit)
    )
    return [(seq, stamped(envelope, seq)) for seq, envelope in rows.all() if seq is not None]


async def positions(tx: AsyncSession, feed: str, ids: Sequence[UUID]) -> list[tuple[int, UUID]]:
    """Where messages are in a feed, in order; those not numbered yet are left out."""
    rows = await tx.execute(
        select(OutboxRow.feed_seq, OutboxRow.message_id)
        .where(OutboxRow.feed == feed, OutboxRow.message_id.in_(ids), OutboxRow.feed_seq.is_not(None))
        .order_by(OutboxRow.feed_seq)
    )
    return [(seq, id) for seq, id in rows.all() if seq is not None]


async def refusals(tx: AsyncSession, node: str, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Why messages of a node were parked: reason and detail by key."""
    rows = await tx.execute(
        select(DeadLetterRow.message_key, DeadLetterRow.reason, DeadLetterRow.detail).where(
            DeadLetterRow.message_key.in_(keys), DeadLetterRow.source == node
        )
    )
    return {key: (reason, detail) for key, reason, detail in rows.all()}
