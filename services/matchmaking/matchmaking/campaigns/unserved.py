"""Why a demand has no provider in a plan."""

from collections.abc import Sequence

from matchmaking.campaigns.formulation import Formulation
from matchmaking.campaigns.problem import Reason, Unassigned


def explain(given: Formulation, chosen: Sequence[int]) -> tuple[Unassigned, ...]:
    """The demands that were left out, each with what stood in the way."""
    served = {given.problem.pairs[column].demand for column in chosen}
    state = _State(given, chosen)
    return tuple(
        Unassigned(demand=demand.id, reason=state.reason(demand.id))
        for demand in given.problem.demands
        if demand.id not in served
    )


class _State:
    """What a plan leaves of every limit, and the weakest it holds at each provider."""

    def __init__(self, given: Formulation, chosen: Sequence[int]):
        problem = given.problem
        self._given, self._gains = given, given.gains()
        self._excluded = set(problem.exclusions)
        self._amounts = {demand.id: demand.amount_cents for demand in problem.demands}
        self._room = {provider.id: provider.capacity for provider in problem.providers}
        self._purse = {provider.id: provider.budget_cents for provider in problem.providers}
        self._left = problem.budget_cents
        self._weakest: dict[str, float] = {}
        for column in chosen:
            self._take(column)

    def _take(self, column: int) -> None:
        pair = self._given.problem.pairs[column]
        amount, purse = self._amounts[pair.demand], self._purse[pair.provider]
        self._room[pair.provider] -= 1
        self._purse[pair.provider] = None if purse is None else purse - amount
        self._left = None if self._left is None else self._left - amount
        gain = float(self._gains[column])
        self._weakest[pair.provider] = min(gain, self._weakest.get(pair.provider, gain))

    def reason(self, demand: str) -> Reason:
        """Money before rules, rules before room; full providers whose demands all gain more: lost to better."""
        columns, pairs = self._given.of_demand[demand], self._given.problem.pairs
        if not columns:
            return "no-eligible-provider"
        open = [c for c in columns if (demand, pairs[c].provider) not in self._excluded]
        if not open:
            return "excluded"
        roomy = [c for c in open if self._room[pairs[c].provider] > 0]
        amount = self._amounts[demand]
        if roomy and self._left is not None and amount > self._left:
            return "budget"
        if roomy:
            purses = (self._purse[pairs[c].provider] for c in roomy)
            return "rules" if any(p is None or p >= amount for p in purses) else "provider-budget"
        better = [c for c in open if self._weakest.get(pairs[c].provider, 0.0) >= self._gains[c]]
        held = all(pairs[c].provider in self._weakest for c in open)
        return "lost-to-better" if held and len(better) == len(open) else "capacity"
