"""What is wrong with one record by itself: fields, kinds, words, numbers, addresses, dates."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from hsds import fields, profile
from hsds.fields import Field
from hsds.findings import Dirt, found

Record = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE)
_TIME = re.compile(r"([01]?[0-9]|2[0-4]):[0-5][0-9](:[0-5][0-9])?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?")
_PHONE = re.compile(r"\+?[0-9 ()./\-–—]+?( *(ext|x|转|分机)\.? *[0-9]{1,6})?", re.IGNORECASE)
_DATES = {"valid_from", "valid_to", "dtstart", "until", "assured_date", "last_action_date", "last_modified"}
# The region reaches from 37.4° to 53.4° north and from 97.2° to 126.1° east; a little more for border posts.
NORTH, EAST = (37.0, 53.6), (97.0, 126.3)
DEEPEST = 8


def check(table: str, record: Any, row: int, *, tabular: bool = False, depth: int = 0) -> Iterator[Dirt]:
    """Everything wrong with a record and what is nested in it. In tables a link is needed, nothing is nested."""
    if not isinstance(record, dict) or depth > DEEPEST:
        yield found("not-object", table, row, severity="warning" if depth else "error")
        return
    known = fields.tables()[table]
    added, later = profile.added(table), fields.LATER.get(table, set[str]())
    id = str(record["id"]) if record.get("id") not in (None, "") else None
    for name, value in record.items():
        field = known.fields.get(name)
        if value is None or value == "":
            continue
        if field is None:
            if name not in added and name not in later:
                yield found("unknown-field", table, row, id, name)
        elif field.table is not None:
            yield from _nested(table, field, value, row, id, depth)
        elif (rule := _wrong(field, value)) is not None:
            yield found(rule, table, row, id, name)
    for field in known.fields.values():
        needed = field.needed_in_tables if tabular else field.needed
        if needed and _empty(record.get(field.name)) and field.name != "id":
            yield found("missing-field", table, row, id, field.name)
    for rule, name in OWN_RULES.get(table, _nothing)(record):
        yield found(rule, table, row, id, name)


def _nested(table: str, field: Field, value: Any, row: int, id: str | None, depth: int) -> Iterator[Dirt]:
    assert field.table is not None
    if field.kind == "one":
        yield from check(field.table, value, row, depth=depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from check(field.table, one, row, depth=depth + 1)
    else:
        yield found("wrong-kind", table, row, id, field.name)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _wrong(field: Field, value: Any) -> str | None:
    if field.kind == "number":
        return "wrong-kind" if number(value) is None else None
    if not isinstance(value, str):
        return None if field.kind == "text" and isinstance(value, int | float) else "wrong-kind"
    if field.words and value not in field.words:
        return "unknown-word"
    if field.kind == "uuid":
        return "not-uuid" if field.name == "id" and not _UUID.fullmatch(value) else None
    if field.kind == "uri":
        return None if _URI.fullmatch(value) else "bad-uri"
    if field.kind == "email":
        return None if _EMAIL.fullmatch(value) else "bad-email"
    if field.name in _DATES and not _is_date(value):
        return "bad-date"
    if field.name in ("opens_at", "closes_at") and not _TIME.fullmatch(value):
        return "bad-time"
    return None


def number(value: Any) -> float | None:
    """A number, also as a table writes it; None for what is none."""
    if isinstance(value, bool):
        return None
    try:
        known = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return known if abs(known) != float("inf") and known == known else None


def as_uuid(value: str) -> UUID | None:
    return UUID(value) if _UUID.fullmatch(value) else None


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return len(value) == 10 or value[10:11] in ("T", " ")


def _nothing(_: Record) -> Iterator[tuple[str, str | None]]:
    yield from ()


def _phone(record: Record) -> Iterator[tuple[str, str | None]]:
    said = str(record.get("number") or "").strip()
    digits = [sign for sign in said if sign.isdigit()]
    if said and (not _PHONE.fullmatch(said) or not 5 <= len(digits) <= 20 or len(set(digits)) == 1):
        yield "bad-phone", "number"


def _location(record: Record) -> Iterator[tuple[str, str | None]]:
    north, east = number(record.get("latitude")), number(record.get("longitude"))
    if north is None and east is None:
        return
    if north is None or east is None or abs(north) > 90 or abs(east) > 180 or (north, east) == (0, 0):
        yield "bad-coordinates", "latitude"
    elif not (NORTH[0] <= north <= NORTH[1] and EAST[0] <= east <= EAST[1]):
        yield "outside-region", "latitude"


def _schedule(record: Record) -> Iterator[tuple[str, str | None]]:
    opens, closes = str(record.get("opens_at") or ""), str(record.get("closes_at") or "")
    if _TIME.fullmatch(opens) and _TIME.fullmatch(closes) and closes[:5].zfill(5) < opens[:5].zfill(5):
        yield "ends-before-it-begins", "closes_at"
    yield from _span(record)


def _span(record: Record) -> Iterator[tuple[str, str | None]]:
    begins, ends = str(record.get("valid_from") or ""), str(record.get("valid_to") or "")
    if _is_date(begins) and _is_date(ends) and ends[:10] < begins[:10]:
        yield "ends-before-it-begins", "valid_to"


OWN_RULES: dict[str, Callable[[Record], Iterator[tuple[str, str | None]]]] = {
    "phone": _phone, "location": _location, "schedule": _schedule, "cost_option": _span,
}  # fmt: skip
