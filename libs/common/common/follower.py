"""Reads that may be a little old go to a follower of the database, while it keeps up.

The bound is proven and not believed: a position of the database's log that was read some seconds ago must have
been replayed by the follower. When it lags or is away, the database itself answers.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from common import db, log
from common.settings import Settings

LOOK_S = 1.0
BOUND_S = 5.0
_WRITTEN = text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
_REPLAYED = text("SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn")


class Follower:
    """Whom a read asks. Without a follower it is always the database."""

    def __init__(self, settings: Settings, engine: AsyncEngine):
        self._own = db.sessions(engine)
        self._engine = engine
        self._copy, self._copies = None, self._own
        if settings.database_read_url:
            self._copy = db.engine(settings.database_read_url, settings.pool_size, settings.pool_overflow)
            self._copies = db.sessions(self._copy)
        self._written: deque[tuple[float, int]] = deque(maxlen=60)
        self._fresh_until = 0.0
        self._log = log.get("follower")

    @property
    def fresh(self) -> bool:
        """Whether what the follower shows is at most `BOUND_S` old."""
        return asyncio.get_running_loop().time() < self._fresh_until

    async def run(self) -> None:
        """Keep looking how far it has come; for ever, unless there is none."""
        while self._copy is not None:
            try:
                await self._look(self._copy)
            except (DBAPIError, OSError, TimeoutError) as error:
                self._log.info("follower-away", error=type(error).__name__)
            await asyncio.sleep(LOOK_S)

    async def _look(self, copy: AsyncEngine) -> None:
        clock = asyncio.get_running_loop().time
        at = clock()
        async with self._engine.connect() as connection:
            self._written.append((at, int((await connection.execute(_WRITTEN)).scalar_one())))
        async with copy.connect() as connection:
            replayed = (await connection.execute(_REPLAYED)).scalar_one()
        # Null: it has been made a database of its own, and follows nobody.
        seen = [at for at, position in self._written if replayed is not None and position <= replayed]
        self._fresh_until = max(seen) + BOUND_S if seen else 0.0

    @asynccontextmanager
    async def view(self) -> AsyncIterator[AsyncSession]:
        """A transaction to read in.

        Raises: Unavailable when the database is away.
        """
        async with db.begin(self._copies if await self._there() else self._own) as tx:
            yield tx

    async def _there(self) -> bool:
        if self._copy is None or not self.fresh:
            return False
        try:
            async with self._copy.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (DBAPIError, OSError, TimeoutError):
            self._fresh_until = 0.0  # asked again when the next look finds it there
            return False
        return True

    async def close(self) -> None:
        if self._copy is not None:
            await self._copy.dispose()
