"""Which constraints cannot hold together: a set of which none can be left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from matchmaking.campaigns import highs
from matchmaking.campaigns.formulation import Formulation, Group
from matchmaking.campaigns.problem import TOLERANCE, Constraint, Kind

# So many of a kind are named one by one; more are one constraint, "all of this kind".
NAMED = 5
REFINED = 20
CHECK_S = 5.0
G = TypeVar("G")


def smallest(groups: Sequence[G], feasible: Callable[[Sequence[G]], bool]) -> list[G]:
    """A clashing set that is feasible once any one of it is dropped.

    Shape: the caller knows that all together clash and that none at all is feasible. A deletion filter by
    halves: k clashing among n take some k log n checks, not n.
    Source: U. Junker, QuickXplain, AAAI 2004.
    """

    def search(kept: list[G], changed: bool, rest: Sequence[G]) -> list[G]:
        if changed and not feasible(kept):
            return []
        if len(rest) == 1:
            return list(rest)
        first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        later = search([*kept, *first], True, second)
        sooner = search([*kept, *later], bool(later), first)
        return sooner + later

    return search([], False, groups)


@dataclass(frozen=True)
class Bundle:
    """Groups that are named together."""

    groups: tuple[Group, ...]

    @property
    def constraint(self) -> Constraint:
        first = self.groups[0].constraint
        if len(self.groups) == 1:
            return first
        return Constraint(kind=first.kind, limit=sum(group.constraint.limit for group in self.groups))


def explain(given: Formulation) -> tuple[Constraint, ...]:
    """The clash of an infeasible problem.

    Shape: a constraint with subject "" of a kind that has subjects means all of that kind, with the sum of
    their limits. A check that runs out of time counts as feasible.
    """
    certified = _certificate(given)
    groups = certified or list(given.groups)

    def feasible(kept: Sequence[Bundle]) -> bool:
        rows = given.rows(group for bundle in kept for group in bundle.groups)
        if not certified:
            return _whole(given, kept)
        return highs.relax(given, rows, np.zeros(given.total + 1)).status != highs.INFEASIBLE

    bundles = smallest(list(_bundles(groups)), feasible)
    for bundle in [bundle for bundle in bundles if 1 < len(bundle.groups) <= REFINED]:
        others = [other for other in bundles if other is not bundle]
        parts = [Bundle((group,)) for group in bundle.groups]
        # Those of the others are kept; among the parts as few as still clash with them.
        needed = smallest(parts, lambda kept, others=others: feasible([*others, *kept]))
        if len(needed) <= NAMED:
            bundles = [*others, *needed]
    return tuple(bundle.constraint for bundle in _without_idle(given, bundles))


def _certificate(given: Formulation) -> list[Group]:
    """Groups whose rows prove the relaxation infeasible; none when it is not."""
    result = highs.shortfall(given, given.rows())
    if result.status != highs.SOLVED or result.fun < TOLERANCE:
        return []
    prices = iter(np.asarray(result.ineqlin.marginals)[len(given.at_most_once) :].tolist())
    # Every row's price is taken from the iterator, also after the first that counts.
    return [group for group in given.groups if min([next(prices) for _ in group.rows], default=0.0) < -1e-9]


def _bundles(groups: Sequence[Group]) -> Iterator[Bundle]:
    kinds: dict[Kind, list[Group]] = {}
    for group in groups:
        kinds.setdefault(group.constraint.kind, []).append(group)
    for alike in kinds.values():
        if len(alike) > NAMED:
            yield Bundle(tuple(alike))
        else:
            yield from (Bundle((group,)) for group in alike)


def _without_idle(given: Formulation, bundles: list[Bundle]) -> list[Bundle]:
    """In whole numbers fewer may clash than in the relaxation."""
    for bundle in list(bundles):
        others = [other for other in bundles if other is not bundle]
        if others and not _whole(given, others):
            bundles = others
    return bundles


def _whole(given: Formulation, kept: Sequence[Bundle]) -> bool:
    rows = given.rows(group for bundle in kept for group in bundle.groups)
    nothing = np.zeros(given.total + 1)
    relaxed = highs.relax(given, rows, nothing)
    if relaxed.status == highs.INFEASIBLE:
        return False
    # A corner is mostly whole already; branch and bound without an aim is slow.
    chosen = highs.chosen(given, relaxed.x) if relaxed.status == highs.SOLVED else None
    if chosen is not None and all(given.used(row, chosen) <= row.most for row in rows):
        return True
    limit = min(CHECK_S, given.problem.time_limit_s)
    return highs.branch(given, rows, nothing, time_limit_s=limit, gap=0.0).status != highs.INFEASIBLE
