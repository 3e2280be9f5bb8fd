"""The one process of a service that sends what is owed and seals the audit, in commit-safe order.

It reads rows that are not yet sent, never a cursor over a sequence: a lower id may commit later. It
gives out `feed_seq` after the commit, so feeds are gapless; a lock in the database makes it one.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg

from common import audit, log
from common.batches import Owed, parcels
from common.bus import Bus
from common.errors import Unavailable
from common.inbox import Inbox, Raw, Verdict
from common.outbox import HUB, PULL, SELF, stamped

LOCK = 0x48554221
POLL_S = 0.5
SEAL_S = 0.5
# Under load a moment's wait makes batches; a lone message after a pause is not delayed.
GATHER_S = 0.01
RESEND_S = 30.0
BATCH = 1_000
MAX_PAUSE_S = 10.0
MOST_AWAY_S = 2.0  # nothing is consumed without the lock
WAKE_CHANNEL, AGAIN = "sequencer", "again"

_NUMBER = f"""
WITH fresh AS (
  SELECT id, feed, row_number() OVER (PARTITION BY feed ORDER BY id) AS n
  FROM (SELECT id, feed FROM outbox WHERE feed_seq IS NULL ORDER BY id LIMIT {BATCH}) q
), counted AS (SELECT feed, max(n) AS total FROM fresh GROUP BY feed
), heads AS (
  INSERT INTO feeds_out AS f (feed, last_seq) SELECT feed, total FROM counted
  ON CONFLICT (feed) DO UPDATE SET last_seq = f.last_seq + excluded.last_seq RETURNING feed, last_seq
)
UPDATE outbox o SET feed_seq = h.last_seq - c.total + fresh.n,
  sent_at = CASE WHEN starts_with(o.feed, '{PULL}') THEN now() END
