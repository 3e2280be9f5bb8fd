"""What windows say of demands, and the work that follows a change of the catalogue."""

import asyncio
from collections.abc import Sequence

from common.clock import Clock
from common.inbox import Many, Message, Routes
from common.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.demands.service import Matchmaker

# While the catalogue keeps changing, new demands have four fifths of the time to themselves.
REST = 4
# Demands whose meaning is read in one pass, where the model has changed.
READ_AT_ONCE = 20


def routes(matchmaker: Matchmaker, now: Clock) -> Routes:
    async def on_demands(tx: AsyncSession, messages: Sequence[Message]) -> None:
        await matchmaker.follow(tx, messages, at=now())

    return (("demand.*", Many(on_demands)),)


class Rematch:
    """Refreshes the indexes beside the messages; after a change tries unmatched demands again.

    What was read for its meaning since is a change too: of an offering, or of a demand.

    Shape: called over and over; the pause between calls gathers many changes into one pass.
    """

    __name__ = "rematch"

    def __init__(self, matchmaker: Matchmaker) -> None:
        self._matchmaker = matchmaker
        self._seen = -1

    async def __call__(self, runtime: Runtime) -> None:
        async with runtime.transaction() as tx:
            await self._matchmaker.catalogue.refresh(tx)
            await self._matchmaker.catalogue.learn(tx)
            await self._matchmaker.demands.refresh(tx)
            read = await self._matchmaker.demands.read(tx, READ_AT_ONCE)
        generation = self._matchmaker.catalogue.generation
        if generation == self._seen and not read:
            return
        clock = asyncio.get_running_loop().time
        started, after, more = clock(), None, True
        while more:
            async with runtime.transaction() as tx:
                after = await self._matchmaker.match_next(tx, after, at=runtime.clock())
            more = after is not None
        self._seen = generation
        await asyncio.sleep(REST * (clock() - started))
