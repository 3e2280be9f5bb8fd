"""The rules, as data. Each says what a platform must do, and how to mend it when it does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import TypeAdapter

Level = Literal["must", "should"]
Mode = Literal["serving", "exchange", "bus"]
MODES: tuple[Mode, ...] = ("serving", "exchange", "bus")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Shape: `modes` are the kinds of run that look at it; `mend_zh` and `mend_en` say what to change;
    `see` is a section below docs/.
    """

    id: str
    level: Level
    modes: tuple[Mode, ...]
    zh: str
    en: str
    mend_zh: str
    mend_en: str
    see: str


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its id, in the order they are reported in."""
    text = (files("conformance") / "rules.json").read_text(encoding="utf-8")
    return {rule.id: rule for rule in TypeAdapter(tuple[Rule, ...]).validate_json(text)}


def of(mode: Mode) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules().values() if mode in rule.modes)
