"""What this platform says of its own providers and offerings, in the order of commits."""

from common import feeds
from common.feeds import Changes, Position, Source
from sqlalchemy.ext.asyncio import AsyncSession

# A record is changed and said in one transaction: the order is its row's, the words are what was said.
SOURCES = tuple(
    Source(
        noun,
        "SELECT r.changed_xid, a.id, a.epoch, a.version, a.deleted, a.content_hash, a.body"
        f" FROM {table} r JOIN announcements a ON a.noun = '{noun}' AND a.id = r.id WHERE $1::text IS NOT NULL",
    )
    for noun, table in (("provider", "providers"), ("offering", "offerings"))
)


async def changes(tx: AsyncSession, node: str, after: Position, limit: int) -> Changes:
    return await feeds.page(tx, SOURCES, node, after, limit)
