"""The one process of a service that sends what is owed and seals the audit, in commit-safe order.

It reads rows that are not yet sent, never a cursor over a sequence: a lower id may commit later. It
gives out `feed_seq` after the commit, so feeds are gapless; a lock in the database makes it one.
"""

import asyncio
from typing import Any

import asyncpg
from nats.errors import Error as NatsError

from common import audit, log
from common.bus import Bus
from common.errors import Unavailable
from common.inbox import Inbox, Raw, Verdict
from common.outbox import HUB, SELF, stamped

LOCK = 0x48554221
POLL_S = 0.5
BATCH = 200
MAX_PAUSE_S = 10.0
WAKE_CHANNEL = "sequencer"

_NUMBER = f"""
WITH fresh AS (
  SELECT id, feed, row_number() OVER (PARTITION BY feed ORDER BY id) AS n
  FROM (SELECT id, feed FROM outbox WHERE sent_at IS NULL AND feed_seq IS NULL ORDER BY id LIMIT {BATCH}) q
), counted AS (SELECT feed, max(n) AS total FROM fresh GROUP BY feed
), heads AS (
  INSERT INTO feeds_out AS f (feed, last_seq) SELECT feed, total FROM counted
  ON CONFLICT (feed) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq RETURNING feed, last_seq
)
UPDATE outbox o SET feed_seq = h.last_seq - c.total + fresh.n
FROM fresh JOIN heads h USING (feed) JOIN counted c USING (feed) WHERE o.id = fresh.id
"""
_UNSENT = f"""
SELECT id, feed, message_id, type, envelope, feed_seq FROM outbox
WHERE sent_at IS NULL AND feed_seq IS NOT NULL ORDER BY id LIMIT {BATCH}
"""


class Sequencer:
    """Runs for ever; does its work only while it holds the lock."""

    def __init__(self, url: str, node: str, bus: Bus, inbox: Inbox):
        self._url, self._node, self._bus, self._inbox = url, node, bus, inbox
        self._woken = asyncio.Event()
        self.leading = False
        self.sent = 0
        self._log = log.get("sequencer")

    def wake(self) -> None:
        """Something was committed in this process."""
        self._woken.set()

    async def run(self) -> None:
        pause = POLL_S
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=5)
                try:
                    pause = POLL_S
                    await self._lead(connection)
                finally:
                    self.leading = False
                    await asyncio.shield(_close(connection))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                self._log.warning("sequencer-interrupted", error=repr(error)[:200])
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_S)

    async def _lead(self, connection: asyncpg.Connection) -> None:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            # Another process of this service leads. Tell it of what was committed here.
            if await self._pause(1.0):
                await connection.execute(f"NOTIFY {WAKE_CHANNEL}")
        self.leading = True
        await connection.add_listener(WAKE_CHANNEL, lambda *_: self._woken.set())
        pause = POLL_S
        while True:
            try:
                busy = await self._drain(connection)
                busy = await audit.seal(connection) == audit.SEAL_BATCH or busy
                pause = POLL_S
            except (NatsError, Unavailable, asyncio.TimeoutError) as error:
                self._log.info("bus-refused", error=repr(error)[:200])
                busy, pause = False, min(pause * 2, MAX_PAUSE_S)
            if not busy:
                await self._pause(pause)

    async def _pause(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _drain(self, connection: asyncpg.Connection) -> bool:
        """Send one batch. Whether there may be more."""
        await connection.execute(_NUMBER)
        rows = await connection.fetch(_UNSENT)
        if not rows:
            return False
        done = [row["id"] for row in rows if row["feed"] == SELF and await self._deliver_here(row)]
        if done:
            await connection.execute(
                "UPDATE outbox SET sent_at = now(), confirmed_at = now() WHERE id = ANY($1)", done
            )
        abroad = [row for row in rows if row["feed"] != SELF]
        if abroad:
            await self._publish(connection, abroad)
        return len(rows) == BATCH or len(done) > 0

    async def _deliver_here(self, row: Any) -> bool:
        raw = Raw(stamped(row["envelope"], row["feed_seq"]), self._node, str(row["message_id"]))
        verdicts = await self._inbox.deliver([raw])
        return verdicts[0] is not Verdict.AGAIN

    async def _publish(self, connection: asyncpg.Connection, rows: list[Any]) -> None:
        # Tasks start in order, so the broker stores them in order; one that fails is sent again.
        results = await asyncio.gather(
            *(
                self._bus.publish(
                    self._subject(row["feed"], row["type"]),
                    stamped(row["envelope"], row["feed_seq"]),
                    str(row["message_id"]),
                )
                for row in rows
            ),
            return_exceptions=True,
        )
        sent = [
            row["id"]
            for row, result in zip(rows, results, strict=True)
            if not isinstance(result, BaseException)
        ]
        if sent:
            await connection.execute("UPDATE outbox SET sent_at = now() WHERE id = ANY($1)", sent)
            self.sent += len(sent)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _subject(self, feed: str, type: str) -> str:
        return f"up.{self._node}.{type}" if feed == HUB else f"down.{feed}.{type}"


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        connection.terminate()
