"""What is to be assigned and under which limits, and what came out: values that travel as JSON."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    "budget", "capacity", "provider-budget", "provider-least", "required", "excluded", "league-least",
    "most-share", "newcomers-share",
]  # fmt: skip
Reason = Literal[
    "no-eligible-provider", "excluded", "budget", "provider-budget", "rules", "capacity", "lost-to-better"
]
Whole = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=0, le=100)]
TOLERANCE = 1e-6


class Value(BaseModel):
    """Frozen and strict: the same JSON is the same problem."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Demand(Value):
    """Shape: `amount_cents` is what it takes of the budget; one of priority 2 counts twice."""

    id: str
    submitted_at: datetime
    league: str = ""
    amount_cents: Whole = 0
    priority: Annotated[int, Field(ge=1, le=10)] = 1
    required: bool = False


class Provider(Value):
    """Shape: `capacity` and `least` are numbers of demands, `budget_cents` what it may receive of the budget."""

    id: str
    capacity: Whole
    budget_cents: Whole | None = None
    least: Whole = 0
    newcomer: bool = False


class Pair(Value):
    """A provider that may take a demand, and how well it would serve it."""

    demand: str
    provider: str
    utility: Annotated[float, Field(ge=0.0, le=1.0)]


class LeagueLeast(Value):
    """At least so many demands of a league or city are assigned."""

    league: str
    count: Whole


class Problem(Value):
    """Shape: no provider has more than `most_percent` of all assignments, rounded up to whole ones;
    newcomers have at least `newcomers_percent` of them. Branch and bound stops when no plan can be better by
    more than the share `gap`, or after `time_limit_s`.
    """

    demands: tuple[Demand, ...]
    providers: tuple[Provider, ...]
    pairs: tuple[Pair, ...]
    budget_cents: Whole | None = None
    exclusions: tuple[tuple[str, str], ...] = ()
    most_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    newcomers_percent: Percent | None = None
    leasts: tuple[LeagueLeast, ...] = ()
    time_limit_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    gap: Annotated[float, Field(ge=0.0, le=0.1)] = 0.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        demands = {demand.id for demand in self.demands}
        providers = {provider.id for provider in self.providers}
        pairs = {(pair.demand, pair.provider) for pair in self.pairs}
        if len(demands) < len(self.demands) or len(providers) < len(self.providers):
            raise ValueError("an id is used twice")
        if len(pairs) < len(self.pairs):
            raise ValueError("a pair is given twice")
        if any(demand not in demands or provider not in providers for demand, provider in pairs):
            raise ValueError("a pair names a demand or provider that is not there")
        return self

    def sorted(self) -> "Problem":
        """The same problem in the one order that the solver sees, whatever order it was given in."""
        return self.model_copy(
            update={
                "demands": tuple(sorted(self.demands, key=lambda demand: demand.id)),
                "providers": tuple(sorted(self.providers, key=lambda provider: provider.id)),
                "pairs": tuple(sorted(self.pairs, key=lambda pair: (pair.demand, pair.provider))),
                "exclusions": tuple(sorted(set(self.exclusions))),
                "leasts": tuple(sorted(self.leasts, key=lambda least: least.league)),
            }
        )


class Constraint(Value):
    """One limit by its kind, whom it concerns ("" for all), and its figure."""

    kind: Kind
    subject: str = ""
    limit: Whole = 0


class Binding(Value):
    """A limit that is used up, and what one more unit of it (a demand, a yuan) would add to the utility.

    Shape: `worth` is the shadow price of the continuous relaxation; exact where that solves the problem.
    """

    constraint: Constraint
    worth: float


class Unassigned(Value):
    """A demand without a provider, and why."""

    demand: str
    reason: Reason


class Measure(Value):
    """How good a plan is.

    Shape: `mean` and `worst_decile` are over what is assigned; `load_gini` over the providers' numbers of
    demands, 0 equal; `breaks` are the campaign's rules it does not keep.
    """

    assigned: Whole
    utility: float
    mean: float
    worst_decile: float
    load_gini: float
    spent_cents: Whole
    breaks: tuple[Constraint, ...] = ()


class Comparison(Value):
    """The plan beside what simpler ways would have given, from the same input."""

    plan: Measure
    first_come: Measure
    greedy: Measure


class Solution(Value):
    """What the solver says.

    Shape: `gap` is how far, relative to the plan, a better one could be: 0 when it is proven the best.
    `infeasible` has the clashing constraints and no assignment; `timed-out` neither.
    """

    outcome: Literal["optimal", "within-gap", "infeasible", "timed-out"]
    method: Literal["lp", "milp"] = "lp"
    gap: float = 0.0
    assignments: tuple[Pair, ...] = ()
    unassigned: tuple[Unassigned, ...] = ()
    binding: tuple[Binding, ...] = ()
    clashes: tuple[Constraint, ...] = ()
    comparison: Comparison | None = None
