"""The table that people fill in: names of columns, what they mean, and examples."""

import csv
import io
from collections.abc import Iterator, Sequence

from xlsxwriter import Workbook

from hub.changes.lines import Noun
from hub.snapshots import columns
from hub.snapshots.columns import COLUMNS, Column

# Every text is a text: no formula is run, no address becomes a link.
PLAIN = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
}  # fmt: skip
WIDTH = 18


def of(noun: Noun) -> list[Column]:
    return [column for column in COLUMNS if noun in column.nouns and (column.code != "noun")]


def _said(shown: Sequence[Column], noun: Noun | None) -> Iterator[list[str]]:
    """The header, what each column means, and an example for each noun."""
    yield [column.title for column in shown]
    yield ["说明 explained" if column.code == "note" else column.says for column in shown]
    for one in ("provider", "offering") if noun is None else (noun,):
        filled = {
            c.code: c.provider_example if one == "provider" else c.example for c in shown if one in c.nouns
        }
        yield ["示例 example" if c.code == "note" else filled.get(c.code, "") for c in shown]


def template_csv() -> bytes:
    """With the mark that lets Excel read it as UTF-8."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(_said(COLUMNS, None))
    return out.getvalue().encode("utf-8-sig")


def template_xlsx() -> bytes:
    out = io.BytesIO()
    with Workbook(out, PLAIN | {"in_memory": True}) as book:
        bold, grey = (
            book.add_format({"bold": True}),
            book.add_format({"italic": True, "font_color": "#666666"}),
        )
        for noun, name in columns.SHEETS.items():
            sheet, shown = book.add_worksheet(name), of(noun)
            sheet.set_column(0, len(shown) - 1, WIDTH)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(_said(shown, noun)):
                sheet.write_row(number, 0, row, bold if number == 0 else grey)
    return out.getvalue()
