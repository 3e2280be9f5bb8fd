"""2,000 demands given to 500 providers with room for fewer: the solver's plan against two plans without one.

The ratio is what the greedy plan (best pair first) reaches of the optimum's utility. Once with capacities
alone, once with a budget of unequal vouchers, a share for newcomers and a minimum for one city. Time and
memory are of the process that the service starts for a plan, its start included.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from matchmaking.campaigns.problem import Demand, LeagueLeast, Pair, Problem, Provider, Solution

from bench.running import say

DEMANDS, PROVIDERS, EACH, SEED = 2_000, 500, 20, 20_260_302
VOUCHERS = (200_000, 500_000, 800_000, 1_000_000)
LEAGUES = tuple(f"15{number:02}00" for number in range(1, 13))


def problem(**rules: Any) -> Problem:
    """Synthetic: some providers are better for everybody, the rest is chance."""
    draw = random.Random(SEED)
    start = datetime(2026, 3, 2, tzinfo=UTC)
    quality = [draw.random() for _ in range(PROVIDERS)]
    providers = tuple(
        Provider(id=f"p{n:03}", capacity=draw.randint(1, 6), newcomer=draw.random() < 0.2)
        for n in range(PROVIDERS)
    )
    demands = tuple(
        Demand(
            id=f"d{n:04}",
            submitted_at=start + timedelta(minutes=draw.randint(0, 100_000)),
            league=draw.choice(LEAGUES),
            amount_cents=draw.choice(VOUCHERS),
        )
        for n in range(DEMANDS)
    )
    pairs = tuple(
        Pair(
            demand=demand.id,
            provider=providers[n].id,
            utility=round(0.35 + 0.3 * quality[n] + 0.35 * draw.random(), 4),
        )
        for demand in demands
        for n in draw.sample(range(PROVIDERS), EACH)
    )
    return Problem(demands=demands, providers=providers, pairs=pairs, **rules)


def solved(given: Problem) -> tuple[Solution, float, int]:
    """The solution, the seconds it took and the most memory the process had, in megabytes."""
    command = [sys.executable, "-P", "-m", "matchmaking.campaigns.solving"]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as answer:
        said.write(given.model_dump_json().encode())
        said.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=said, stdout=answer)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the solver ended with {process.returncode}")
        answer.seek(0)
        return Solution.model_validate_json(answer.read()), seconds, usage.ru_maxrss // 1024


def main() -> None:
    ruled: dict[str, Any] = {
        "budget_cents": 500_000_000,
        "newcomers_percent": 25,
        "leasts": (LeagueLeast(league=LEAGUES[0], count=100),),
        "gap": 2e-4,
    }
    for figure, rules in (("assign", {}), ("assign_ruled", ruled)):
        solution, seconds, megabytes = solved(problem(**rules))
        found = solution.comparison
        if found is None:
            raise RuntimeError(f"no plan: {solution.outcome}")
        print(
            f"{figure}: {seconds:.1f} s, {megabytes} MB, {solution.method}, gap {solution.gap:.1e}; "
            f"assigned {found.plan.assigned}, greedy {found.greedy.assigned}, first come {found.first_come.assigned}"
        )
        say(
            figure,
            found.greedy.utility,
            "utility",
            "optimum",
            found.greedy.utility / found.plan.utility,
            first_come_ratio=round(found.first_come.utility / found.plan.utility, 3),
            optimum=round(found.plan.utility, 1),
            gap=solution.gap,
            seconds=round(seconds, 2),
            memory_mb=megabytes,
            greedy_breaks=[limit.kind for limit in found.greedy.breaks],
        )
