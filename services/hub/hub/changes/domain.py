"""What may become of a line, and which lines of one hand-in speak of the same record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from common.contracts.envelope import Contract

from hub.changes.lines import Noun, Rejected, Row

Outcome = Literal["created", "updated", "unchanged", "stale", "fork", "not_owner", "rejected", "removed"]
OUTCOMES: tuple[Outcome, ...] = (
    "created", "updated", "unchanged", "stale", "fork", "not_owner", "rejected", "removed",
)  # fmt: skip
NOUNS: tuple[Noun, ...] = ("provider", "offering")
# How a staged line counts: as a state, as a further state of a record named before, as a deletion of what a
# whole catalogue no longer has, as a fork of a line before, or only as a record that is still there.
Role = Literal["state", "next", "removal", "fork", "present"]
MAX_LINES = 10_000
# What to do about an outcome that is no success: field, rule, Chinese, English.
MENDS: dict[str, tuple[str, str, str, str]] = {
    "stale": (
        "version", "stale-version", "枢纽已有更新的版本；无需处理，或以更高版本提交",
        "the hub holds a newer version; nothing to do, or send it with a higher one",
    ),
    "fork": (
        "version", "same-version-other-content",
        "同一版本内容不同，原内容保留并标记；请以更高版本提交正确内容",
        "the same version says something else; what was held stays and is flagged; send the right content"
        " with a higher version",
    ),
    "not_owner": (
        "id", "not-owner", "该编号属于其他平台的记录；请使用自己的编号",
        "this id is a record of another platform; use an id of your own",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a line; what is no success says which rule of which field, and the mend."""

    line: int
    outcome: Outcome
    noun: str | None = None
    id: UUID | None = None
    field: str | None = None
    rule: str | None = None
    zh: str | None = None
    en: str | None = None

    @classmethod
    def of(cls, line: int, outcome: Outcome, noun: str | None, id: UUID | None) -> "Result":
        return cls(line, outcome, noun, id, *MENDS.get(outcome, ()))

    @classmethod
    def rejected(cls, line: Rejected) -> "Result":
        return cls(line.line, "rejected", line.noun, line.id, line.field, line.rule, line.zh, line.en)


class Fork(Contract):
    """A record of which two states with one version were said. What came first is held."""

    noun: Noun
    id: UUID
    epoch: int
    version: int
    content_hash: str
    name: str


@dataclass
class Lines:
    """Lines of one hand-in, those ready to be staged and those already judged."""

    ready: list[tuple[Role, Row]] = field(default_factory=list)
    judged: list[Result] = field(default_factory=list)
    # Of each record, the newest state so far: epoch, version, mark of its content, whether it was counted here.
    _newest: dict[Noun, dict[int, tuple[int, int, int, bool]]] = field(
        default_factory=lambda: {noun: {} for noun in NOUNS}
    )

    def take(self, lines: Iterable[Row | Rejected]) -> None:
        """Judge each line against those before it that speak of the same record."""
        for line in lines:
            if isinstance(line, Rejected):
                self.judged.append(Result.rejected(line))
            else:
                self._take(line)

    def _take(self, row: Row) -> None:
        before = self._newest[row.noun].get(row.id.int)
        if before is None:
            self._stage("state", row)
            return
        *at, content, counted = before
        if counted or row.based is not None:
            self.judged.append(Result.rejected(_twice(row)))
        elif (row.epoch, row.version) > tuple(at):
            self._stage("next", row)
        elif (row.epoch, row.version) < tuple(at):
            self.judged.append(Result.of(row.line, "stale", row.noun, row.id))
        elif _mark(row) == content:
            self.judged.append(Result.of(row.line, "unchanged", row.noun, row.id))
        else:
            self.ready.append(("fork", row))

    def _stage(self, role: Role, row: Row) -> None:
        state = (row.epoch, row.version, _mark(row), row.based is not None)
        self._newest[row.noun][row.id.int] = state
        self.ready.append((role, row))

    def taken(self) -> tuple[list[tuple[Role, Row]], list[Result]]:
        """What is ready and what is judged since the last time."""
        ready, judged = self.ready, self.judged
        self.ready, self.judged = [], []
        return ready, judged


def _mark(row: Row) -> int:
    """Half of its hash: a hundred thousand of them are held."""
    return int(row.content_hash[:32], 16)


def _twice(row: Row) -> Rejected:
    return Rejected(
        row.line, "id", "duplicate-in-file", "同一记录在提交中重复；请只保留一行，或给出 version",
        "this record came earlier in the same hand-in; keep one line, or give versions", row.noun, row.id,
    )  # fmt: skip
