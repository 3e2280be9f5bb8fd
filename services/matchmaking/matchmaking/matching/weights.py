"""The figures the engine weighs by: versioned data, checked when read."""

import json
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from common.contracts.envelope import Contract
from common.fields import Line
from pydantic import Field, model_validator
from reference.divisions import Relation

Component = Literal[
    "relevance", "proximity", "reputation", "responsiveness", "load", "price-fit", "lead-time", "recognition",
    "newcomer",
]  # fmt: skip
Level = Literal["national", "region", "league_city"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
# A share that a rounding of each of the parts cannot exceed.
_TOLERANCE = 1e-6


class Weights(Contract):
    """Shape: `weights` sum to 1; priors are numbers of cases; a candidate's relevance is at least `floor` and
    at least the share `beside_best` of the most relevant offering's; where a condition is relaxed for it,
    at least `relaxed_floor`.
    """

    version: Line
    note: str = ""
    weights: dict[Component, Share]
    proximity: dict[Relation, Share]
    recognition: dict[Level, Share]
    unknown: Share
    prior_grade: Annotated[float, Field(ge=1, le=5)]
    prior_count: Annotated[float, Field(gt=0, le=1000)]
    prior_asked: Annotated[float, Field(gt=0, le=1000)]
    floor: Share
    beside_best: Share
    relaxed_floor: Share
    newcomer_chance: Share
    newcomer_asked: Annotated[int, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = set(Component.__args__) - set(self.weights)
        if missing:
            raise ValueError(f"weights lack {', '.join(sorted(missing))}")
        if abs(sum(self.weights.values()) - 1) > _TOLERANCE:
            raise ValueError("weights do not sum to 1")
        if self.weights["relevance"] <= 0.5:
            raise ValueError("relevance must weigh more than all others together")
        return self


@cache
def current() -> Weights:
    """The weights this release is shipped with."""
    return Weights.model_validate(json.loads(data("weights.json")))


def data(name: str) -> str:
    """A data file of the engine."""
    return (files("matchmaking.matching") / "data" / name).read_text(encoding="utf-8")
