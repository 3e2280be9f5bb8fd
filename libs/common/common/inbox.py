"""What a service hears: each message has its effect once, in one transaction, or is parked.

A refusal by the domain and a message that cannot be read become dead letters at once; anything
unforeseen is tried again and parked after `QUARANTINE_AFTER` attempts. One bad message never holds
the others.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from common import db, ids, log, trace
from common.contracts.envelope import FACTS, Envelope, Fact
from common.errors import Refusal, Stale, Unavailable
from common.fields import INT64
from common.tables import DeadLetterRow, FailureRow, FeedInRow, InboxRow

QUARANTINE_AFTER = 20
MAX_BYTES = 262_144
MAX_AHEAD = 10_000
MAX_KEY = 200
MAX_DEPTH = 64
# Escapes of NUL and surrogates, and numbers that may be beyond 64 bits: what calls for a closer look.
_SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|[0-9]{19}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Message:
    """Something heard: its envelope and the fact inside."""

    envelope: Envelope
    fact: Fact


Handler = Callable[[AsyncSession, Message], Awaitable[None]]
# (pattern, handler): a full type, "<noun>.*" or "*". All that fit are called, in order.
Routes = Sequence[tuple[str, Handler]]


class Verdict(StrEnum):
    """What the bus should do with a message now."""

    DONE = "done"
    PARKED = "parked"
    AGAIN = "again"


class Unreadable(Exception):
    """A message nobody can handle."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Raw:
    """A message as it came. `sender` is who the bus proves it is from, `trusted` to forward for others."""

    data: bytes
    sender: str
    key: str
    trusted: bool = False


