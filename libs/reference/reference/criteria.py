"""Recognition criteria (认定条件) of demonstration platforms and bases, each with its days in force."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

from reference.packaged import document

Kind = Literal["demonstration_platform", "entrepreneurship_base"]
Scope = Literal["national", "region"]


class UnknownCriteria(ValueError):
    """The id is not in the list."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no recognition criteria {id!r}")
        self.id = id


@dataclass(frozen=True)
class Rule:
    """One condition: a lower bound, or with `minimum` None something a person must judge."""

    id: str
    minimum: int | None
    unit: str | None
    zh: str
    en: str
    status: str


@dataclass(frozen=True)
class Function:
    """A service function a candidate may claim; without rules its figures are not known."""

    id: str
    zh: str
    en: str
    status: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Criteria:
    """One edition: all of `basic` and at least `functions_min` functions. Valid before `valid_until`."""

    id: str
    kind: Kind
    scope: Scope
    document: str
    valid_from: date
    valid_until: date | None
    validity_years: int | None
    status: str
    note: str
    basic: tuple[Rule, ...]
    functions_min: int | None
    functions: tuple[Function, ...]


def _criteria(entry: dict[str, Any]) -> Criteria:
    until = entry["valid_until"]
    return Criteria(
        id=entry["id"],
        kind=entry["kind"],
        scope=entry["scope"],
        document=entry["document"],
        valid_from=date.fromisoformat(entry["valid_from"]),
        valid_until=date.fromisoformat(until) if until else None,
        validity_years=entry["validity_years"],
        status=entry["status"],
        note=entry.get("note", ""),
        basic=tuple(Rule(**rule) for rule in entry["basic"]),
        functions_min=entry["functions_min"],
        functions=tuple(
            Function(f["id"], f["zh"], f["en"], f["status"], tuple(Rule(**rule) for rule in f["rules"]))
            for f in entry["functions"]
        ),
    )


@cache
def everything() -> tuple[Criteria, ...]:
    return tuple(_criteria(entry) for entry in document("recognition_criteria.json")["criteria"])


def get(id: str) -> Criteria:
    """Return one edition.

    Raises: UnknownCriteria.
    """
    for criteria in everything():
        if criteria.id == id:
            return criteria
    raise UnknownCriteria(id)


def in_force(kind: Kind, scope: Scope, day: date) -> Criteria | None:
    """Return the newest edition in force on that day, if one is held."""
    held = [
        c
        for c in everything()
        if (c.kind, c.scope) == (kind, scope)
        and c.valid_from <= day
        and (c.valid_until is None or day < c.valid_until)
    ]
    return max(held, key=lambda criteria: criteria.valid_from, default=None)
