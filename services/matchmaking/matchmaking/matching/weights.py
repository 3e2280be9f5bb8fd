"""The figures the engine weighs by: versioned data, read once."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Weights:
    """Shape: `weights` by component, summing to 1; `floor` is the least relevance of a candidate."""

    version: str
    weights: dict[str, float]
    proximity: dict[str, float]
    unknown: float
    prior_grade: float
    prior_count: int
    floor: float


@cache
def current() -> Weights:
    document: dict[str, Any] = json.loads(data("weights.json"))
    document.pop("note")
    return Weights(**document)


def data(name: str) -> str:
    """A data file of the engine."""
    return (files("matchmaking.matching") / "data" / name).read_text(encoding="utf-8")
