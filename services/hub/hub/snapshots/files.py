"""Files of a whole catalogue, read row by row: never whole in memory, and no row stops the next."""

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO
from uuid import UUID

from hsds import About, Dirt, Given, Reader

from hub.changes import lines
from hub.changes.lines import Noun, Read, Rejected
from hub.snapshots import columns
from hub.snapshots.columns import Cell, Header, Unreadable
from hub.uploads.domain import Broken, Format

PIECE = 1 << 20
# Beyond this a cell is no text of a catalogue.
MAX_CELL = 131_072
MAX_ROW = 4 * MAX_CELL
# Lines of the sheets after the first begin at multiples of this.
SHEET = 10_000_000
SAMPLE = 1 << 20
# Records that a file no longer has are told after its last line.
AFTER = 10**12

Row = tuple[int, str, list[Cell]]


Mine = Callable[[int], bool]


def read(
    file: BinaryIO, form: Format, node: str, mine: Mine = lambda _: True
) -> Iterator[Read | Rejected | None]:
    """Every row of a file as a line; None for one that holds no record, and where its place is not `mine`.

    Raises: Broken.
    """
    if form == "ndjson":
        return ndjson(file, mine)
    if form == "hsds":
        return hsds(file, node)
    return table(rows(file) if form == "csv" else sheets(file), node, mine)


def ndjson(file: BinaryIO, mine: Mine) -> Iterator[Read | Rejected | None]:
    number = 0
    while text := file.readline(lines.MAX_LINE + 1):
        number += 1
        whole = text
        while not whole.endswith(b"\n") and (whole := file.readline(PIECE)):
            pass
        if number == 1:
            text = text.removeprefix(codecs.BOM_UTF8)
        yield lines.read(number, text) if mine(number - 1) and text.strip() else None


def encoding(sample: bytes) -> str:
    """How a text file of unknown origin is written.

    Raises: Broken.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for name in ("utf-8-sig", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(sample)
            return name
        except UnicodeDecodeError:
            continue
    raise Broken(
        "unknown-encoding", zh="无法识别文件编码；请以 UTF-8 或 GB18030 保存", en="the encoding is unknown; save it as UTF-8 or GB18030", field="body"
    )  # fmt: skip


def rows(file: BinaryIO) -> Iterator[Row]:
    """The rows of a CSV file; a row that cannot be read is empty but for a mark."""
    sample = file.read(SAMPLE)
    file.seek(0)
    # A byte that is no character becomes one that the rules of text refuse, in its row alone.
    text = io.TextIOWrapper(file, encoding(sample), errors="surrogateescape", newline="")
    first = text.readline(MAX_ROW)
    delimiter = max(",\t;", key=first.count)

    def pieces() -> Iterator[str]:
        yield first
        while piece := text.readline(MAX_ROW):
            yield piece

    reader = csv.reader(pieces(), delimiter=delimiter, strict=False)
    while True:
        try:
            cells: list[Cell] = list(next(reader))
        except StopIteration:
            break
        except csv.Error:
            cells = [None, "\0"]
        yield reader.line_num, "", cells
    text.detach()


def sheets(file: BinaryIO) -> Iterator[Row]:
    """The rows of a workbook that was unpacked: one JSON array a line, [sheet, its name, row, cells]."""
    for text in file:
        sheet, name, row, cells = json.loads(text)
        yield sheet * SHEET + row, name, cells


def table(rows: Iterator[Row], node: str, mine: Mine) -> Iterator[Read | Rejected | None]:
    """The rows of a table under their headers.

    Raises: Broken when no sheet has a header.
    """
    names: dict[UUID, str] = {}
    headers: dict[int, Header | None] = {}
    wrong: Unreadable | None = None
    for place, (line, sheet, cells) in enumerate(rows):
        number = line // SHEET
        found: Read | Rejected | None = None
        if number not in headers:
            if any(columns.written(cell) for cell in cells):
                try:
                    headers[number] = Header.of(cells, sheet)
                except Unreadable as error:
                    headers[number], wrong = None, error
        elif (header := headers[number]) is None:
            pass
        elif mine(place):
            found = _row(line, cells, header, node, names)
        elif columns.of_provider(cells, header):
            _row(line, cells, header, node, names)  # for its name
        yield found
    if wrong is not None and not any(headers.values()):
        raise Broken(wrong.code, zh=wrong.zh, en=wrong.en, field=wrong.field)


def _row(
    line: int, cells: Sequence[Cell], header: Header, node: str, names: dict[UUID, str]
) -> Read | Rejected | None:
    if list(cells[:2]) == [None, "\0"]:
        return Rejected(
            line, None, "row-unreadable", "该行无法解析（引号未闭合或单元格过长）；请修正",
            "the row cannot be parsed (an open quote, or a cell too long); mend it",
        )  # fmt: skip
    row = columns.cells(cells, header)
    if columns.skipped(row):
        return None
    noun: Noun | None = None
    id: UUID | None = None
    try:
        noun = columns.noun_of(row, header)
        if "id" not in row:
            raise Unreadable("missing", zh="缺少编号；请补充", en="the id is missing; add it", field="id")
        id = columns.id_of(node, noun, row["id"])
        if max(map(len, row.values())) > MAX_CELL:
            raise Unreadable("cell-too-long", zh="单元格过长", en="a cell is too long", field=None)
        said = columns.change(row, noun, node, names)
    except Unreadable as error:
        return Rejected(line, error.field, error.code, error.zh, error.en, noun, id)
    if noun == "provider" and "name" in row:
        names[id] = row["name"]
    return named(lines.checked(line, said))


def named(found: Read | Rejected) -> Read | Rejected:
    """A rejection names the column, not the field."""
    if isinstance(found, Read):
        return found
    return Rejected(
        found.line, columns.field(found.field), found.rule, found.zh, found.en, found.noun, found.id
    )


def hsds(file: BinaryIO, node: str) -> Iterator[Read | Rejected | None]:
    """Records of a document in the HSDS 3 profile; their line is their place in the document.

    Raises: Broken where the document ends before its end.
    """
    reader, line = Reader(), 0
    while piece := file.read(PIECE):
        for item in reader.feed(piece):
            line += not isinstance(item, About)
            yield _given(line, item, node)
    for item in reader.close():
        line += not isinstance(item, About)
        yield _given(line, item, node)


def _given(line: int, item: Given | Dirt | About, node: str) -> Read | Rejected | None:
    if isinstance(item, About):
        return None
    if isinstance(item, Dirt):
        if item.severity == "fatal":
            raise Broken(item.rule, zh=item.zh, en=item.en, field=item.field)
        if item.severity == "warning":
            return None
        noun = {"organization": "provider", "service": "offering"}.get(item.table)
        return Rejected(
            line, lines.printable(".".join(filter(None, (item.table, item.field)))), item.rule, item.zh, item.en,
            noun, _uuid(item.id) if noun else None,  # pyright: ignore[reportArgumentType]
        )  # fmt: skip
    if item.platform not in (None, node):
        return Rejected(
            line, "platform", "foreign-platform", f"该记录属于平台 {node} 以外的平台；请只提交自己的记录",
            "the record belongs to another platform; hand in your own only", item.noun, item.id,
        )  # fmt: skip
    said = {
        "noun": item.noun, "id": item.id, "epoch": item.epoch, "version": item.version, "deleted": item.deleted,
        "data": item.data,
    }  # fmt: skip
    return lines.checked(line, said)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