def read(raw: Raw) -> Message:
    """Parse a message.

    Raises: Unreadable naming what is wrong.
    """
    if len(raw.data) > MAX_BYTES:
        raise Unreadable("too-large", f"{len(raw.data)} bytes, at most {MAX_BYTES}")
    try:
        # As text: JSON on the bus is UTF-8, and NaN is no JSON.
        document = json.loads(raw.data.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not-json", type(error).__name__) from None
    if _SUSPECT.search(raw.data) or raw.data.count(b"[") + raw.data.count(b"{") > MAX_DEPTH:
        _storable(document)
    try:
        envelope = Envelope.model_validate(document)
    except ValidationError as error:
        raise Unreadable("bad-envelope", _what(error)) from None
    if not raw.trusted and envelope.source != raw.sender:
        raise Unreadable("foreign-source", f"{raw.sender} speaks as {envelope.source}")
    contract = FACTS.get(envelope.type)
    if contract is None:
        raise Unreadable("unknown-type", envelope.type[:100])
    try:
        fact = contract.model_validate(envelope.data)
    except ValidationError as error:
        raise Unreadable("bad-data", _what(error)) from None
    if (fact.id, fact.epoch, fact.version) != (
        envelope.subject,
        envelope.entityepoch,
        envelope.entityversion,
    ):
        raise Unreadable("bad-data", "id, epoch or version differ between envelope and data")
    return Message(envelope, fact)


def _no_number(name: str) -> float:
    raise ValueError(name)


def _storable(value: Any, depth: int = 0) -> None:
    """Raises: Unreadable for what no database takes: a contract may let it through, a column will not."""
    if depth > MAX_DEPTH:
        raise Unreadable("bad-data", f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name, item in value.items():
            _storable(name, depth)
            _storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _storable(item, depth + 1)
    elif isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise Unreadable("bad-data", "a text holds a NUL or a lone surrogate")
    elif isinstance(value, int) and abs(value) > INT64:
        raise Unreadable("bad-data", "a number is beyond 64 bits")


def _printable(text: str) -> str:
    """A text of the sender's making, for a column and for the eyes of operators."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _key(raw: Raw) -> str:
    """The message's key as an index takes it."""
    key = _printable(raw.key)
    return key if len(key) <= MAX_KEY else hashlib.sha256(key.encode()).hexdigest()


def _what(error: ValidationError) -> str:
    """Where and which rule; never the value, which may be personal."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)[:5]
    )


async def first_time(tx: AsyncSession, message_id: UUID) -> bool:
    """Whether this message has had no effect here yet; from now on it has."""
    result = await tx.execute(
        insert(InboxRow).values(message_id=message_id).on_conflict_do_nothing().returning(InboxRow.message_id)
    )
    return result.first() is not None


async def advance(tx: AsyncSession, source: str, sequences: Sequence[int]) -> None:
    """Note feed positions as applied; the gapless prefix is what a receipt confirms."""
    if not sequences:
        return
    await tx.execute(
        insert(FeedInRow).values(source=source, applied_seq=0, ahead=[]).on_conflict_do_nothing()
    )
    row = (
        await tx.execute(select(FeedInRow).where(FeedInRow.source == source).with_for_update())
    ).scalar_one()
    ahead = {s for s in (*row.ahead, *sequences) if s > row.applied_seq}
    applied = row.applied_seq
    while applied + 1 in ahead:
        applied += 1
        ahead.discard(applied)
    row.applied_seq, row.ahead = applied, sorted(ahead)[:MAX_AHEAD]
    await tx.flush()


class Inbox:
    """Gives messages to the handlers of a service."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], routes: Routes, feed: Callable[[str], str]
    ):
        self._sessions, self._routes, self._feed = sessions, routes, feed
        self._log = log.get("inbox")

    def _handlers(self, envelope: Envelope) -> list[Handler]:
        fitting = (envelope.type, f"{envelope.noun}.*", "*")
        return [handler for pattern, handler in self._routes if pattern in fitting]

    async def _handle(self, tx: AsyncSession, message: Message) -> None:
        if not await first_time(tx, message.envelope.id):
            return
        cause = trace.causation.set(message.envelope.id)
        parent = trace.traceparent.set(message.envelope.traceparent)
        try:
            for handler in self._handlers(message.envelope):
                await handler(tx, message)
        finally:
            trace.causation.reset(cause)
            trace.traceparent.reset(parent)

    async def deliver(self, batch: Sequence[Raw]) -> list[Verdict]:
        """Handle messages of one sender, in order: together if all goes well, else one by one.

        Raises: Unavailable when the database is away; nothing has happened then.
        """
        try:
            async with db.begin(self._sessions) as tx:
                sequences: list[int] = []
                for raw in batch:
                    message = read(raw)
                    await self._handle(tx, message)
                    if message.envelope.feedseq is not None:
                        sequences.append(message.envelope.feedseq)
                await advance(tx, self._feed(batch[0].sender), sequences)
            return [Verdict.DONE] * len(batch)
        except Unavailable:
            raise
        except Exception:
            return [await self._deliver_one(raw) for raw in batch]

    async def _deliver_one(self, raw: Raw) -> Verdict:
        try:
            async with db.begin(self._sessions) as tx:
                message = read(raw)
                await self._handle(tx, message)
                if message.envelope.feedseq is not None:
                    await advance(tx, self._feed(raw.sender), [message.envelope.feedseq])
            return Verdict.DONE
        except Unreadable as error:
            return await self._park(raw, error.reason, error.detail)
        except Unavailable:
            raise
        except Stale:
            return Verdict.AGAIN  # somebody else changed the row meanwhile; the next try sees their version
        except Refusal as error:
            return await self._park(raw, error.code, f"{error.en} ({error.field or '-'})")
        except Exception as error:
            self._log.exception("message-failed", key=raw.key)
            return await self._failed(raw, error)

    async def _park(self, raw: Raw, reason: str, detail: str) -> Verdict:
        """Keep the message whole, and count it as applied: the feed goes on behind it."""
        self._log.warning("message-parked", key=raw.key, sender=raw.sender, reason=reason, detail=detail)
        async with db.begin(self._sessions) as tx:
            await tx.execute(
                insert(DeadLetterRow)
                .values(
                    id=ids.new(), source=raw.sender, message_key=_key(raw), reason=reason,
                    detail=_printable(detail[:2000]), payload=raw.data[:MAX_BYTES],
                )
                .on_conflict_do_nothing()
            )  # fmt: skip
            await tx.execute(delete(FailureRow).where(FailureRow.message_key == _key(raw)))
            sequence = _sequence(raw.data)
            await advance(tx, self._feed(raw.sender), [] if sequence is None else [sequence])
        return Verdict.PARKED

    async def _failed(self, raw: Raw, error: Exception) -> Verdict:
        said = _printable(repr(error)[:500])
        async with db.begin(self._sessions) as tx:
            attempts = (
                await tx.execute(
                    insert(FailureRow)
                    .values(message_key=_key(raw), attempts=1, last_error=said)
                    .on_conflict_do_update(
                        index_elements=["message_key"],
                        set_={
                            "attempts": FailureRow.attempts + 1,
                            "last_error": said,
                            "last_at": func.now(),
                        },
                    )
                    .returning(FailureRow.attempts)
                )
            ).scalar_one()
        if attempts < QUARANTINE_AFTER:
            return Verdict.AGAIN
        return await self._park(raw, "quarantined", f"failed {attempts} times, last: {error!r}")


def _sequence(data: bytes) -> int | None:
    """The feed position of a message that may be unreadable otherwise."""
    try:
        found: Any = json.loads(data)["feedseq"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, int) and 0 < found < 2**62 else None
