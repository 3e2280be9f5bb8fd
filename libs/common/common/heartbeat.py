"""A node tells the hub that it lives, and hears how far its feed has been applied.

The exchange is a request that nothing stores: the answer is the receipt. It is cumulative, so a lost
one costs nothing.
"""

import asyncio
import json

import asyncpg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from common import log
from common.bus import Bus
from common.clock import Clock
from common.contracts.envelope import Contract
from common.errors import Unavailable
from common.fields import Moment, NodeId, Version
from common.outbox import HUB
from common.settings import Settings

SOON_S = 1.0


class Beat(Contract):
    """What a node says of itself. `applied_seq` is the receipt for the hub's feed to it."""

    node: NodeId
    epoch: Version
    sent_at: Moment
    feed_seq: int
    applied_seq: int
    unsent: int
    unconfirmed: int
    dead_letters: int
    release: str


class Receipt(Contract):
    """What the hub answers: how far it has applied the node's feed, and its own clock."""

    applied_seq: int
    at: Moment


_STATE = """
SELECT coalesce((SELECT last_seq FROM feeds_out WHERE feed = 'hub'), 0) AS feed_seq,
       coalesce((SELECT applied_seq FROM feeds_in WHERE source = 'hub'), 0) AS applied_seq,
       (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS unsent,
       coalesce((SELECT sum(last_seq - confirmed_seq) FROM feeds_out WHERE feed <> 'self'), 0)::bigint AS unconfirmed,
       (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL) AS dead_letters,
       coalesce((SELECT (value->>'epoch')::bigint FROM memos WHERE key = 'epoch'), 1) AS epoch
"""
_CONFIRM = "UPDATE feeds_out SET confirmed_seq = least($2, last_seq) WHERE feed = $1 AND confirmed_seq < least($2, last_seq)"
# Sent, but no receipt for long: the stream may have lost it. Sending again is harmless.
_RESEND = (
    "UPDATE outbox o SET sent_at = NULL FROM feeds_out f WHERE o.feed = f.feed AND f.feed <> 'self'"
    " AND o.feed_seq > f.confirmed_seq AND o.sent_at < now() - make_interval(secs => $1)"
)
_PURGE = (
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox JOIN feeds_out f USING (feed)"
    " WHERE sent_at < now() - interval '14 days' AND (feed_seq <= f.confirmed_seq OR feed = 'self') LIMIT 5000)",
    "DELETE FROM inbox WHERE message_id IN"
    " (SELECT message_id FROM inbox WHERE handled_at < now() - interval '30 days' LIMIT 5000)",
    "DELETE FROM idempotency_keys WHERE created_at < now() - interval '7 days'",
)


async def confirm(connection: asyncpg.Connection, feed: str, applied_seq: int) -> None:
    """The receiver's database holds everything up to here."""
    await connection.execute(_CONFIRM, feed, applied_seq)


class Heart:
    """Beats for ever; faster while something is unconfirmed."""

    def __init__(self, settings: Settings, bus: Bus, clock: Clock, release: str):
        self._settings, self._bus, self._clock, self._release = settings, bus, clock, release
        self.clock_offset_s = 0.0
        self._log = log.get("heart")

    async def run(self) -> None:
        tidied = 0.0
        while True:
            pause = self._settings.heartbeat_s
            try:
                connection = await asyncpg.connect(self._settings.database_url, timeout=5)
                try:
                    while True:
                        pause = await self._beat(connection)
                        if (now := asyncio.get_running_loop().time()) - tidied > 60:
                            tidied = now
                            await self._tidy(connection)
                        await asyncio.sleep(pause)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                self._log.info("heart-interrupted", error=repr(error)[:200])
            await asyncio.sleep(pause)

    async def _beat(self, connection: asyncpg.Connection) -> float:
        state = dict(await connection.fetchrow(_STATE) or {})
        if self._settings.node == HUB:
            return self._settings.heartbeat_s
        beat = Beat(node=self._settings.node, sent_at=self._clock(), release=self._release, **state)
        try:
            answer = await self._bus.client.request(
                f"hb.{self._settings.node}", beat.model_dump_json().encode(), timeout=2
            )
            receipt = Receipt.model_validate(json.loads(answer.data))
        except (NatsError, Unavailable, asyncio.TimeoutError, ValueError, ValidationError):
            return self._settings.heartbeat_s
        self.clock_offset_s = (receipt.at - beat.sent_at).total_seconds()
        await confirm(connection, HUB, receipt.applied_seq)
        behind = state["feed_seq"] > receipt.applied_seq
        return SOON_S if behind else self._settings.heartbeat_s

    async def _tidy(self, connection: asyncpg.Connection) -> None:
        resent = await connection.execute(_RESEND, self._settings.receipt_after_s)
        if resent != "UPDATE 0":
            self._log.warning("resending-without-receipt", rows=resent)
        for statement in _PURGE:
            await connection.execute(statement)