FROM fresh JOIN heads h USING (feed) JOIN counted c USING (feed) WHERE o.id = fresh.id
RETURNING o.id, o.feed, o.message_id, o.type, o.envelope, o.feed_seq
"""
_UNSENT = f"""
SELECT id, feed, message_id, type, envelope, feed_seq FROM outbox
WHERE sent_at IS NULL AND feed_seq IS NOT NULL AND (feed = '{SELF}') = $1 AND feed <> ALL($2::text[])
ORDER BY id LIMIT {BATCH}
"""
_MARK = "UPDATE outbox SET sent_at = now() WHERE id = ANY($1)"


@dataclass
class Pause:
    """How long a feed that could not be sent is left alone; longer each time."""

    seconds: float = POLL_S / 2
    until: float = 0.0

    def longer(self, now: float) -> None:
        self.seconds = min(self.seconds * 2, MAX_PAUSE_S)
        self.until = now + self.seconds


class Sequencer:
    """Runs for ever; does its work only while it holds the lock."""

    def __init__(self, url: str, node: str, bus: Bus, inbox: Inbox):
        self._url, self._node, self._bus, self._inbox = url, node, bus, inbox
        self._woken = asyncio.Event()
        # Of a service's processes one is elected; work that must not be done twice is its alone.
        self.elected, self.deposed = asyncio.Event(), asyncio.Event()
        self.sent = 0
        self._unsent = {SELF: True, HUB: True}
        self._pauses: dict[str, Pause] = {}
        self._sealed_at = self._resent_at = 0.0
        self._log = log.get("sequencer")

    @property
    def leading(self) -> bool:
        return self.elected.is_set()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def wake(self) -> None:
        """Something was committed in this process."""
        self._woken.set()

    def _heard(self, _connection: Any, _pid: int, _channel: str, said: object) -> None:
        """Something was committed in another process, or has to be sent again."""
        if said == AGAIN:
            self._unsent = {SELF: True, HUB: True}
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
                    self.elected.clear()
                    self.deposed.set()
                    await asyncio.shield(_close(connection))
            except (
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,  # what it says of a connection that was ended while it idled
                TimeoutError,
                Unavailable,
            ) as error:
                self._log.warning("sequencer-interrupted", error=repr(error)[:200])
            await asyncio.sleep(pause)
            pause = min(pause * 2, MOST_AWAY_S)

    async def _lead(self, connection: asyncpg.Connection) -> None:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            # Another process of this service leads. Tell it of what was committed here.
            if await self._pause(1.0):
                await connection.execute(f"NOTIFY {WAKE_CHANNEL}")
        self.deposed.clear()
        self.elected.set()
        self._unsent = {SELF: True, HUB: True}  # what an earlier leader numbered and did not send
        await connection.add_listener(WAKE_CHANNEL, self._heard)
        while True:
            fresh = sorted(await connection.fetch(_NUMBER), key=lambda row: row["id"])
            busy = await self._deliver(connection, [row for row in fresh if row["feed"] == SELF])
            busy = await self._send(connection, [row for row in fresh if _is_sent(row["feed"])]) or busy
            now = self._now()
            if now - self._sealed_at >= SEAL_S:
                self._sealed_at = now
                busy = await audit.seal(connection) == audit.SEAL_BATCH or busy
            if now - self._resent_at >= RESEND_S:
                self._resent_at = now
                self._unsent = {SELF: True, HUB: True}
            if busy or len(fresh) == BATCH:
                await asyncio.sleep(GATHER_S)
            else:
                await self._pause(POLL_S)

    async def _pause(self, seconds: float) -> bool:
        # Not wait_for: Python 3.11's swallows a cancellation that comes together with the wake.
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _deliver(self, connection: asyncpg.Connection, fresh: list[Any]) -> bool:
        """Give our own consumers what we told ourselves. Whether something was given."""
        rows = await connection.fetch(_UNSENT, True, []) if self._unsent[SELF] else fresh
        raws = [
            Raw(stamped(row["envelope"], row["feed_seq"]), self._node, str(row["message_id"])) for row in rows
        ]
        verdicts = await self._inbox.deliver(raws)
        done = [
            row["id"] for row, verdict in zip(rows, verdicts, strict=True) if verdict is not Verdict.AGAIN
        ]
        if done:
            await connection.execute(_MARK, done)
        self._unsent[SELF] = len(done) < len(rows) or len(rows) == BATCH
        return len(done) > 0

    async def _send(self, connection: asyncpg.Connection, fresh: list[Any]) -> bool:
        """Publish what others are owed. Whether something was sent; what fails is sent again later."""
        if not self._bus.connected:
            self._unsent[HUB] = self._unsent[HUB] or bool(fresh)
            return False
        left = [feed for feed, pause in self._pauses.items() if self._now() < pause.until]
        rows = await connection.fetch(_UNSENT, False, left) if self._unsent[HUB] else fresh
        feeds: dict[str, list[Owed]] = {}
        for row in rows:
            data = stamped(row["envelope"], row["feed_seq"])
            owed = Owed(row["id"], str(row["message_id"]), row["type"], data)
            feeds.setdefault(row["feed"], []).append(owed)
        self._pauses = {feed: pause for feed, pause in self._pauses.items() if feed in (*left, *feeds)}
        sent = await asyncio.gather(*(self._send_feed(feed, owed) for feed, owed in feeds.items()))
        done = [row for rows in sent for row in rows]
        if done:
            await connection.execute(_MARK, done)
            self.sent += len(done)
        self._unsent[HUB] = bool(self._pauses) or len(rows) == BATCH
        return len(done) > 0

    async def _send_feed(self, feed: str, owed: list[Owed]) -> list[int]:
        """The rows of which the broker is certain: one message after the other, up to one that fails."""
        done: list[int] = []
        try:
            for parcel in parcels(owed):
                if not feed.startswith(PULL):
                    await self._bus.publish(self._subject(feed, parcel.type), parcel.data, parcel.id)
                done += parcel.rows
        except Exception as error:  # whatever it was, the rows are still owed
            self._log.info("bus-refused", feed=feed, rows=len(owed) - len(done), error=repr(error)[:200])
            self._pauses.setdefault(feed, Pause()).longer(self._now())
        else:
            self._pauses.pop(feed, None)
        return done

    def _subject(self, feed: str, type: str) -> str:
        return f"up.{self._node}.{type}" if feed == HUB else f"down.{feed}.{type}"


def _is_sent(feed: str) -> bool:
    return feed != SELF and not feed.startswith(PULL)


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=2)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        connection.terminate()
