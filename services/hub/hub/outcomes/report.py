"""A file as it came, with what became of each row, as a workbook for people."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from hub.snapshots import columns
from hub.snapshots.columns import Cell
from hub.snapshots.domain import Outcome
from hub.snapshots.templates import PLAIN, WIDTH

OUTCOME = ("结果 outcome", "列 field", "规则 rule", "如何修改 mend", "How to mend")
OUTCOMES_ZH = {
    "created": "新增", "updated": "更新", "unchanged": "无变化", "stale": "版本过旧", "fork": "版本分叉",
    "not_owner": "非本平台记录", "rejected": "未采纳", "removed": "已删除",
}  # fmt: skip
NO_TABLE = ("行 line", "记录 noun", "编号 id")
REMOVED = "已删除 removed"
MAX_TEXT = 32_767
PIECE = 1 << 16


class Annotated:
    """The rows of a file with their outcomes, written one after the other."""

    def __init__(self, file: BinaryIO):
        self._book = Workbook(file, PLAIN)
        self._bold = self._book.add_format({"bold": True})
        self._sheets: dict[str, tuple[Worksheet, int, int]] = {}

    def row(self, sheet: str, cells: Sequence[Cell], outcome: Outcome | None) -> None:
        """A row as it came. The first of a sheet is its header; one without an outcome was no data."""
        if sheet not in self._sheets:
            self._open(sheet, [*map(columns.written, cells)], len(cells))
            return
        self._write(sheet, cells, outcome)

    def outcome(self, sheet: str, outcome: Outcome) -> None:
        """An outcome whose row is not at hand."""
        if sheet not in self._sheets:
            self._open(sheet, NO_TABLE, len(NO_TABLE))
        line = None if sheet == REMOVED else outcome.line
        self._write(sheet, (line, outcome.noun, str(outcome.id or "")), outcome)

    def close(self) -> None:
        if not self._sheets:
            self._open(REMOVED, NO_TABLE, len(NO_TABLE))
        self._book.close()

    def _open(self, name: str, header: Sequence[str], width: int) -> None:
        sheet = self._book.add_worksheet(_sheet_name(name, len(self._sheets)))
        sheet.set_column(0, width + len(OUTCOME) - 1, WIDTH)
        for place, text in enumerate([*header, *OUTCOME]):
            sheet.write_string(0, place, columns.guarded(text)[:MAX_TEXT], self._bold)
        self._sheets[name] = sheet, width, 1

    def _write(self, name: str, cells: Sequence[Cell], outcome: Outcome | None) -> None:
        sheet, width, number = self._sheets[name]
        told: tuple[Any, ...] = ()
        if outcome is not None:
            zh = OUTCOMES_ZH.get(outcome.outcome, "")
            told = (f"{zh} {outcome.outcome}", outcome.field, outcome.rule, outcome.zh, outcome.en)
        filled = [*cells[:width], *(None for _ in range(width - len(cells))), *told]
        for place, cell in enumerate(filled):
            if isinstance(cell, int | float) and not isinstance(cell, bool):
                sheet.write_number(number, place, cell)
            elif text := columns.written(cell):
                sheet.write_string(number, place, columns.guarded(text)[:MAX_TEXT])
        self._sheets[name] = sheet, width, number + 1


def _sheet_name(name: str, number: int) -> str:
    """A name that a workbook takes: short, without its special characters, each once."""
    plain = "".join(c for c in name if c not in "[]:*?/\\'").strip()[:25] or "目录 catalogue"
    return plain if number == 0 else f"{plain} {number + 1}"


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, which is gone afterwards."""
    with file:
        while piece := file.read(PIECE):
            yield piece
