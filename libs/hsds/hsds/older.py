"""Directories of HSDS 1 and 2, still the most common: their tables and columns under the names of 3.0."""

from collections.abc import Callable, Iterator
from typing import Any

from hsds.findings import Dirt, found
from hsds.sheets import Row, Sheet, Sheets

# file -> (table of 3.0, values its rows have in 3.0)
FILES: dict[str, tuple[str, dict[str, str]]] = {
    "mail_addresses.csv": ("address", {"address_type": "postal"}),
    "postal_addresses.csv": ("address", {"address_type": "postal"}),
    "physical_addresses.csv": ("address", {"address_type": "physical"}),
    "services_taxonomy.csv": ("attribute", {"link_entity": "service"}),
    "service_taxonomy.csv": ("attribute", {"link_entity": "service"}),
    "service_attributes.csv": ("attribute", {"link_entity": "service"}),
    "services_at_location.csv": ("service_at_location", {}),
    "regular_schedules.csv": ("schedule", {"freq": "WEEKLY"}),
    "holiday_schedules.csv": ("schedule", {}),
    "accessibility_for_disabilities.csv": ("accessibility", {}),
}  # fmt: skip
# table -> column of old -> column of 3.0
COLUMNS: dict[str, dict[str, str]] = {
    "organization": {"url": "website"},
    "service": {"website": "url", "eligibility": "eligibility_description"},
    "phone": {"number_type": "type"},
    "schedule": {"weekday": "byday", "start_date": "valid_from", "end_date": "valid_to"},
    "attribute": {"service_id": "link_id", "taxonomy_id": "taxonomy_term_id"},
    "taxonomy_term": {"taxonomy_id": "id"},
    "accessibility": {"accessibility": "description"},
}
# Columns that are rows of another table in 3.0; the functions below read them.
TAKEN_APART = {
    "service": {"location_id", "taxonomy_ids", "service_areas"},
    "location": {"virtual"},
}


def is_terms(file: str, heads: list[str]) -> bool:
    """Whether taxonomy.csv holds terms, as it did before 3.0."""
    return file == "taxonomy.csv" and "parent_id" in heads


def renamed(sheet: Sheet) -> Iterator[Dirt]:
    """Give the columns of a sheet their names of 3.0, where those are free."""
    for old, new in COLUMNS.get(sheet.table, {}).items():
        if old in sheet.heads and new not in sheet.heads:
            yield found("older-field", sheet.table, 1, None, old)
            sheet.heads[sheet.heads.index(old)] = new
            for row in sheet.rows:
                row.values[new] = row.values.pop(old, "")


def completed(sheets: Sheets) -> Iterator[Dirt]:
    """What 3.0 needs and older tables say elsewhere: links, kinds of places, owners of services."""
    steps: tuple[tuple[str, str, Callable[[Sheets], None]], ...] = (
        ("location", "virtual", _places),
        ("service", "location_id", _links),
        ("service", "taxonomy_ids", _marks),
        ("service", "service_areas", _areas),
    )
    for table, column, step in steps:
        if column in sheets.heads(table):
            yield found("older-field", table, 1, None, column)
            step(sheets)
    terms = sheets.sheet("taxonomy_term")
    if "description" not in terms.heads:
        for row in terms.rows:
            row.values["description"] = row.values.get("name", "")
    for row in sheets.sheet("address").rows:
        row.values.setdefault("address_type", "physical")


def _places(sheets: Sheets) -> None:
    for row in sheets.rows("location"):
        virtual = row.values.get("virtual", "").casefold() in ("true", "t", "1")
        row.values.setdefault("location_type", "virtual" if virtual else "physical")


def _links(sheets: Sheets) -> None:
    """A service stood at one location, and belonged to whom that location belonged to."""
    owners = {
        row.values.get("id", ""): row.values.get("organization_id", "") for row in sheets.rows("location")
    }
    for row in sheets.rows("service"):
        place = row.values.get("location_id", "")
        if place:
            link = {
                "id": f"{row.values.get('id', '')}@{place}",
                "service_id": row.values.get("id", ""),
                "location_id": place,
            }
            sheets.add("service_at_location", Row(row.number, link))
            row.values.setdefault("organization_id", owners.get(place, ""))


def _marks(sheets: Sheets) -> None:
    for row in sheets.rows("service"):
        for code in _parts(row.values.get("taxonomy_ids", "")):
            service = row.values.get("id", "")
            mark: dict[str, Any] = {
                "id": f"{service}#{code}", "link_id": service, "taxonomy_term_id": code, "link_entity": "service",
            }  # fmt: skip
            sheets.add("attribute", Row(row.number, mark))


def _areas(sheets: Sheets) -> None:
    for row in sheets.rows("service"):
        for name in _parts(row.values.get("service_areas", "")):
            service = row.values.get("id", "")
            sheets.add(
                "service_area",
                Row(row.number, {"id": f"{service}~{name}", "service_id": service, "name": name}),
            )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("；", ",").replace(";", ",").split(",") if part.strip()]
