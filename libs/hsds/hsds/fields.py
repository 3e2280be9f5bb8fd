"""The tables and fields of HSDS 3.0, as facts.

Source: openreferral/specification, schema/ (CC BY-SA 4.0): names, types and obligations; no text is taken over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

VERSION = "3.0"
Kind = Literal["text", "number", "uuid", "uri", "email", "date-time", "list", "one"]

# A line is a table, its file, its fields. `!` is needed always, `+` only in tables; `[x]` holds many of the
# table x, `{x}` one; `a|b` are the only words allowed. A field without a kind is text.
_TABLES = """
organization organizations.csv: id! uuid; name!; alternate_name; description!; email email; website uri; tax_status; tax_id; year_incorporated number; legal_status; logo; uri uri; parent_organization_id uuid; funding [funding]; contacts [contact]; phones [phone]; locations [location]; programs [program]; organization_identifiers [organization_identifier]; attributes [attribute]; metadata [metadata]
program programs.csv: id! uuid; organization_id+ uuid; name!; alternate_name; description!; attributes [attribute]; metadata [metadata]
service services.csv: id! uuid; organization_id+ uuid; program_id uuid; name!; alternate_name; description; url uri; email email; status! active|inactive|defunct|temporarily closed; interpretation_services; application_process; fees_description; wait_time; fees; accreditations; eligibility_description; minimum_age number; maximum_age number; assured_date; assurer_email email; licenses; alert; last_modified date-time; phones [phone]; schedules [schedule]; service_areas [service_area]; service_at_locations [service_at_location]; languages [language]; organization {organization}; funding [funding]; cost_options [cost_option]; program {program}; required_documents [required_document]; contacts [contact]; attributes [attribute]; metadata [metadata]
attribute attributes.csv: id! uuid; link_id+ uuid; taxonomy_term_id+ uuid; link_type; link_entity+; value; taxonomy_term {taxonomy_term}; metadata [metadata]
service_at_location service_at_location.csv: id! uuid; service_id+ uuid; location_id+ uuid; description; contacts [contact]; phones [phone]; schedules [schedule]; location {location}; attributes [attribute]; metadata [metadata]
location locations.csv: id! uuid; location_type! physical|postal|virtual; url uri; organization_id uuid; name; alternate_name; description; transportation; latitude number; longitude number; external_identifier; external_identifier_type; languages [language]; addresses [address]; contacts [contact]; accessibility [accessibility]; phones [phone]; schedules [schedule]; attributes [attribute]; metadata [metadata]
phone phones.csv: id! uuid; location_id uuid; service_id uuid; organization_id uuid; contact_id uuid; service_at_location_id uuid; number!; extension number; type; description; languages [language]; attributes [attribute]; metadata [metadata]
contact contacts.csv: id! uuid; organization_id uuid; service_id uuid; service_at_location_id uuid; location_id uuid; name; title; department; email email; phones [phone]; attributes [attribute]; metadata [metadata]
address addresses.csv: id! uuid; location_id uuid; attention; address_1!; address_2; city!; region; state_province!; postal_code!; country!; address_type! physical|postal|virtual; attributes [attribute]; metadata [metadata]
schedule schedules.csv: id! uuid; service_id uuid; location_id uuid; service_at_location_id uuid; valid_from; valid_to; dtstart; timezone number; until; count number; wkst MO|TU|WE|TH|FR|SA|SU; freq WEEKLY|MONTHLY; interval number; byday; byweekno; bymonthday; byyearday; description; opens_at; closes_at; schedule_link uri; attending_type; notes; attributes [attribute]; metadata [metadata]
funding funding.csv: id! uuid; organization_id uuid; service_id uuid; source; attributes [attribute]; metadata [metadata]
service_area service_areas.csv: id! uuid; service_id uuid; name; description; extent; extent_type; uri; attributes [attribute]; metadata [metadata]
required_document required_documents.csv: id! uuid; service_id uuid; document; uri uri; attributes [attribute]; metadata [metadata]
language languages.csv: id! uuid; service_id uuid; location_id uuid; phone_id uuid; name; code; note; attributes [attribute]; metadata [metadata]
accessibility accessibility.csv: id! uuid; location_id uuid; description; details; url uri; attributes [attribute]; metadata [metadata]
taxonomy_term taxonomy_terms.csv: id! uuid; code; name!; description!; parent_id uuid; taxonomy; taxonomy_detail {taxonomy}; language; taxonomy_id uuid; term_uri uri; metadata [metadata]
metadata metadata.csv: id! uuid; resource_id+ uuid; resource_type+; last_action_date!; last_action_type!; field_name!; previous_value!; replacement_value!; updated_by!
cost_option cost_options.csv: id! uuid; service_id+ uuid; valid_from; valid_to; option; currency; amount number; amount_description; attributes [attribute]; metadata [metadata]
organization_identifier organization_identifiers.csv: id! uuid; organization_id+ uuid; identifier_scheme; identifier_type!; identifier!; attributes [attribute]; metadata [metadata]
taxonomy taxonomies.csv: id! uuid; name!; description!; uri uri; version; metadata [metadata]
meta_table_description meta_table_descriptions.csv: id! uuid; name; language; character_set; attributes [attribute]; metadata [metadata]
"""
_FIELD = re.compile(r"(?P<name>\w+)(?P<mark>[!+]?)(?: (?P<kind>.+))?")
# What the versions after 3.0 added: it may be there, and is not used.
LATER = {
    "organization": {"additional_websites"},
    "service": {"additional_urls", "capacities"},
    "attribute": {"label"},
    "service_at_location": {"service_areas"},
    "service_area": {"service_at_location_id"},
}


@dataclass(frozen=True)
class Field:
    """A field. `table` is what a list or a nested object holds; `words` the only ones allowed."""

    name: str
    kind: Kind
    needed: bool = False
    needed_in_tables: bool = False
    table: str | None = None
    words: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it is a column; what is nested is a table of its own."""
        return self.table is None


@dataclass(frozen=True)
class Table:
    """An object of the standard, which is a file in the tabular form."""

    name: str
    file: str
    fields: Mapping[str, Field]

    @property
    def columns(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields.values() if field.plain)


def _field(text: str) -> Field:
    found = _FIELD.fullmatch(text)
    assert found is not None, text
    name, mark, said = found["name"], found["mark"], found["kind"] or "text"
    needed, in_tables = mark == "!", mark in ("!", "+")
    if said[0] in "[{":
        return Field(name, "list" if said[0] == "[" else "one", table=said[1:-1])
    if "|" in said:
        return Field(name, "text", needed, in_tables, words=tuple(said.split("|")))
    kinds: dict[str, Kind] = {
        kind: kind for kind in ("text", "number", "uuid", "uri", "email", "date-time")
    }  # fmt: skip
    return Field(name, kinds[said], needed, in_tables)


@cache
def tables() -> Mapping[str, Table]:
    """Every table by its name."""
    found: dict[str, Table] = {}
    for line in _TABLES.strip().splitlines():
        head, _, rest = line.partition(": ")
        name, file = head.split(" ")
        fields = [_field(part) for part in rest.split("; ")]
        found[name] = Table(name, file, {field.name: field for field in fields})
    return found


def table_of_file(name: str) -> str | None:
    """The table a file holds: services.csv, and service.csv as some write it."""
    for table in tables().values():
        if name in (table.file, f"{table.name}.csv", f"{table.name}s.csv"):
            return table.name
    return None
