"""The story of one demand, played against a running network as its people would live it.

An enterprise in Hohhot needs its milk tested; an agency in Baotou wins against a cluster's laboratory.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from localnet import plot, sequel
from localnet.api import Api
from localnet.endpoints import Endpoints
from localnet.plot import Case, Told
from localnet.trouble import Trouble

Act = Callable[[Case], Awaitable[Told]]
STEPS: tuple[tuple[str, str, Act], ...] = (
    ("企业登记", "The enterprise registers", plot.register),
    ("提交需求", "It submits a demand", plot.submit),
    ("供需对接", "Matchmaking answers", plot.matched),
    ("邀请三家报价", "It invites three providers", plot.invite),
    ("邀请送达", "The invitations arrive", plot.received),
    ("机构答复", "Two quote, one declines", plot.quote),
    ("比较报价", "It compares", plot.compare),
    ("授标", "It awards Baotou's", plot.award),
    ("告知未中选机构", "The losers are told", sequel.losers),
    ("确认承接", "Baotou's agency confirms", sequel.confirm),
    ("里程碑", "Milestones", sequel.progress),
    ("交付", "Delivery", sequel.deliver),
    ("验收", "Acceptance", sequel.accept),
    ("评价", "Rating", sequel.rate),
    ("枢纽登记", "The hub's register", sequel.record),
)


@dataclass(frozen=True)
class Step:
    """What is about to be done. `number` counts from 1."""

    number: int
    total: int
    zh: str
    en: str


@dataclass(frozen=True)
class StepResult:
    """What came of a step; `trouble` says why it did not hold."""

    step: Step
    told: Told
    took_ms: float
    trouble: Trouble | None = None

    @property
    def held(self) -> bool:
        return self.trouble is None


class Listener(Protocol):
    """Somebody who follows the story."""

    async def begins(self, step: Step) -> None: ...

    async def ended(self, result: StepResult) -> None: ...


class Nobody:
    """Follows without a word."""

    async def begins(self, step: Step) -> None: ...

    async def ended(self, result: StepResult) -> None: ...


async def play(
    endpoints: Endpoints, listener: Listener | None = None, case: Case | None = None
) -> list[StepResult]:
    """Play every step, or as far as they hold.

    Shape: the example catalogue is loaded; every run has a demand of its own and reuses the people. Who
    gives the `case` can look at it afterwards.
    """
    if case is None:
        async with Api(endpoints) as api:
            return await play(endpoints, listener, Case(api))
    listener = listener or Nobody()
    results: list[StepResult] = []
    for number, (zh, en, act) in enumerate(STEPS, 1):
        step = Step(number, len(STEPS), zh, en)
        await listener.begins(step)
        results.append(await one(step, act, case))
        await listener.ended(results[-1])
        if not results[-1].held:
            break
    return results


async def one(step: Step, act: Act, case: Case) -> StepResult:
    began = time.monotonic()
    try:
        told, trouble = await act(case), None
    except Trouble as error:
        told, trouble = Told(""), error
    result = StepResult(step, told, 1000 * (time.monotonic() - began))
    return replace(result, trouble=trouble)


def complete(results: list[StepResult]) -> bool:
    """Whether the story came to its end and every step held."""
    return len(results) == len(STEPS) and all(result.held for result in results)
