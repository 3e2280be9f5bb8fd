"""What a service hears: each message has its effect once, in one transaction, or is parked.

Messages that come together share the transaction. A refusal by the domain and a message that cannot be
read become dead letters at once; anything unforeseen is tried again and parked after `QUARANTINE_AFTER`
attempts. One bad message never holds the others.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from common import db, ids, log
from common.contracts.envelope import Envelope
from common.errors import Refusal, Stale, Unavailable
from common.messages import (
    MAX_BYTES,
    Message,
    Raw,
    Unreadable,
    Verdict,
    caused_by,
    key_of,
    printable,
    read,
    sequence_of,
)
from common.tables import DeadLetterRow, FailureRow, FeedInRow

QUARANTINE_AFTER = 20
MAX_AHEAD = 10_000

Handler = Callable[[AsyncSession, Message], Awaitable[None]]


@dataclass(frozen=True)
class Many:
    """A handler that takes all new messages at hand, in order; `caused_by` is for it to say."""

    handle: Callable[[AsyncSession, Sequence[Message]], Awaitable[None]]


# (pattern, handler): a full type, "<noun>.*" or "*". All that fit are called, in order.
Routes = Sequence[tuple[str, Handler | Many]]
Handlers = tuple[Handler | Many, ...]
# In order of the ids: two that take overlapping batches wait for each other instead of failing.
_FIRST = text(
    "INSERT INTO inbox (message_id) SELECT id FROM unnest(CAST(:ids AS uuid[])) id ON CONFLICT DO NOTHING"
    " RETURNING message_id"
)

_NEXT = text(
    "UPDATE feeds_in SET applied_seq = :last WHERE source = :source AND applied_seq = :before AND ahead = '{}'"
    " RETURNING 1"
)


async def first_times(tx: AsyncSession, messages: Sequence[Message]) -> list[Message]:
    """Those that have had no effect here yet, each once; from now on they have."""
    first = {message.envelope.id: message for message in reversed(messages)}
    new = set((await tx.execute(_FIRST, {"ids": sorted(first)})).scalars())
    return [one for one in messages if one.envelope.id in new and first[one.envelope.id] is one]


async def advance(tx: AsyncSession, source: str, sequences: Sequence[int]) -> None:
    """Note feed positions as applied; the gapless prefix is what a receipt confirms."""
    if not sequences or await _follow_on(tx, source, sequences):
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


async def _follow_on(tx: AsyncSession, source: str, sequences: Sequence[int]) -> bool:
    """The usual case in one statement: these are the next ones, and nothing waits ahead of a gap."""
    first, last = sequences[0], sequences[-1]
    if last - first + 1 != len(sequences) or [*sequences] != [*range(first, last + 1)]:
        return False
    moved = await tx.execute(_NEXT, {"source": source, "before": first - 1, "last": last})
    return moved.first() is not None


@dataclass(frozen=True)
class _Heard:
    """One that could be read."""

    raw: Raw
    message: Message


class Inbox:
    """Gives messages to the handlers of a service."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], routes: Routes, feed: Callable[[str], str]
    ):
        self._sessions, self._routes, self._feed = sessions, routes, feed
        self._log = log.get("inbox")

    def _handlers(self, envelope: Envelope) -> Handlers:
        fitting = (envelope.type, f"{envelope.noun}.*", "*")
        return tuple(handler for pattern, handler in self._routes if pattern in fitting)

    def _runs(self, messages: Sequence[Message]) -> Iterator[tuple[Handlers, list[Message]]]:
        """Neighbours that have the same handlers, together; the order stays."""
        for handlers, run in groupby(messages, lambda message: self._handlers(message.envelope)):
            yield handlers, list(run)

    async def _handle(self, tx: AsyncSession, messages: Sequence[Message]) -> None:
        for handlers, run in self._runs(await first_times(tx, messages)):
            if any(isinstance(handler, Many) for handler in handlers):
                for handler in handlers:
                    await _give(tx, (handler,), run)
            else:
                for message in run:
                    await _give(tx, handlers, (message,))

    async def deliver(self, batch: Sequence[Raw]) -> list[Verdict]:
        """Handle messages of one sender, in order: together if all goes well, else in ever smaller parts.

        Raises: Unavailable when the database is away; what has happened then will not happen again.
        """
        verdicts: dict[int, Verdict] = {}
        heard: dict[int, _Heard] = {}
        for number, raw in enumerate(batch):
            try:
                heard[number] = _Heard(raw, read(raw))
            except Unreadable as error:
                verdicts[number] = await self._park(raw, error.reason, error.detail)
        verdicts |= zip(heard, await self._together([*heard.values()]), strict=True)
        return [verdicts[number] for number in range(len(batch))]

    async def _together(self, heard: Sequence[_Heard]) -> list[Verdict]:
        """In one transaction; when that fails, each half for itself, down to the one that is to blame."""
        if not heard:
            return []
        try:
            async with db.begin(self._sessions) as tx:
                await self._handle(tx, [one.message for one in heard])
                sequences = [s for one in heard if (s := one.message.envelope.feedseq) is not None]
                await advance(tx, self._feed(heard[0].raw.sender), sequences)
            return [Verdict.DONE] * len(heard)
        except Unavailable:
            raise
        except Exception as error:
            if len(heard) == 1:
                return [await self._settle(heard[0].raw, error)]
        middle = len(heard) // 2
        return [*await self._together(heard[:middle]), *await self._together(heard[middle:])]

    async def _settle(self, raw: Raw, error: Exception) -> Verdict:
        """What becomes of a message that had no effect because of an error of its own."""
        if isinstance(error, Stale):
            return Verdict.AGAIN  # somebody else changed the row meanwhile; the next try sees their version
        if isinstance(error, Refusal):
            return await self._park(raw, error.code, f"{error.en} ({error.field or '-'})")
        self._log.error("message-failed", key=raw.key, exc_info=error)
        return await self._failed(raw, error)

    async def _park(self, raw: Raw, reason: str, detail: str) -> Verdict:
        """Keep the message whole, and count it as applied: the feed goes on behind it."""
        self._log.warning("message-parked", key=raw.key, sender=raw.sender, reason=reason, detail=detail)
        async with db.begin(self._sessions) as tx:
            key = key_of(raw)
            await tx.execute(
                insert(DeadLetterRow)
                .values(
                    id=ids.new(), source=raw.sender, message_key=key, reason=reason,
                    detail=printable(detail[:2000]), payload=raw.data[:MAX_BYTES],
                )
                .on_conflict_do_nothing()
            )  # fmt: skip
            await tx.execute(delete(FailureRow).where(FailureRow.message_key == key))
            sequence = sequence_of(raw.data)
            await advance(tx, self._feed(raw.sender), [] if sequence is None else [sequence])
        return Verdict.PARKED

    async def _failed(self, raw: Raw, error: Exception) -> Verdict:
        said = printable(repr(error)[:500])
        async with db.begin(self._sessions) as tx:
            attempts = (
                await tx.execute(
                    insert(FailureRow)
                    .values(message_key=key_of(raw), attempts=1, last_error=said)
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


async def _give(tx: AsyncSession, handlers: Handlers, run: Sequence[Message]) -> None:
    for handler in handlers:
        if isinstance(handler, Many):
            await handler.handle(tx, run)
            continue
        for message in run:
            with caused_by(message):
                await handler(tx, message)


__all__ = [
    "MAX_BYTES", "QUARANTINE_AFTER", "Handler", "Inbox", "Many", "Message", "Raw", "Routes", "Verdict",
    "caused_by",
]  # fmt: skip
