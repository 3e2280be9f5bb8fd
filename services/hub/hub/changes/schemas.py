from uuid import UUID

from common.http import Out

from hub.changes.domain import OUTCOMES, Outcome, Result
from hub.changes.lines import Noun


class LineOut(Out):
    """What became of one line; what is no success says which rule of which field, and how to mend it."""

    line: int
    outcome: Outcome
    noun: str | None = None
    id: UUID | None = None
    field: str | None = None
    rule: str | None = None
    message: str | None = None

    @classmethod
    def told(cls, result: Result, english: bool) -> "LineOut":
        return cls(
            line=result.line, outcome=result.outcome, noun=result.noun, id=result.id, field=result.field,
            rule=result.rule, message=result.en if english else result.zh,
        )  # fmt: skip


class ChangesOut(Out):
    """How many lines came to what, and each line in order. `lines_read` of them were looked at."""

    lines_read: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    fork: int = 0
    not_owner: int = 0
    rejected: int = 0
    lines: list[LineOut]

    @classmethod
    def told(cls, results: list[Result], english: bool) -> "ChangesOut":
        counts = {name: sum(result.outcome == name for result in results) for name in OUTCOMES}
        lines = [LineOut.told(result, english) for result in results]
        return cls(
            lines_read=len(lines), lines=lines, **{name: counts[name] for name in counts if counts[name]}
        )


class ForkOut(Out):
    """A record of which two states with one version were said; the first is held. A higher version ends it."""

    noun: Noun
    id: UUID
    epoch: int
    version: int
    content_hash: str
    name: str
