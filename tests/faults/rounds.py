"""A run: fault after fault beside the workload, healed, quiet, and every invariant checked."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from localnet.api import OPERATOR
from rich.console import Console
from rich.table import Table

from tests.faults import invariants, picture, workload
from tests.faults.book import Book
from tests.faults.invariants import INVARIANTS, Case, Watch
from tests.faults.nemesis import Stage
from tests.faults.network import NODES, Running
from tests.faults.restores import FAULTS
from tests.faults.workload import Client

QUIET_S = 90.0
CALM_S = 0.3


@dataclass
class Round:
    """Some faults at once, and what came of them."""

    faults: tuple[str, ...]
    acts: dict[str, int]
    quiet_after_s: float
    broken: dict[str, list[str]]
    told: list[str]
    still: list[str]

    @property
    def name(self) -> str:
        return "+".join(self.faults)

    @property
    def holds(self) -> bool:
        return not self.still and not any(self.broken.values())


@dataclass
class Run:
    """A network with its people, its book and its watch, through any number of rounds."""

    running: Running
    seed: int
    book: Book = field(init=False)
    rounds: list[Round] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = Book(f"R{self.seed}")
        self.watch = Watch(self.running)
        self._known: set[str] = set()
        self.forks: set[tuple[str, UUID]] = set()
        self.stage = Stage(self.running, Random(self.seed), self.book, self.operator, self.watch.forget)

    async def __aenter__(self) -> "Run":
        self.people = await workload.people(self.running, self.book, self.seed)
        pace = len(self.running.platforms) / len(NODES)
        self.clients = [
            Client(self.running, self.people, self.book, node, f"{self.seed}-{node}", pace)
            for node in self.running.platforms
        ]
        self._watching = asyncio.create_task(self.watch.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        for client in self.clients:
            await client.close()
        await self.people.api.__aexit__()

    async def fill(self, offerings: int) -> None:
        """So many at each platform before anything goes wrong."""
        await asyncio.gather(*(client.load(client.fresh(offerings)) for client in self.clients))
        await self.quiet()

    async def operator(self) -> str:
        """A token issued just now."""
        return await self.people.api.token(OPERATOR)

    async def round(self, faults: Sequence[str], seconds: float) -> Round:
        """Calm, the faults, calm; then quiet, and the check."""
        before = self.book.counts()
        name = "+".join(faults)
        # By itself of its place among the rounds: whichever came before, the same is drawn.
        self.stage.random = Random(f"{self.seed}-{name}-{sum(one.name == name for one in self.rounds)}")
        self.stage.told, self.stage.broken = [], []
        going = True
        async with asyncio.TaskGroup() as working:
            for client in self.clients:
                working.create_task(client.run(lambda: going))
            await asyncio.sleep(CALM_S)
            begun = [FAULTS[code].begin(self.stage, seconds) for code in faults]
            for one in begun:
                await one.__aenter__()
            await asyncio.sleep(seconds)
            # All at once: one that waits until everybody is ready would wait for what another still holds.
            await asyncio.gather(*(one.__aexit__(None, None, None) for one in begun))
            healed = time.monotonic()
            await asyncio.sleep(CALM_S)
            going = False
        still = await self.quiet()
        done = Round(
            tuple(faults),
            {ending: count - before[ending] for ending, count in self.book.counts().items()},
            time.monotonic() - healed,
            self._news(await self.check()),
            self.stage.told,
            still,
        )
        done.broken["I1"] += self.stage.broken
        done.told += [one for one in self.running.unforeseen() if one not in self._known]
        self._known.update(done.told)
        self.rounds.append(done)
        return done

    def _news(self, broken: dict[str, list[str]]) -> dict[str, list[str]]:
        """What did not break in an earlier round already."""
        fresh = {name: [one for one in several if one not in self._known] for name, several in broken.items()}
        self._known.update(one for several in fresh.values() for one in several)
        return fresh

    async def quiet(self, limit_s: float = QUIET_S) -> list[str]:
        """Wait until nothing moves; what still does at the limit."""
        return await picture.quiet(lambda: picture.moving(self.running), limit_s)

    async def check(self) -> dict[str, list[str]]:
        canaries = {home.node: home.canaries for home in self.people.homes.values()}
        return invariants.check(
            Case(
                self.running,
                self.book,
                await picture.take(self.running),
                self.watch,
                frozenset(self.stage.planted),
                frozenset(self.forks),
                frozenset(self.stage.restored),
                tuple(await invariants.leaks(self.running, canaries, workload.canary(self.seed, "[0-9]{4}"))),
            )
        )


def table(rounds: Sequence[Round], title: str) -> Table:
    """Fault by invariant."""
    drawn = Table(title=title)
    drawn.add_column("故障 fault")
    for name in ("ok", "fail", "unknown", "静止 quiet after"):
        drawn.add_column(name, justify="right")
    for name in INVARIANTS:
        drawn.add_column(name, justify="center")
    for one in rounds:
        cells = [
            "[green]✓[/]" if not one.broken[name] else f"[red]✗ {len(one.broken[name])}[/]"
            for name in INVARIANTS
        ]
        after = f"{one.quiet_after_s:.1f} s" if not one.still else "[red]never[/]"
        counts = [str(one.acts[ending]) for ending in ("ok", "fail", "unknown")]
        what = "\n".join(f"{code} {FAULTS[code].zh}" for code in one.faults)
        drawn.add_row(what, *counts, after, *cells)
    return drawn


def explain(console: Console, one: Round, most: int = 12) -> None:
    """What broke, and how it came to that."""
    for name, broken in one.broken.items():
        for sentence in broken[:most]:
            console.print(f"  {one.name} {name}: {sentence}", markup=False, soft_wrap=True)
        if len(broken) > most:
            console.print(f"  {one.name} {name}: … and {len(broken) - most} more")
    for sentence in one.still[:most]:
        console.print(f"  {one.name} not quiet: {sentence}", markup=False, soft_wrap=True)
    if not one.holds:
        console.print(f"  {one.name} did: {'; '.join(one.told)}", markup=False, soft_wrap=True)


async def play(
    run: Run, faults: Sequence[Sequence[str]], seconds: float, told: Callable[[Round], None]
) -> None:
    for several in faults:
        told(await run.round(several, seconds))
