"""A node tells the hub that it lives, and hears how far its feed has been applied.

The exchange is a request that nothing stores: the answer is the receipt. It is cumulative, so a lost
one costs nothing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncpg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from common import log
from common.bus import Bus
from common.clock import Clock
from common.contracts.envelope import Contract
from common.errors import Unavailable
from common.fields import Moment, NodeId, Version
from common.outbox import HUB, PULL
from common.sequencer import AGAIN, WAKE_CHANNEL
from common.settings import Settings

SOON_S = 1.0
BEAT_S = 2.0
TIDY_S = 60.0


class Beat(Contract):
    """What a node says of itself.

    Shape: `applied_seq` is the receipt for the hub's feed to it; `confirmed_seq` the furthest receipt it has
    had from the hub.
    """

    node: NodeId
    epoch: Version
    sent_at: Moment
    feed_seq: int
    applied_seq: int
    confirmed_seq: int = 0
    unsent: int
    unconfirmed: int
    dead_letters: int
    release: str


class Restore(Contract):
    """An order to begin anew: take on the epoch, number above the position, say everything again."""

    epoch: Version
    feed_seq: int


class Receipt(Contract):
    """What the hub answers: how far it has applied the node's feed, and its own clock.

    Shape: `fenced` says why nothing of the node is applied: its epoch or its feed went back (epoch, feed,
    message), or it is to begin anew (restoration). `again_after`: the hub lost what it had confirmed; send all
    above this position again.
    """

    applied_seq: int
    at: Moment
    fenced: str | None = None
    restore: Restore | None = None
    again_after: int | None = None


_STATE = """
SELECT coalesce((SELECT last_seq FROM feeds_out WHERE feed = 'hub'), 0) AS feed_seq,
       coalesce((SELECT confirmed_seq FROM feeds_out WHERE feed = 'hub'), 0) AS confirmed_seq,
       coalesce((SELECT applied_seq FROM feeds_in WHERE source = 'hub'), 0) AS applied_seq,
       (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS unsent,
       coalesce((SELECT sum(last_seq - confirmed_seq) FROM feeds_out WHERE feed <> 'self'), 0)::bigint AS unconfirmed,
       (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL) AS dead_letters,
       coalesce((SELECT (value->>'epoch')::bigint FROM memos WHERE key = 'epoch'), 1) AS epoch
"""
_CONFIRM = "UPDATE feeds_out SET confirmed_seq = least($2, last_seq) WHERE feed = $1 AND confirmed_seq < least($2, last_seq)"
# Sent, but no receipt for long: the stream may have lost it. Sending again is harmless; under another id,
# for a broker drops one it has seen a while ago. The envelope keeps its own, which the inbox knows.
_RESEND = (
    "UPDATE outbox o SET sent_at = NULL, message_id = gen_random_uuid() FROM feeds_out f WHERE o.feed = f.feed AND f.feed <> 'self'"
    f" AND NOT starts_with(f.feed, '{PULL}')"
    " AND o.feed_seq > f.confirmed_seq AND o.sent_at < now() - make_interval(secs => $1)"
)
_PURGE = (
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox JOIN feeds_out f USING (feed)"
    " WHERE sent_at < now() - interval '14 days' AND (feed_seq <= f.confirmed_seq OR feed = 'self') LIMIT 5000)",
    "DELETE FROM inbox WHERE message_id IN"
    " (SELECT message_id FROM inbox WHERE handled_at < now() - interval '30 days' LIMIT 5000)",
    "DELETE FROM idempotency_keys WHERE created_at < now() - interval '7 days'",
    # A message that was handled in the end leaves its count behind.
    "DELETE FROM inbox_failures WHERE last_at < now() - interval '1 day'",
)


async def confirm(connection: asyncpg.Connection, feed: str, applied_seq: int) -> None:
    """The receiver's database holds everything up to here."""
    await connection.execute(_CONFIRM, feed, applied_seq)


async def send_again(connection: asyncpg.Connection, feed: str, after: int) -> None:
    """The receiver has lost what it had confirmed, all above a position."""
    await connection.execute(
        "UPDATE feeds_out SET confirmed_seq = $2 WHERE feed = $1 AND confirmed_seq > $2", feed, after
    )
    if not feed.startswith(PULL):
        await connection.execute(
            "UPDATE outbox SET sent_at = NULL, message_id = gen_random_uuid() WHERE feed = $1 AND feed_seq > $2",
            feed, after,
        )  # fmt: skip


async def number_above(connection: asyncpg.Connection, feed: str, applied_seq: int) -> None:
    """The receiver has applied more than we know to have said: what it has not confirmed to us is numbered anew."""
    await connection.execute(
        "UPDATE outbox o SET feed_seq = NULL, sent_at = NULL, message_id = gen_random_uuid() FROM feeds_out f"
        " WHERE o.feed = $1 AND f.feed = $1 AND o.feed_seq > f.confirmed_seq",
        feed,
    )
    await connection.execute(
        "INSERT INTO feeds_out (feed, last_seq, confirmed_seq) VALUES ($1, $2, $2)"
        " ON CONFLICT (feed) DO UPDATE SET last_seq = excluded.last_seq, confirmed_seq = excluded.confirmed_seq",
        feed, applied_seq,
    )  # fmt: skip


class Heart:
    """Beats for ever; faster while something is unconfirmed."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        release: str,
        restore: Callable[[int, int], Awaitable[None]],
    ):
        self._settings, self._bus, self._clock, self._release = settings, bus, clock, release
        self._restore = restore
        self.clock_offset_s = 0.0
        self.fenced: str | None = None
        # Of the last beat, whether or not it was heard: messages not sent, without receipt, and parked.
        self.unsent = self.unconfirmed = self.dead_letters = 0
        self._log = log.get("heart")

    async def run(self) -> None:
        tidied, tidy_s = 0.0, min(TIDY_S, self._settings.receipt_after_s)
        while True:
            pause = self._settings.heartbeat_s
            try:
                connection = await asyncpg.connect(self._settings.database_url, timeout=5)
                try:
                    while True:
                        pause = await self.beat(connection)
                        if (now := asyncio.get_running_loop().time()) - tidied > tidy_s:
                            tidied = now
                            await self._tidy(connection)
                        await asyncio.sleep(pause)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                self._log.info("heart-interrupted", error=repr(error)[:200])
            await asyncio.sleep(pause)

    async def beat(self, connection: asyncpg.Connection) -> float:
        """Beat once and follow the receipt. How long to wait until the next."""
        state = dict(await connection.fetchrow(_STATE) or {})
        self.unsent, self.unconfirmed = state["unsent"], state["unconfirmed"]
        self.dead_letters = state["dead_letters"]
        if self._settings.node == HUB:
            return self._settings.heartbeat_s
        beat = Beat(node=self._settings.node, sent_at=self._clock(), release=self._release, **state)
        try:
            answer = await self._bus.ask(f"hb.{self._settings.node}", beat.model_dump_json().encode(), BEAT_S)
            receipt = Receipt.model_validate(json.loads(answer))
        except (NatsError, Unavailable, asyncio.TimeoutError, ValueError, ValidationError):
            return self._settings.heartbeat_s
        self.clock_offset_s = (receipt.at - beat.sent_at).total_seconds()
        await self._follow(connection, receipt, beat)
        behind = state["feed_seq"] > receipt.applied_seq
        return SOON_S if behind else self._settings.heartbeat_s

    async def _follow(self, connection: asyncpg.Connection, receipt: Receipt, beat: Beat) -> None:
        if receipt.fenced != self.fenced:
            self.fenced = receipt.fenced
            self._log.warning("fenced", why=receipt.fenced)
        if receipt.restore is not None and receipt.restore.epoch > beat.epoch:
            self._log.warning("beginning-anew", epoch=receipt.restore.epoch)
            await self._restore(receipt.restore.epoch, receipt.restore.feed_seq)
            return
        if receipt.again_after is not None and receipt.again_after < beat.confirmed_seq:
            self._log.warning("sending-again", after=receipt.again_after)
            await send_again(connection, HUB, receipt.again_after)
            return
        await confirm(connection, HUB, receipt.applied_seq)

    async def _tidy(self, connection: asyncpg.Connection) -> None:
        resent = await connection.execute(_RESEND, self._settings.receipt_after_s)
        if resent != "UPDATE 0":
            self._log.warning("resending-without-receipt", rows=resent)
            await connection.execute(f"NOTIFY {WAKE_CHANNEL}, '{AGAIN}'")
        for statement in _PURGE:
            await connection.execute(statement)
