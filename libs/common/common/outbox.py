"""What a service owes the network, written in the transaction that made it true."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from common import db, ids, trace
from common.contracts.envelope import Envelope, Fact, wrap
from common.errors import TooLarge
from common.tables import OutboxRow

INSERT = db.into(OutboxRow)
HUB = "hub"
SELF = "self"
# Feeds of platforms without a stream: numbered, never published, read over HTTP.
PULL = "pull:"
# Below the bus's limit, with room for the feed position.
MAX_BYTES = 262_144 - 1024


def row(envelope: Envelope, feed: str) -> dict[str, object]:
    text = envelope.model_dump_json(exclude={"feedseq"}, exclude_none=True)
    if len(text.encode()) > MAX_BYTES:
        # Saved but never delivered would be worse than refused.
        raise TooLarge(
            "too-large-to-share",
            zh="内容过大，无法在平台间传递；请缩短文字或属性",
            en="too large to be shared between platforms; shorten its texts or attributes",
        )
    return {
        "feed": feed,
        "message_id": envelope.id,
        "type": envelope.type,
        "entity": envelope.subject,
        "envelope": text,
    }


def envelopes(fact: Fact, node: str, at: datetime, recipient: str | None) -> list[dict[str, object]]:
    """The rows a fact owes: one to the hub, and one to ourselves when we are also the one addressed."""
    envelope = wrap(
        fact,
        id=ids.new(),
        source=node,
        at=at,
        recipient=recipient,
        causation=trace.causation.get(),
        traceparent=trace.traceparent.get(),
    )
    feeds = (HUB, SELF) if recipient == node else (HUB,)
    return [row(envelope, feed) for feed in feeds]


async def add(tx: AsyncSession, fact: Fact, *, node: str, at: datetime, recipient: str | None = None) -> None:
    """Owe a fact to the hub, which passes it to the recipient.

    A fact addressed to this very node also goes to its own consumers, so that two parties at home in
    one window deal with each other while the hub is away.
    """
    await tx.execute(INSERT, envelopes(fact, node, at, recipient))


async def forward(tx: AsyncSession, envelope: Envelope, to: str) -> None:
    """Pass a message on under its own id and source; a second time is no second row."""
    await tx.execute(upsert(OutboxRow).values(row(envelope, to)).on_conflict_do_nothing())


def stamped(envelope: str, feed_seq: int) -> bytes:
    """The bytes that go on the wire: the stored object with one member more."""
    return f'{envelope[:-1]},"feedseq":{feed_seq}}}'.encode()
