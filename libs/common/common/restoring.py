"""A node whose database was restored from an older copy begins anew: a new epoch, and all it has said again.

What it tells then is the truth, for an epoch beats every version. What it does not tell any more is
found by the comparison that follows, and ended by whoever holds it.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from common import announcements, digests, log
from common.convergence import Line, announced, take
from common.outbox import HUB
from common.tables import AnnouncementRow, MemoRow

KEY = "epoch"
AT_ONCE = 500
# Ours are the tables of records with an age; a copy has an owner, or is what we said.
_OWN = """
SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema()
GROUP BY table_name HAVING array_agg(column_name::text) @> ARRAY['id', 'epoch', 'version']
AND NOT array_agg(column_name::text) && ARRAY['owner', 'content_hash'] ORDER BY table_name
"""


async def epoch(tx: AsyncSession) -> int:
    """The epoch this node is in: what is made anew under an id it had before must be of it."""
    found = (await tx.execute(select(MemoRow.value).where(MemoRow.key == KEY))).scalar_one_or_none()
    return 1 if found is None else int(found[KEY])


async def restore(tx: AsyncSession, node: str, new: int, feed_seq: int, *, at: datetime) -> bool:
    """Take on an epoch and say everything again, above a position. Whether it had not been done.

    Emits: every announcement, DigestTaken.
    """
    # Nobody says anything meanwhile: all that is said later comes later in the feed.
    await announcements.still(tx)
    if await epoch(tx) >= new:
        return False
    memo = insert(MemoRow).values(key=KEY, value={KEY: new})
    await tx.execute(memo.on_conflict_do_update(index_elements=["key"], set_={"value": memo.excluded.value}))
    await _go_on_from(tx, feed_seq)
    for table in await own_tables(tx):
        await tx.execute(text(f"UPDATE {table} SET epoch = :new WHERE epoch < :new"), {"new": new})
    line = Line(node, HUB)
    said = 0
    while rows := await _older(tx, new):
        await _again(tx, line, rows, new, at)
        said += len(rows)
        await asyncio.sleep(0)
    await take(tx, line, announcements.LIVE, node, at=at, restored=new)
    log.get("restoring").warning("said-again", epoch=new, records=said)
    return True


async def own_tables(tx: AsyncSession) -> list[str]:
    """The tables of our records."""
    return list((await tx.execute(text(_OWN))).scalars())


async def _go_on_from(tx: AsyncSession, feed_seq: int) -> None:
    """What has a number below was sent once, or is said again now; what has none is numbered above."""
    await tx.execute(
        text(
            "INSERT INTO feeds_out (feed, last_seq, confirmed_seq) VALUES (:hub, :seq, :seq)"
            " ON CONFLICT (feed) DO UPDATE SET last_seq = greatest(feeds_out.last_seq, excluded.last_seq),"
            " confirmed_seq = excluded.confirmed_seq"
        ),
        {"hub": HUB, "seq": feed_seq},
    )
    await tx.execute(
        text("UPDATE outbox SET sent_at = now() WHERE feed = :hub AND feed_seq <= :seq AND sent_at IS NULL"),
        {"hub": HUB, "seq": feed_seq},
    )


async def _older(tx: AsyncSession, new: int) -> Sequence[AnnouncementRow]:
    # Providers before their offerings, as whoever hears them for the first time wants them.
    query = (
        select(AnnouncementRow)
        .where(AnnouncementRow.epoch < new)
        .order_by(AnnouncementRow.noun.desc(), AnnouncementRow.id)
        .limit(AT_ONCE)
    )
    return (await tx.execute(query, execution_options={"populate_existing": True})).scalars().all()


async def _again(
    tx: AsyncSession, line: Line, rows: Sequence[AnnouncementRow], new: int, at: datetime
) -> None:
    kept: list[dict[str, Any]] = [
        announcements.row(held.type, held.body | {"epoch": new}, None) | {"recipients": held.recipients}
        for held in rows
    ]
    await announcements.keep(tx, kept)
    await line.send(
        tx,
        [
            announced(_type(held), one["body"], source=line.node, at=at, recipient=recipient)
            for held, one in zip(rows, kept, strict=True)
            for recipient in held.recipients
        ],
    )


def _type(held: AnnouncementRow) -> str:
    return f"{held.noun}.announced.v1" if held.noun in digests.NOUNS else held.type
