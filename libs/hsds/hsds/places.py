"""Where something is and whom it serves, from what a directory says of it."""

from collections.abc import Iterator
from typing import Any

from reference import divisions

from hsds.findings import Dirt, found
from hsds.mapping import PLACE_SCHEME, extension, objects

Record = dict[str, Any]


def division(
    record: Record,
    row: int,
    reference: str,
    table: str,
    default: str | None,
    ours: bool,
    *,
    inherited: bool = False,
) -> tuple[str | None, list[Dirt]]:
    """The GB/T 2260 code of a record: its own, its locations', its addresses', or the default.

    Shape: an `inherited` default is the provider's own place and is no doubt.
    """
    own = record.get("division") or extension(record)[0].get("division")
    if own:
        if ours or _known(str(own)):
            return str(own), []
        return None, [found("unknown-division", table, row, reference, "division")]
    for place in _locations(record):
        code = str(place.get("external_identifier") or "")
        if str(place.get("external_identifier_type") or "") == PLACE_SCHEME and _known(code):
            return code, []
    for place in _locations(record):
        for address in objects(place, "addresses"):
            if code := _named(address):
                return code, [found("division-by-address", table, row, reference, "division")]
    if default:
        doubt = [] if inherited else [found("division-given", table, row, reference, "division")]
        return default, doubt
    return None, [found("no-division", table, row, reference, "division")]


def _locations(record: Record) -> Iterator[Record]:
    yield from objects(record, "locations")
    for link in objects(record, "service_at_locations"):
        if isinstance(link.get("location"), dict):
            yield link["location"]


def _known(code: str) -> bool:
    try:
        divisions.get(code)
    except divisions.UnknownDivision:
        return False
    return True


def _named(address: Record) -> str | None:
    """The place an address names in full; half a name may be anywhere in the world."""
    parts = [
        str(address.get(part) or "").strip() for part in ("state_province", "city", "region", "address_1")
    ]
    by_name = {place.zh: place.code for place in divisions.everything()}
    by_english = {place.en.casefold(): place.code for place in divisions.everything()}
    for part in reversed(parts[:3]):
        if code := by_name.get(part) or by_english.get(part.casefold()):
            return code
    whole = "".join(parts)
    inside = [code for name, code in by_name.items() if name in whole]
    return max(inside, key=lambda code: (len(divisions.prefix_of(code)), code), default=None)


def areas(record: Record, row: int, reference: str) -> tuple[list[str], list[Dirt]]:
    """The prefixes of the areas a service names, by code or by name."""
    codes: list[str] = []
    doubts: list[Dirt] = []
    by_name = {place.zh: place.code for place in divisions.everything()}
    by_english = {place.en.casefold(): place.code for place in divisions.everything()}
    for one in objects(record, "service_areas"):
        said = str(one.get("area_code") or str(one.get("uri") or "").removeprefix("urn:gbt2260:"))
        name = str(one.get("name") or "").strip()
        code = said if _is_prefix(said) else by_name.get(name) or by_english.get(name.casefold())
        if code is None:
            doubts.append(found("unknown-area", "service", row, reference, "service_areas"))
        else:
            codes.append(divisions.prefix_of(code))
    return list(dict.fromkeys(codes)), doubts


def _is_prefix(code: str) -> bool:
    try:
        return bool(divisions.prefix_of(code)) and _known(code.ljust(6, "0"))
    except divisions.UnknownDivision:
        return False
