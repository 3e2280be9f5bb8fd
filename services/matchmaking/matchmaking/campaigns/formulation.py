"""The problem as a matrix: one column a pair, rows in named groups that can be left out one by one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matchmaking.campaigns.problem import Constraint, Problem

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """`sum(values * x[columns]) <= most`, all whole numbers; `unit` is what one of them stands for."""

    columns: Sequence[int]
    values: Sequence[int]
    most: int
    unit: int = 1


@dataclass(frozen=True)
class Group:
    """The rows that one named constraint comes to."""

    constraint: Constraint
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Formulation:
    """A sorted problem.

    Shape: the column after the last pair is the number of assignments, which the shares are of.
    """

    problem: Problem
    groups: tuple[Group, ...] = ()
    at_most_once: tuple[Row, ...] = ()
    of_demand: dict[str, list[int]] = field(default_factory=dict)
    of_provider: dict[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return len(self.problem.pairs)

    def gains(self) -> Vector:
        """What each column adds to the objective."""
        priority = {demand.id: demand.priority for demand in self.problem.demands}
        return np.array([pair.utility * priority[pair.demand] for pair in self.problem.pairs] + [0.0])

    def matrix(self, rows: Sequence[Row]) -> tuple[csr_array, Vector]:
        """Rows as a sparse matrix and their upper limits."""
        starts = np.cumsum([0, *(len(row.columns) for row in rows)])
        columns = np.array([column for row in rows for column in row.columns], dtype=np.int32)
        values = np.array([value for row in rows for value in row.values], dtype=np.float64)
        shape = (len(rows), self.total + 1)
        return csr_array((values, columns, starts), shape=shape), np.array([float(row.most) for row in rows])

    def counting(self) -> csr_array:
        """The row that says what the last column counts: it equals 0."""
        values = np.array([1.0] * self.total + [-1.0])
        return csr_array(values.reshape(1, -1))

    def rows(self, kept: Iterable[Group] | None = None) -> list[Row]:
        groups = self.groups if kept is None else kept
        return [*self.at_most_once, *(row for group in groups for row in group.rows)]

    def broken(self, chosen: Collection[int]) -> list[Constraint]:
        """The constraints that a choice of pairs does not keep, in whole numbers."""
        return [
            group.constraint
            for group in self.groups
            if any(self.used(row, chosen) > row.most for row in group.rows)
        ]

    def used(self, row: Row, chosen: Collection[int]) -> int:
        count = len(chosen)
        taken = chosen if isinstance(chosen, set) else set(chosen)
        return sum(
            value * (count if column == self.total else column in taken)
            for column, value in zip(row.columns, row.values, strict=True)
        )


def formulate(problem: Problem) -> Formulation:
    """The sorted problem with all its rows."""
    problem = problem.sorted()
    of_demand: dict[str, list[int]] = {demand.id: [] for demand in problem.demands}
    of_provider: dict[str, list[int]] = {provider.id: [] for provider in problem.providers}
    for column, pair in enumerate(problem.pairs):
        of_demand[pair.demand].append(column)
        of_provider[pair.provider].append(column)
    once = tuple(_at_most(columns, 1) for columns in of_demand.values() if len(columns) > 1)
    groups = (
        *_demands(problem, of_demand),
        *_providers(problem, of_provider),
        *_campaign(problem, of_demand, of_provider),
    )
    return Formulation(problem, groups, once, of_demand, of_provider)


def _at_most(columns: Sequence[int], most: int) -> Row:
    return Row(columns, [1] * len(columns), most)


def _at_least(columns: Sequence[int], least: int) -> Row:
    return Row(columns, [-1] * len(columns), -least)


def _money(problem: Problem, columns: Sequence[int], most: int) -> Row:
    """In units of the greatest common divisor: whole numbers as small as they can be."""
    amounts = {demand.id: demand.amount_cents for demand in problem.demands}
    costs = [amounts[problem.pairs[column].demand] for column in columns]
    unit = reduce(gcd, costs, 0) or 1
    return Row(columns, [cost // unit for cost in costs], most // unit, unit)


def _demands(problem: Problem, of_demand: dict[str, list[int]]) -> Iterable[Group]:
    barred: dict[str, list[int]] = {}
    excluded = set(problem.exclusions)
    for column, pair in enumerate(problem.pairs):
        if (pair.demand, pair.provider) in excluded:
            barred.setdefault(pair.demand, []).append(column)
    for demand in problem.demands:
        if demand.required:
            yield Group(Constraint(kind="required", subject=demand.id, limit=1), (_at_least(of_demand[demand.id], 1),))  # fmt: skip
        if columns := barred.get(demand.id):
            yield Group(Constraint(kind="excluded", subject=demand.id), (_at_most(columns, 0),))


def _providers(problem: Problem, of_provider: dict[str, list[int]]) -> Iterable[Group]:
    for provider in problem.providers:
        columns, id = of_provider[provider.id], provider.id
        if provider.least:
            limit = Constraint(kind="provider-least", subject=id, limit=provider.least)
            yield Group(limit, (_at_least(columns, provider.least),))
        if columns:
            limit = Constraint(kind="capacity", subject=id, limit=provider.capacity)
            yield Group(limit, (_at_most(columns, provider.capacity),))
        if columns and provider.budget_cents is not None:
            limit = Constraint(kind="provider-budget", subject=id, limit=provider.budget_cents)
            yield Group(limit, (_money(problem, columns, provider.budget_cents),))


def _campaign(
    problem: Problem, of_demand: dict[str, list[int]], of_provider: dict[str, list[int]]
) -> Iterable[Group]:
    every, total = range(len(problem.pairs)), len(problem.pairs)
    if problem.budget_cents is not None:
        limit = Constraint(kind="budget", limit=problem.budget_cents)
        yield Group(limit, (_money(problem, every, problem.budget_cents),))
    for least in problem.leasts:
        columns = [c for demand in problem.demands if demand.league == least.league for c in of_demand[demand.id]]  # fmt: skip
        limit = Constraint(kind="league-least", subject=least.league, limit=least.count)
        yield Group(limit, (_at_least(columns, least.count),))
    if problem.most_percent is not None:
        share = problem.most_percent
        # 100 n <= share * total + 99: the share of all, rounded up to a whole one.
        rows = tuple(
            Row([*columns, total], [*[100] * len(columns), -share], 99)
            for columns in of_provider.values()
            if columns
        )
        yield Group(Constraint(kind="most-share", limit=share), rows)
    if problem.newcomers_percent:
        new = [c for p in problem.providers if p.newcomer for c in of_provider[p.id]]
        row = Row([*new, total], [*[-100] * len(new), problem.newcomers_percent], 0)
        yield Group(Constraint(kind="newcomers-share", limit=problem.newcomers_percent), (row,))
