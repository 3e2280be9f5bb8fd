"""The tabular form: a folder of CSV files becomes records, and records become CSV files."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hsds import checks, fields, older, profile
from hsds.findings import About, Dirt, Given, found
from hsds.reading import NO_DEFAULTS, Defaults, Reading
from hsds.sheets import Row, Sheet, Sheets

Record = dict[str, Any]
ENCODINGS = ("utf-8-sig", "gb18030")  # the second is what a Chinese spreadsheet saves
DESCRIPTOR = "datapackage.json"
# What is read into the catalogue; the other tables are checked only.
USED = {
    "organization", "service", "location", "service_at_location", "address", "attribute", "taxonomy", "taxonomy_term",
    "service_area", "cost_option", "organization_identifier",
}  # fmt: skip
# A table's list in the record above it: child -> (list, parent, its column there).
_BELOW: tuple[tuple[str, str, str, str], ...] = (
    ("address", "addresses", "location", "location_id"),
    ("organization_identifier", "organization_identifiers", "organization", "organization_id"),
    ("location", "locations", "organization", "organization_id"),
    ("service_area", "service_areas", "service", "service_id"),
    ("cost_option", "cost_options", "service", "service_id"),
    ("service_at_location", "service_at_locations", "service", "service_id"),
)


def read_tables(
    files: Mapping[str, bytes], defaults: Defaults = NO_DEFAULTS
) -> Iterator[Given | Dirt | About]:
    """Read the files of a folder by their names. What cannot be read is told and the rest read all the same."""
    yield _about(files.get(DESCRIPTOR))
    sheets = Sheets()
    for name in sorted(files):
        if name.lower().endswith(".csv"):
            yield from _sheet(name, files[name], sheets)
    if "organization" not in sheets.known:
        yield found("no-table", "organization")
    if "service" not in sheets.known:
        yield found("no-table", "service", severity="warning")
    yield from older.completed(sheets)
    for table in fields.tables():
        if table in sheets.known:
            yield from _checked(sheets.known[table])
    records = {
        table: [(row.number, _record(table, row)) for row in sheet.rows]
        for table, sheet in sheets.known.items()
    }
    yield from _orphans(records)
    _nest(records)
    reading = Reading(defaults, tabular=True)
    for table in ("taxonomy_term", "organization", "service"):
        for number, record in records.get(table, ()):
            yield from reading.take(table, record, number)


def _about(descriptor: bytes | None) -> About:
    try:
        said = json.loads(descriptor or b"{}")
    except (ValueError, RecursionError):
        said = {}
    said = said if isinstance(said, dict) else {}
    policy, made = said.get("deletion_policy"), said.get("hsds_profile")
    return About(
        version=str(said["hsds_version"]) if "hsds_version" in said else None,
        profile=f"{made.get('name')}/{made.get('version')}" if isinstance(made, dict) else None,
        deletion_policy=policy if policy in ("tombstone", "absence") else None,
        platform=said["platform"] if isinstance(said.get("platform"), str) else None,
    )


def _sheet(name: str, raw: bytes, sheets: Sheets) -> Iterator[Dirt]:
    """One file's rows under the names of 3.0."""
    text = _text(raw)
    if text is None:
        yield found("not-text", fields.table_of_file(name) or name)
        return
    lines, broken = _lines(text)
    heads = [head.strip() for head in lines[0][1]] if lines else []
    table, fixed = fields.table_of_file(name), dict[str, str]()
    if older.is_terms(name, heads):
        table = "taxonomy_term"
    elif name in older.FILES:
        table, fixed = older.FILES[name]
    if broken:
        yield found("not-csv", table or name, broken)
    if table is None:
        yield found("unknown-table", name)
        return
    if table != fields.table_of_file(name):
        yield found("older-table", name)
    sheet = Sheet(table, [*heads, *(head for head in fixed if head not in heads)])
    for number, cells in lines[1:]:
        if any(cell.strip() for cell in cells):
            values = {head: cell.strip() for head, cell in zip(heads, cells, strict=False) if head}
            sheet.rows.append(Row(number, fixed | values))
    if name in older.FILES and table in ("address", "schedule"):
        # Two files become one table; each had numbers of its own.
        for row in sheet.rows:
            row.values["id"] = f"{name.removesuffix('.csv')}:{row.values.get('id', row.number)}"
    yield from older.renamed(sheet)
    if sheet.rows and table not in USED and table not in sheets.known:
        yield found("not-loaded", table)
    sheets.put(sheet)


def _lines(text: str) -> tuple[list[tuple[int, list[str]]], int | None]:
    """The rows that can be read, numbered, and the number of the first that cannot."""
    read: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            read.append((number, cells))
    except csv.Error:
        return read, len(read) + 1
    return read, None


