"""The best plan for a problem, proven; or the constraints that allow none.

The relaxation without whole numbers is solved first. Where it comes out whole, as it does for demands,
capacities and minimums alone (a transport problem), it is the optimum; else branch and bound goes on.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from matchmaking.campaigns import baselines, clashes, highs, unserved
from matchmaking.campaigns.formulation import Formulation, Row, Vector, formulate
from matchmaking.campaigns.problem import TOLERANCE, Binding, Comparison, Problem, Solution

# What counts as a reduced cost or a shadow price: above the solver's own tolerance of 1e-7.
PRICE = 1e-6
PROVEN = 1e-9
# Floating point may overdraw a budget by a cent: then it is solved again with that cent less.
TRIES = 4
# Up to so many pairs all are searched at once; beyond, first this many a demand, those that cost least.
SMALL, PROMISING = 5_000, 3


class Unsolved(RuntimeError):
    """The solver gave no answer that holds."""


@dataclass(frozen=True)
class Found:
    """Chosen columns, and how far a better choice could be ahead."""

    chosen: frozenset[int]
    method: Literal["lp", "milp"]
    gap: float = 0.0


def solve(problem: Problem) -> Solution:
    """The best assignment; of equally good ones, where the relaxation decides, that of earlier demands and lower ids.

    Shape: the same problem in any order gives the same solution, unless the time limit cuts it short.
    Raises: Unsolved.
    """
    given = formulate(problem)
    relaxed = highs.relax(given, given.rows(), -given.gains())
    if relaxed.status == highs.INFEASIBLE:
        return _clashing(given)
    found = _whole(given, relaxed) or _branch(given, relaxed)
    if isinstance(found, Found):
        return _solution(given, found, relaxed)
    if found == highs.INFEASIBLE:
        return _clashing(given)
    return Solution(outcome="timed-out", method="milp")


def _clashing(given: Formulation) -> Solution:
    return Solution(outcome="infeasible", clashes=clashes.explain(given))


def _solution(given: Formulation, found: Found, relaxed: Any) -> Solution:
    chosen = sorted(found.chosen)
    return Solution(
        outcome="optimal" if found.gap <= PROVEN else "within-gap",
        method=found.method,
        gap=found.gap,
        assignments=tuple(given.problem.pairs[column] for column in chosen),
        unassigned=unserved.explain(given, chosen),
        binding=_binding(given, relaxed),
        comparison=Comparison(
            plan=baselines.measure(given, chosen),
            first_come=baselines.measure(given, baselines.first_come(given)),
            greedy=baselines.measure(given, baselines.greedy(given)),
        ),
    )


def _whole(given: Formulation, relaxed: Any) -> Found | None:
    """The relaxation's answer where it is whole and holds to the cent."""
    chosen = highs.chosen(given, relaxed.x) if relaxed.status == highs.SOLVED else None
    if chosen is None or given.broken(chosen):
        return None
    return Found(_settle(given, relaxed, chosen), "lp")


def _settle(given: Formulation, relaxed: Any, chosen: frozenset[int]) -> frozenset[int]:
    """Among all that are as good: as many as can be, the earlier submitted, then the lower provider ids.

    By complementary slackness those are the solutions that leave priced columns and rows as they are.
    """
    problem = given.problem
    low, high = np.zeros(given.total + 1), highs.upper(given)
    low[np.asarray(relaxed.upper.marginals) < -PRICE] = 1.0
    high[np.asarray(relaxed.lower.marginals) > PRICE] = 0.0
    order = sorted(problem.demands, key=lambda demand: (demand.submitted_at, demand.id))
    turn = {demand.id: len(order) - place for place, demand in enumerate(order)}
    place = {provider.id: place for place, provider in enumerate(problem.providers)}
    wish = np.array([turn[p.demand] - place[p.provider] / (len(place) + 1) for p in problem.pairs] + [0.0])
    tight = np.asarray(relaxed.ineqlin.marginals) < -PRICE
    settled = highs.relax(given, given.rows(), -wish, tight=tight, low=low, high=high)
    other = highs.chosen(given, settled.x) if settled.status == highs.SOLVED else None
    if other is None or given.broken(other):
        return chosen
    return other if _sum(given, other) >= _sum(given, chosen) - TOLERANCE / 10 else chosen


def _sum(given: Formulation, chosen: Collection[int]) -> float:
    return float(given.gains()[sorted(chosen)].sum())


def _branch(given: Formulation, relaxed: Any) -> Found | int:
    """Branch and bound, or the solver's status when it has no answer.

    A large problem is tried on its promising pairs first. The relaxation bounds what any plan can be worth,
    so that often proves the answer good enough; else a pair that costs more than is left to win is left out.
    Raises: Unsolved.
    """
    problem, high = given.problem, highs.upper(given)
    if given.total <= SMALL or relaxed.status != highs.SOLVED:
        return _search(given, problem.gap, high)
    bound, dear = -float(relaxed.fun), np.asarray(relaxed.lower.marginals)
    few, last = high.copy(), min(PROMISING * len(problem.demands), given.total)
    few[dear > np.partition(dear, last)[last]] = 0.0
    found = _search(given, problem.gap / 2, few)
    if not isinstance(found, Found):
        return _search(given, problem.gap, high)
    reached = _sum(given, found.chosen)
    gap = max(0.0, bound - reached) / max(reached, TOLERANCE)
    if gap <= problem.gap:
        return replace(found, gap=gap)
    high[dear > bound - reached + TOLERANCE] = 0.0
    better = _search(given, problem.gap, high)
    if isinstance(better, Found) and _sum(given, better.chosen) >= reached:
        return replace(better, gap=min(gap, better.gap))
    return replace(found, gap=gap)


def _search(given: Formulation, gap: float, high: Vector) -> Found | int:
    """The best whole plan of the columns that `high` leaves in. Raises: Unsolved."""
    problem, rows = given.problem, given.rows()
    for _ in range(TRIES):
        result = highs.branch(
            given, rows, -given.gains(), time_limit_s=problem.time_limit_s, gap=gap, high=high
        )
        if result.x is None:
            return int(result.status)
        chosen = frozenset(np.flatnonzero(result.x[: given.total] > 0.5).tolist())
        over = [max(0, given.used(row, chosen) - row.most) for row in given.rows()]
        if not any(over):
            return Found(chosen, "milp", max(0.0, float(result.mip_gap or 0.0)))
        rows = [replace(row, most=row.most - much) for row, much in zip(rows, over, strict=True)]
    raise Unsolved("the solver's answer breaks a limit")


def _binding(given: Formulation, relaxed: Any) -> tuple[Binding, ...]:
    """Named limits with a price, dearest first."""
    if relaxed.status != highs.SOLVED:
        return ()
    prices = iter((-np.asarray(relaxed.ineqlin.marginals)[len(given.at_most_once) :]).tolist())
    found: list[Binding] = []
    for group in given.groups:
        kind = group.constraint.kind
        worth = max([next(prices) * _per(row, kind) for row in group.rows], default=0.0)
        if worth > PRICE and kind != "excluded":
            found.append(Binding(constraint=group.constraint, worth=round(worth, 6)))
    return tuple(sorted(found, key=lambda b: (-b.worth, b.constraint.kind, b.constraint.subject)))


def _per(row: Row, kind: str) -> float:
    """From one unit of a row to one yuan, or one assignment."""
    if kind in ("budget", "provider-budget"):
        return 100 / row.unit
    return 100.0 if kind in ("most-share", "newcomers-share") else 1.0
