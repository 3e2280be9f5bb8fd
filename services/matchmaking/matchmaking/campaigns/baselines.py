"""What would have been without a solver, and the measures all plans are compared by."""

from collections.abc import Collection, Iterable, Sequence

from matchmaking.campaigns.formulation import Formulation
from matchmaking.campaigns.problem import Measure


def first_come(given: Formulation) -> list[int]:
    """Each demand in the order of submission takes the best provider that still has room."""
    problem = given.problem

    def by_utility(column: int) -> tuple[float, str]:
        return -problem.pairs[column].utility, problem.pairs[column].provider

    demands = sorted(problem.demands, key=lambda demand: (demand.submitted_at, demand.id))
    return _take(given, (c for demand in demands for c in sorted(given.of_demand[demand.id], key=by_utility)))


def greedy(given: Formulation) -> list[int]:
    """The best pair first, while there is room."""
    gains = given.gains()
    return _take(given, sorted(range(given.total), key=lambda column: (-gains[column], column)))


def _take(given: Formulation, order: Iterable[int]) -> list[int]:
    """Pairs in an order, as far as capacity, budgets and exclusions allow; minimums and shares are not seen to."""
    problem, excluded = given.problem, set(given.problem.exclusions)
    amounts = {demand.id: demand.amount_cents for demand in problem.demands}
    room = {provider.id: provider.capacity for provider in problem.providers}
    purse = {provider.id: provider.budget_cents for provider in problem.providers}
    left, served = problem.budget_cents, set[str]()
    chosen: list[int] = []
    for column in order:
        pair = problem.pairs[column]
        amount, own = amounts[pair.demand], purse[pair.provider]
        if pair.demand in served or room[pair.provider] < 1 or (pair.demand, pair.provider) in excluded:
            continue
        if (left is not None and amount > left) or (own is not None and amount > own):
            continue
        room[pair.provider] -= 1
        purse[pair.provider] = None if own is None else own - amount
        left = None if left is None else left - amount
        served.add(pair.demand)
        chosen.append(column)
    return chosen


def measure(given: Formulation, chosen: Collection[int]) -> Measure:
    """The figures of a choice of pairs."""
    problem = given.problem
    amounts = {demand.id: demand.amount_cents for demand in problem.demands}
    utilities = sorted(problem.pairs[column].utility for column in chosen)
    loads = {provider.id: 0 for provider in problem.providers if provider.capacity}
    for column in chosen:
        loads[problem.pairs[column].provider] += 1
    worst = utilities[: max(1, len(utilities) // 10)]
    return Measure(
        assigned=len(utilities),
        utility=round(sum(utilities), 6),
        mean=_mean(utilities),
        worst_decile=_mean(worst),
        load_gini=_gini(sorted(loads.values())),
        spent_cents=sum(amounts[problem.pairs[column].demand] for column in chosen),
        breaks=tuple(given.broken(chosen)),
    )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 6) if values else 0.0


def _gini(ascending: Sequence[int]) -> float:
    total, count = sum(ascending), len(ascending)
    if not total:
        return 0.0
    weighted = sum(rank * value for rank, value in enumerate(ascending, start=1))
    return round(2 * weighted / (count * total) - (count + 1) / count, 6)
