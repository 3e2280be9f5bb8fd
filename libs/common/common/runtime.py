"""The moving parts of one running service, started and stopped with its HTTP app."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from nats.aio.msg import Msg
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from common import batches, clock, db, log, pulls, restoring
from common.auth import Verifier
from common.bus import Bus
from common.follower import Follower
from common.heartbeat import Heart
from common.inbox import Inbox, Routes, Verdict
from common.limits import Limiter
from common.outbox import HUB
from common.sequencer import Sequencer
from common.settings import Settings
from common.tables import MemoRow

STOP_S = 3.0
FEEDS_AT_ONCE = 3
Job = Callable[["Runtime"], Awaitable[None]]


class Runtime:
    """Engine, bus, clock, verifier and background work of one service.

    Shape: `jobs` run for ever beside the requests; one that fails is logged and started again.
    """

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        *,
        release: str,
        jobs: Sequence[Job] = (),
        now: clock.Clock = clock.system,
        fetch_keys: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    ):
        self.settings = settings
        self.clock = now
        self.engine = db.engine(settings.database_url, settings.pool_size, settings.pool_overflow)
        self.sessions = db.sessions(self.engine)
        self.follower = Follower(settings, self.engine)
        self.bus = Bus(settings)
        self.limiter = Limiter(settings.calls_per_minute)
        self.verifier = Verifier(
            settings, now=now, recall=self._recall, remember=self._remember, fetch=fetch_keys
        )
        self.inbox = Inbox(self.sessions, routes, self._feed)
        self.sequencer = Sequencer(settings.database_url, settings.node, self.bus, self.inbox)
        self.heart = Heart(settings, self.bus, now, release, self._begin_anew)
        # Feeds take turns: the connections are also for those who call.
        self._turn = asyncio.Semaphore(FEEDS_AT_ONCE)
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []
        self._log = log.get("runtime")

    def wake(self) -> None:
        """Something was committed that may have to be sent."""
        self.sequencer.wake()

    def transaction(self) -> Any:
        """One transaction for background work; the sequencer hears of its commit."""
        return _waking(self)

    async def _begin_anew(self, epoch: int, feed_seq: int) -> None:
        async with self.transaction() as tx:
            # All of a database at once: longer than any request may take.
            await tx.execute(text("SET LOCAL statement_timeout = '10min'"))
            await restoring.restore(tx, self.settings.node, epoch, feed_seq, at=self.clock())

    def _feed(self, sender: str) -> str:
        """Whose positions a sender's messages count in: at a node all come through the hub, or from itself."""
        if self.settings.node == HUB or sender == self.settings.node:
            return sender
        return HUB

    async def _recall(self) -> dict[str, Any] | None:
        async with self.sessions() as session:
            return (
                await session.execute(select(MemoRow.value).where(MemoRow.key == "jwks"))
            ).scalar_one_or_none()

    async def _remember(self, document: dict[str, Any]) -> None:
        async with self.sessions.begin() as session:
            statement = insert(MemoRow).values(key="jwks", value=document)
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=["key"], set_={"value": statement.excluded.value}
                )
            )

    async def listen(self, stream: str, consumer: str, sender: str) -> None:
        """Consume a stream whose messages the bus proves to be from `sender`."""
        trusted = sender == HUB

        async def deliver(batch: Sequence[Msg]) -> list[Verdict]:
            verdicts: list[Verdict] = []
            inside = [
                batches.opened(message.subject, pulls.raw(message, sender, trusted=trusted))
                for message in batch
            ]
            for some in batches.portions(inside):
                async with self._turn:
                    each = iter(await self.inbox.deliver([raw for raws in some for raw in raws]))
                self.wake()
                verdicts += [batches.verdict([next(each) for _ in raws]) for raws in some]
            return verdicts

        await pulls.pull(self.bus, stream, consumer, deliver)

    async def _forever(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
                return
            except Exception:
                self._log.exception("job-failed", job=name)
                await asyncio.sleep(1)

    async def alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work while this process leads its service; two would hear one node's messages out of order."""
        leader = self.sequencer
        while True:
            await leader.elected.wait()
            working = asyncio.ensure_future(work())
            deposed = asyncio.ensure_future(leader.deposed.wait())
            try:
                await asyncio.wait({working, deposed}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()
            finally:
                deposed.cancel()
                while (
                    not working.done()
                ):  # one cancellation may be swallowed by a connection that ends just then
                    working.cancel()
                    await asyncio.wait({working}, timeout=0.5)

    def spawn(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.create_task(self._forever(name, work), name=name))

    async def start(self) -> None:
        me = self.settings.node
        self.spawn("bus", self.bus.run)
        self.spawn("sequencer", self.sequencer.run)
        self.spawn("heart", self.heart.run)
        self.spawn("keys", self._keep_keys_fresh)
        self.spawn("follower", self.follower.run)
        if self.settings.nkey_seed_file is not None:
            if me == HUB:
                for node in self.settings.network.spokes:
                    heard = partial(self.listen, f"UP_{node.id}", HUB, node.id)
                    self.spawn(f"up-{node.id}", partial(self.alone, heard))
            else:
                self.spawn("down", partial(self.alone, partial(self.listen, f"DOWN_{me}", me, HUB)))
        for job in self._jobs:
            self.spawn(job.__name__, lambda job=job: job(self))

    async def _keep_keys_fresh(self) -> None:
        while True:
            await self.verifier.refresh()
            await asyncio.sleep(60)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        # With the database or the bus away a farewell may hang; nothing is lost by leaving without.
        try:
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self.bus.close()
                await self.follower.close()
                await self.engine.dispose()
        except TimeoutError:
            self._log.warning("stopped-without-farewell")

    async def database_ready(self) -> bool:
        try:
            async with self.sessions() as session:
                await session.execute(text("SELECT 1"))
            return True
        except Exception as error:
            self._log.warning("database-away", error=type(error).__name__)
            return False


@asynccontextmanager
async def _waking(runtime: Runtime) -> AsyncIterator[AsyncSession]:
    async with db.begin(runtime.sessions) as tx:
        yield tx
    runtime.wake()


def every(seconds: float, work: Job, *, everywhere: bool = False) -> Job:
    """A job that repeats; the pause follows the work.

    Shape: done by the leading process of a service, or by each that keeps something of its own in memory.
    """

    async def repeat(runtime: Runtime) -> None:
        while True:
            if not everywhere:
                await runtime.sequencer.elected.wait()
            await work(runtime)
            await asyncio.sleep(seconds)

    repeat.__name__ = work.__name__
    return repeat
