"""The work beside the requests: plans that were asked for are computed, one after the other."""

import asyncio

from common.auth import Principal
from common.errors import Refusal
from common.runtime import Runtime

from matchmaking.campaigns import selection, service
from matchmaking.campaigns.plans import Failure, Plan
from matchmaking.campaigns.selection import SeenOffer

# Demands judged in one transaction: some 0.1 s of work, then others get their turn.
STEP = 10


class Planning:
    """Computes the plans that wait. A run that dies with its process is taken up again from its start.

    Shape: called over and over; each call works until nothing waits.
    """

    __name__ = "planning"

    def __init__(self, engine: service.Fitting) -> None:
        self._engine = engine

    async def __call__(self, runtime: Runtime) -> None:
        while True:
            async with runtime.transaction() as tx:
                run = await service.claim(tx, at=runtime.clock())
            if run is None:
                return
            try:
                await self._run(runtime, run)
            except Refusal as refusal:
                reason = Failure(code=refusal.code, zh=refusal.zh, en=refusal.en)
                async with runtime.transaction() as tx:
                    await service.fail(tx, run, reason, at=runtime.clock())

    async def _run(self, runtime: Runtime, run: Plan) -> None:
        who = Principal.system(runtime.settings.node)
        async with runtime.transaction() as tx:
            gathered = await service.gather(tx, who, run)
        offers: list[SeenOffer] = []
        total = len(gathered.demands)
        for start in range(0, total, STEP):
            at = runtime.clock()
            async with runtime.transaction() as tx:
                if not await service.go_on(tx, run, start, total, at=at):
                    return
            async with runtime.transaction() as tx:
                for owner, demand in gathered.demands[start : start + STEP]:
                    offers += await service.fit(tx, self._engine, gathered, owner, demand, at=at)
            await asyncio.sleep(0)
        async with runtime.transaction() as tx:
            if not await service.go_on(tx, run, total, total, at=runtime.clock()):
                return
        inputs = selection.inputs(gathered, offers)
        solution = await service.solve(inputs.problem)
        async with runtime.transaction() as tx:
            await service.propose(tx, who, run, inputs, solution, at=runtime.clock())
