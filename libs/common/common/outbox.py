"""What a service owes the network, written in the transaction that made it true."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from common import ids, trace
from common.contracts.envelope import Envelope, Fact, wrap
from common.errors import TooLarge

HUB = "hub"
SELF = "self"
# Feeds of platforms without a stream: numbered, never published, read over HTTP.
PULL = "pull:"
# Below the bus's limit, with room for the feed position.
MAX_BYTES = 262_144 - 1024


_COLUMNS = {"feed": "text", "message_id": "uuid", "type": "text", "entity": "uuid", "envelope": "text"}
# One array a column: the texts go to the database as they are.
_INSERT = (
    f"INSERT INTO outbox ({', '.join(_COLUMNS)}) SELECT * FROM unnest("
    + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _COLUMNS.items())
    + ")"
)
_OWE, _PASS_ON = text(_INSERT), text(f"{_INSERT} ON CONFLICT DO NOTHING")


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
    await add_all(tx, (fact,), node=node, at=at, recipient=recipient)


async def add_all(
    tx: AsyncSession, facts: Iterable[Fact], *, node: str, at: datetime, recipient: str | None = None
) -> None:
    """Owe several facts, in order."""
    await owe(tx, [one for fact in facts for one in envelopes(fact, node, at, recipient)])


async def owe(tx: AsyncSession, rows: Sequence[dict[str, object]]) -> None:
    """Owe rows as `row` makes them, in order."""
    if rows:
        await tx.execute(_OWE, _columns(rows))


async def forward(tx: AsyncSession, envelope: Envelope, to: str) -> None:
    """Pass a message on under its own id and source; a second time is no second row."""
    await forward_all(tx, [(envelope, to)])


async def forward_all(tx: AsyncSession, messages: Iterable[tuple[Envelope, str]]) -> None:
    """Pass many on, in order."""
    rows = [row(envelope, to) for envelope, to in messages]
    if rows:
        await tx.execute(_PASS_ON, _columns(rows))


def _columns(rows: Sequence[dict[str, object]]) -> dict[str, Any]:
    return {name: [one[name] for one in rows] for name in _COLUMNS}


def stamped(envelope: str, feed_seq: int) -> bytes:
    """The bytes that go on the wire: the stored object with one member more."""
    return f'{envelope[:-1]},"feedseq":{feed_seq}}}'.encode()
