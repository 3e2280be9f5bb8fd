from uuid import UUID

from common.http import Out

from hub.changes.domain import Outcome as OutcomeName
from hub.snapshots import files
from hub.snapshots.domain import Outcome


class OutcomeOut(Out):
    """What became of one row. `sheet` counts a workbook's; a removed record has no line."""

    line: int | None
    sheet: int | None
    outcome: OutcomeName
    noun: str | None
    id: UUID | None
    field: str | None
    rule: str | None
    message: str | None

    @classmethod
    def told(cls, outcome: Outcome, english: bool) -> "OutcomeOut":
        sheet, line = divmod(outcome.line, files.SHEET)
        inside = outcome.line < files.AFTER
        return cls(
            line=line if inside else None, sheet=sheet + 1 if inside else None, outcome=outcome.outcome,  # pyright: ignore[reportArgumentType]
            noun=outcome.noun, id=outcome.id, field=outcome.field, rule=outcome.rule,
            message=outcome.en if english else outcome.zh,
        )  # fmt: skip


class Outcomes(Out):
    """In the order of the file; ask again with `after=next_after` until it is null."""

    items: list[OutcomeOut]
    next_after: int | None
