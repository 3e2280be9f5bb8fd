"""Who waits here for something new. The database wakes them: one connection for all, while there are any.

A notification says only whose news there is; the waiting one reads what it may see by itself.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

import asyncpg
from common import log
from common.auth import Principal
from common.errors import Unavailable
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "streams"
# A person with a few windows open; a fourth takes the place of the one that is likely to be dead.
PER_CALLER = 3
AT_MOST = 500
PROBE_S = 15.0
RETRY_S = 1.0


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    # Not wait_for: Python 3.11's swallows a cancellation that comes together with the event.
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def notify(tx: AsyncSession, subject: str) -> None:
    """Wake who watches for this account, in every process, with the commit."""
    await tx.execute(select(func.pg_notify(CHANNEL, subject)))


class Watch:
    """One that waits. `ended`: it is to go."""

    def __init__(self, who: Principal):
        self.subject, self.all = who.subject, who.staff
        self.ended = False
        self._woken = asyncio.Event()

    def ring(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self.ended = True
        self.ring()

    async def wait(self, seconds: float) -> None:
        """Return at the next ring, or after a time. What rang before is not lost."""
        if await _set_within(self._woken, seconds):
            self._woken.clear()


class Streams:
    """Those that wait in this process."""

    def __init__(self, url: str):
        self._url = url
        self._watches: list[Watch] = []
        self._listening: asyncio.Task[None] | None = None
        self._closed = False
        self._log = log.get("streams")

    @contextmanager
    def watch(self, who: Principal) -> Iterator[Watch]:
        """Wait for what a caller may see. One too many of the same caller ends its oldest.

        Raises: Unavailable when there are too many altogether.
        """
        if len(self._watches) >= AT_MOST:
            raise Unavailable(
                "streams-full",
                zh="当前实时连接过多；请稍后重连，或改用列表查询",
                en="too many streams are open; connect again later, or read the list",
                retry_after_s=30,
            )
        mine = [watch for watch in self._watches if watch.subject == who.subject and not watch.ended]
        for watch in mine[: len(mine) - PER_CALLER + 1]:
            watch.end()
        made = Watch(who)
        if self._closed:
            made.end()
        self._watches.append(made)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="streams", context=Context())
        try:
            yield made
        finally:
            self._leave(made)

    def _leave(self, watch: Watch) -> None:
        self._watches.remove(watch)
        if not self._watches and self._listening is not None:
            self._listening.cancel()
            self._listening = None

    def close(self) -> None:
        """End all of them, and every later one at once: the process is about to stop."""
        self._closed = True
        for watch in self._watches:
            watch.end()

    async def _listen(self) -> None:
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=5)
                try:
                    await self._hear_from(connection)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                self._log.warning("streams-interrupted", error=repr(error)[:200])
            await asyncio.sleep(RETRY_S)

    async def _hear_from(self, connection: asyncpg.Connection) -> None:
        """Wake them at every notification, until the connection is lost."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda *_: lost.set())
        await connection.add_listener(CHANNEL, self._heard)
        for watch in self._watches:
            watch.ring()  # for what was committed while nobody listened
        while not await _set_within(lost, PROBE_S):
            await connection.execute("SELECT 1", timeout=5)  # it may have gone without a word

    def _heard(self, _connection: Any, _pid: int, _channel: str, subject: object) -> None:
        for watch in self._watches:
            if watch.all or watch.subject == subject:
                watch.ring()
