"""The tabular form: files become records and records files; a real old directory is read with all its dirt."""

import csv
import io
import json
from collections import Counter

import pytest
from common.copies import content_hash
from hsds import About, Defaults, Dirt, Given, fields, profile, write_catalogue
from hsds.lines import Line, lines
from hsds.tabular import read_tables, rows
from hypothesis import given, settings

from tests.unit.hsds.samples import OHANA, code, states

ORGANIZATIONS = f"id,name,description,credit_code,division\r\no1,示例机构,,{code(1)},150203\r\n"
SERVICES = "id,organization_id,name,status\r\ns1,o1,示例检测,active\r\n"
ATTRIBUTES = "id,link_id,link_entity,taxonomy_term_id\r\na1,s1,service,t1\r\n"
TERMS = "id,name,description\r\nt1,检测,检测服务\r\n"


def directory(**files):
    known = {
        "organizations": ORGANIZATIONS, "services": SERVICES, "attributes": ATTRIBUTES, "taxonomy_terms": TERMS,
    }  # fmt: skip
    said = {name: text for name, text in (known | files).items() if text is not None}
    return {f"{name}.csv": text if isinstance(text, bytes) else text.encode() for name, text in said.items()}


def read(files, defaults=None):
    items = list(read_tables(files, defaults or Defaults()))
    return [one for one in items if isinstance(one, Given)], [one for one in items if isinstance(one, Dirt)]


def files_of(said):
    """A catalogue as files, as the command writes them."""
    made = json.loads(b"".join(write_catalogue(said)))
    texts, seen = {}, set()
    for key, table in (("taxonomies", "taxonomy"), ("taxonomy_terms", "taxonomy_term"), ("organizations", "organization"), ("services", "service")):  # fmt: skip
        for record in made[key]:
            for name, cells in rows(table, record):
                if (name, cells["id"]) in seen:
                    continue
                seen.add((name, cells["id"]))
                columns = profile.columns(name)
                if name not in texts:
                    texts[name] = io.StringIO()
                    csv.writer(texts[name]).writerow(columns)
                csv.writer(texts[name]).writerow(cells.get(column, "") for column in columns)
    return {profile.file_of(name): text.getvalue().encode() for name, text in texts.items()}


@settings(max_examples=40, deadline=None)
@given(states())
def test_tables_hold_all_that_json_holds(said):
    given, dirt = read(files_of(said))
    assert not [one for one in dirt if one.severity != "warning"]
    known = {one.data["id"]: content_hash(one.data) for one in said}
    # A table has no difference between what is empty and what is not there, and no order of equal ids.
    assert {str(one.id) for one in given} == set(known)
    changed = [one for one in given if content_hash(one.data) != known[str(one.id)]]
    assert changed == []