def _text(raw: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _checked(sheet: Sheet) -> Iterator[Dirt]:
    """What is wrong with the heads, said once, and with each row."""
    table = fields.tables()[sheet.table]
    known = (
        {one.name for one in table.columns}
        | set(profile.added(table.name))
        | fields.LATER.get(table.name, set())
    )
    apart = older.TAKEN_APART.get(sheet.table, set())
    for head in dict.fromkeys(sheet.heads):
        if head and head not in known and head not in apart:
            yield found("unknown-field", sheet.table, 1, None, head)
    lacking = {
        one.name
        for one in table.columns
        if one.needed_in_tables and sheet.rows and not any(row.values.get(one.name) for row in sheet.rows)
    }
    for name in sorted(lacking - {"id"}):
        yield found("missing-field", sheet.table, 1, None, name)
    no_uuid = False
    ids: set[str] = set()
    contents: set[frozenset[tuple[str, str]]] = set()
    for row in sheet.rows:
        record = {one.name: row.values[one.name] for one in table.columns if one.name in row.values}
        for dirt in checks.check(sheet.table, record, row.number, tabular=True):
            if dirt.rule == "missing-field" and dirt.field in lacking:
                continue
            if dirt.rule == "not-uuid":
                if no_uuid or sheet.made:
                    continue
                no_uuid = True
            yield dirt
        yield from _again(sheet, row, ids, contents)


def _again(
    sheet: Sheet, row: Row, ids: set[str], contents: set[frozenset[tuple[str, str]]]
) -> Iterator[Dirt]:
    """Rows that were there before. Organizations and services are told where they are read."""
    id = row.values.get("id", "")
    if sheet.table not in ("organization", "service"):
        if not id:
            yield found("missing-id", sheet.table, row.number, None, "id", severity="warning")
        elif id in ids:
            yield found("duplicate-id", sheet.table, row.number, id, "id", severity="warning")
        ids.add(id)
    said = frozenset((name, value) for name, value in row.values.items() if name != "id" and value)
    if said and said in contents and not sheet.made:
        yield found("duplicate-row", sheet.table, row.number, id or None)
    contents.add(said)


def _record(table: str, row: Row) -> Record:
    """A row with its numbers, switches and objects as what they are; an empty cell is nothing."""
    known, added = fields.tables()[table].fields, profile.added(table)
    record: Record = {}
    for name, value in row.values.items():
        if not value:
            continue
        if name in known and known[name].plain:
            number = checks.number(value) if known[name].kind == "number" else None
            record[name] = value if number is None else _plain(value, number)
        elif name in added:
            record[name] = _special(value, added[name].get("type"))
    return record


def _plain(text: str, number: float) -> Any:
    try:
        return int(text)
    except ValueError:
        return number


def _special(text: str, kind: str | None) -> Any:
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.casefold(), text)
    if kind not in ("integer", "object"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _orphans(records: Mapping[str, list[tuple[int, Record]]]) -> Iterator[Dirt]:
    """References to what is not there."""
    ids = {table: {str(record.get("id")) for _, record in rows} for table, rows in records.items()}
    for table in fields.tables():
        for column, target in profile.references(table).items():
            if (table, column) == ("service", "organization_id"):
                continue  # told where the service is read, and worse
            for number, record in records.get(table, ()):
                said = record.get(column)
                if said is not None and str(said) not in ids.get(target, ()):
                    yield found("orphan", table, number, str(record.get("id", "")) or None, column)
    for number, record in records.get("attribute", ()):
        entity, link = str(record.get("link_entity", "")), record.get("link_id")
        if link is not None and entity in fields.tables() and str(link) not in ids.get(entity, ()):
            yield found("orphan", "attribute", number, str(record.get("id", "")) or None, "link_id")


def _nest(records: Mapping[str, list[tuple[int, Record]]]) -> None:
    """Put every record below the one it belongs to, as JSON has it."""
    by_id = {
        table: {str(record.get("id")): record for _, record in reversed(rows)}
        for table, rows in records.items()
    }
    for child, name, parent, column in _BELOW:
        for _, record in records.get(child, ()):
            above = by_id.get(parent, {}).get(str(record.get(column)))
            if above is not None:
                above.setdefault(name, []).append(record)
    for _, record in records.get("service_at_location", ()):
        place = by_id.get("location", {}).get(str(record.get("location_id")))
        if place is not None:
            record["location"] = place
    for _, record in records.get("attribute", ()):
        above = by_id.get(str(record.get("link_entity", "")), {}).get(str(record.get("link_id")))
        if above is not None:
            above.setdefault("attributes", []).append(record)


def rows(table: str, record: Record) -> Iterator[tuple[str, dict[str, str]]]:
    """A whole record as rows of tables: itself, then what is nested in it."""
    known = fields.tables()[table].fields
    yield table, {column: _cell(record[column]) for column in profile.columns(table) if column in record}
    for name, value in record.items():
        below = known[name].table if name in known else None
        if below is not None:
            for one in value if isinstance(value, list) else [value]:
                yield from rows(below, one)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
