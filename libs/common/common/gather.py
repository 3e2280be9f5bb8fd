"""Group commit: calls that arrive while a transaction is at the disk share the next one.

A lone call starts at once; under load one transaction serves many, so its cost is paid once for all.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741
MOST = 64


class Gather(Generic[I, O]):
    """Hands gathered items to `work`, which opens one transaction for all of them.

    Shape: `work` answers one result per item, in order; a Refusal among them is raised to its own
    caller only. If the transaction itself fails, every item is tried once more alone, so that no
    caller fails for another's sake.
    """

    def __init__(self, work: Callable[[Sequence[I]], Awaitable[Sequence[O | Exception]]]):
        self._work = work
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, item: I) -> O:
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                if not await self._try(batch, last=len(batch) == 1):
                    for one in batch:
                        await self._try([one], last=True)
        finally:
            self._running = None

    async def _try(self, batch: list[tuple[I, asyncio.Future[O]]], *, last: bool) -> bool:
        try:
            results = await self._work([item for item, _ in batch])
        except Exception as error:
            if not last:
                return False
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue  # the caller has gone away; its work stands
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        return True