def test_a_clean_directory_is_read():
    given, dirt = read(directory())
    assert [(one.noun, one.reference, one.row) for one in given] == [
        ("provider", "o1", 2),
        ("offering", "s1", 2),
    ]
    assert given[1].data["category"] == "technology_quality.testing"
    assert {one.severity for one in dirt} == {"warning"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_what_spreadsheets_save_is_read(encoding):
    files = {name: text.decode().encode(encoding) for name, text in directory().items()}
    given, _ = read(files)
    assert [one.data.get("name") or one.data["title"] for one in given] == ["示例机构", "示例检测"]


BROKEN = {
    "no-table": {"services": None},
    "not-text": {"services": b"\xff\xff\xff"},
    "not-csv": {"services": SERVICES + 's2,o1,"open\r\n'},
    "unknown-table": {"colours": "id\r\n1\r\n"},
    "unknown-field": {
        "services": SERVICES.replace("status", "status,colour").replace("active", "active,red")
    },
    "missing-field": {"services": "id,organization_id,name\r\ns1,o1,示例检测\r\n"},
    "not-loaded": {"contacts": "id,name\r\nc1,某人\r\n"},
    "bad-phone": {"phones": "id,number,service_id\r\np1,call,s1\r\n"},
    "orphan": {"phones": "id,number,service_id\r\np1,0471-5200000,s9\r\n"},
    "duplicate-row": {"phones": "id,number\r\np1,0471-5200000\r\np2,0471-5200000\r\n"},
    "duplicate-id": {"phones": "id,number\r\np1,0471-5200000\r\np1,0471-5200001\r\n"},
    "missing-id": {"phones": "id,number\r\n,0471-5200000\r\n"},
}


@pytest.mark.parametrize(("rule", "files"), BROKEN.items())
def test_dirt_of_tables_is_told_and_the_rest_is_read(rule, files):
    given, dirt = read(directory(**files))
    assert rule in {one.rule for one in dirt}
    assert "o1" in [one.reference for one in given]
    if "services" not in files or rule in ("not-csv", "unknown-field", "missing-field"):
        assert "s1" in [one.reference for one in given]


def test_an_attribute_of_nothing_is_an_orphan():
    _, dirt = read(directory(attributes=ATTRIBUTES + "a2,s9,service,t9\r\n"))
    assert {one.field for one in dirt if one.rule == "orphan" and one.id == "a2"} == {
        "link_id",
        "taxonomy_term_id",
    }


def test_the_package_says_what_missing_means():
    said = json.dumps(profile.datapackage(["organization"], name="x", deletion_policy="absence")).encode()
    (about, *_) = read_tables(directory() | {"datapackage.json": said})
    assert about == About("3.0", "hubnet/1.0.0", "absence", None)
    for junk in (b"[]", b"{", b"7", b'{"hsds_profile":7}'):
        (about, *_) = read_tables(directory() | {"datapackage.json": junk})
        assert about.deletion_policy is None


@pytest.fixture(scope="module")
def ohana():
    return {path.name: path.read_bytes() for path in OHANA.glob("*.csv")}


def test_a_real_old_directory_is_read_and_its_dirt_told(ohana):
    """Nothing of it can be taken: its organizations have no credit code. All of its dirt is found."""
    given, dirt = read(ohana)
    assert given == []
    counts = Counter((one.table, one.rule) for one in dirt)
    assert counts["organization", "missing-credit-code"] == 8
    assert counts["service", "refused-organization"] == 23
    # Found by hand in the files: dates in the manner of the country and of year 1, an hour that is none.
    assert {one.row for one in dirt if one.rule == "bad-date"} == {2, 3, 4, 5}
    assert counts["phone", "orphan"] == 6  # the people they belong to were left out
    assert counts["location", "outside-region"] == 21
    assert {("taxonomy.csv", "older-table"), ("mail_addresses.csv", "older-table")} <= set(counts)
    assert {one.field for one in dirt if (one.table, one.rule) == ("service", "older-field")} >= {
        "location_id", "taxonomy_ids", "eligibility",
    }  # fmt: skip
    assert not [one for one in dirt if one.rule == "not-uuid" and one.row != 2]


def test_with_what_it_lacks_the_same_directory_is_taken(ohana):
    """Credit codes and one default category make 23 services of it, linked as its old columns say."""
    heads, *others = csv.reader(io.StringIO(ohana["organizations.csv"].decode()))
    out = io.StringIO()
    csv.writer(out).writerows(
        [[*heads, "credit_code"], *([*row, code(n)] for n, row in enumerate(others, 1))]
    )
    files = ohana | {"organizations.csv": out.getvalue().encode()}
    given, dirt = read(files, Defaults(category="training", division="150100"))
    assert Counter(one.noun for one in given) == {"provider": 8, "offering": 23}
    assert {one.severity for one in dirt} == {"warning"}
    center = next(one for one in given if one.data.get("title") == "Fair Oaks Adult Activity Center")
    assert center.data["provider_name"] == "Peninsula Family Service"
    assert len([one for one in dirt if one.rule == "unknown-area"]) >= 15


def test_lines_are_what_the_import_door_takes(ohana):
    from agency.imports.rows import Row

    found = list(
        lines(
            read_tables(
                directory(
                    services=SERVICES + "s2,o1,停用的,inactive\r\n",
                    attributes=ATTRIBUTES + "a2,s2,service,t1\r\n",
                )
            )
        )
    )
    (line,) = [one for one in found if isinstance(one, Line)]
    row = Row.model_validate(line.body)
    assert (line.row, line.reference, row.offering.external_ref, row.provider.external_ref) == (
        2,
        "s1",
        "s1",
        "o1",
    )
    assert (row.provider.credit_code, row.offering.category) == (code(1), "technology_quality.testing")
    assert ("service", 3, "not-active") in {
        (one.table, one.row, one.rule) for one in found if isinstance(one, Dirt)
    }


def test_every_file_of_the_standard_is_known_under_its_names():
    for table in fields.tables().values():
        assert fields.table_of_file(table.file) == table.name
    assert fields.table_of_file("service_at_locations.csv") == "service_at_location"
    assert fields.table_of_file("readme.csv") is None
