"""The tables of a directory in the tabular form, as they were read: rows with their numbers."""

from dataclasses import dataclass, field


@dataclass
class Row:
    """A row. Numbers are those of a spreadsheet: the heads are row 1."""

    number: int
    values: dict[str, str]


@dataclass
class Sheet:
    """A table as it stands in its file, or as it was made of another's columns."""

    table: str
    heads: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    made: bool = False


@dataclass
class Sheets:
    """Every table of a directory."""

    known: dict[str, Sheet] = field(default_factory=dict)

    def sheet(self, table: str) -> Sheet:
        return self.known.get(table) or Sheet(table)

    def heads(self, table: str) -> list[str]:
        return self.sheet(table).heads

    def rows(self, table: str) -> list[Row]:
        return self.sheet(table).rows

    def put(self, sheet: Sheet) -> None:
        """Add a file's rows; two files may hold one table."""
        held = self.known.get(sheet.table)
        if held is None:
            self.known[sheet.table] = sheet
            return
        held.heads += [head for head in sheet.heads if head not in held.heads]
        held.rows += sheet.rows

    def add(self, table: str, row: Row) -> None:
        """Add a row that was made of another table's column."""
        held = self.known.setdefault(table, Sheet(table, made=True))
        held.heads += [head for head in row.values if head not in held.heads]
        held.rows.append(row)
