"""The profile is what the standard calls one: merge patches that give valid schemas."""

import pytest
from hsds import fields, profile, terms
from hsds.profile import merged
from jsonschema import Draft202012Validator
from reference import categories

from tests.unit.hsds.samples import Schemas, every_schema

# Obligations as the standard states them, written down a second time and by hand.
NEEDED = {
    "organization": {"id", "name", "description"},
    "service": {"id", "name", "status"},
    "location": {"id", "location_type"},
    "phone": {"id", "number"},
    "address": {"id", "address_1", "city", "state_province", "postal_code", "country", "address_type"},
    "taxonomy": {"id", "name", "description"},
    "taxonomy_term": {"id", "name", "description"},
    "organization_identifier": {"id", "identifier_type", "identifier"},
    "service_at_location": {"id"},
    "attribute": {"id"},
    "service_area": {"id"},
    "cost_option": {"id"},
    "program": {"id", "name", "description"},
    "contact": {"id"},
}
NEEDED_IN_TABLES = {
    "service": {"organization_id"},
    "attribute": {"link_id", "taxonomy_term_id", "link_entity"},
    "service_at_location": {"service_id", "location_id"},
    "organization_identifier": {"organization_id"},
    "cost_option": {"service_id"},
    "program": {"organization_id"},
    "metadata": {"resource_id", "resource_type"},
}


def test_the_statement_of_the_standard_has_its_obligations():
    made = profile.schemas()
    assert len(made) == 21
    for table, needed in NEEDED.items():
        assert set(made[f"{table}.json"]["required"]) == needed, table
    for table, needed in NEEDED_IN_TABLES.items():
        assert set(made[f"{table}.json"]["tabular_required"]) == needed, table
    assert made["service.json"]["properties"]["status"]["enum"] == [
        "active", "inactive", "defunct", "temporarily closed",
    ]  # fmt: skip


# What of a property binds a record; the rest is said for people and for tables.
BINDING = ("type", "format", "enum", "items", "$ref")


def test_the_statement_of_the_standard_is_the_published_one(tmp_path):
    """Where the published schemas are given; else it is held to itself, read back."""
    stated, folder, _, *published = every_schema(tmp_path)
    for schemas in (folder, *published):
        for name, ours in stated.schemas.items():
            theirs, later = schemas.schemas[name], fields.LATER.get(name.removesuffix(".json"), set())
            for head in ("path", "required", "tabular_required"):
                assert ours[head] == theirs.get(head, []), (name, head)
            assert _bound(ours) == _bound(theirs, but=later), name


def _bound(schema, but=()):
    return {
        name: {key: said[key] for key in BINDING if key in said}
        for name, said in schema["properties"].items()
        if name not in but
    }


# Source: RFC 7386, appendix A.
CASES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), CASES)
def test_merge_patch_follows_its_rfc(target, patch, result):
    assert merged(target, patch) == result


def test_every_schema_is_one_before_and_after_the_patch():
    for schemas in (Schemas.stated(), Schemas.profiled()):
        for schema in schemas.schemas.values():
            Draft202012Validator.check_schema(schema)


def test_every_patch_belongs_to_a_file_of_the_standard():
    assert set(profile.PATCHES) - {"openapi.json"} <= set(profile.schemas())
    for name in set(profile.PATCHES) - {"openapi.json"}:
        known = fields.tables()[name.removesuffix(".json")].fields
        assert not set(profile.PATCHES[name]["properties"]) & set(known), "an extension replaces nothing"


def test_the_document_names_what_was_promised():
    said = profile.document("http://example.org/profile")
    assert {"credit_code", "division", "record_version", "record_deleted"} <= set(
        said["extensions"]["organization"]
    )
    assert said["extensions"]["service_area"] == ["area_code"]
    assert set(said["deletion_policies"]) == {"tombstone", "absence"}
    assert (said["hsds_version"], said["version"]) == ("3.0", "1.0.0")


def test_a_package_describes_its_files():
    tables = ["organization", "service", "location", "service_at_location"]
    package = profile.datapackage(tables, name="x", deletion_policy="tombstone")
    for resource in package["resources"]:
        schema = resource["schema"]
        names = [field["name"] for field in schema["fields"]]
        assert tuple(names) == profile.columns(resource["name"]) and schema["primaryKey"] in names
        for key in schema.get("foreignKeys", ()):
            assert key["fields"] in names and key["reference"]["resource"] in tables
    links = {key["fields"] for key in package["resources"][3]["schema"]["foreignKeys"]}
    assert links == {"service_id", "location_id"}


def test_every_category_is_a_term_below_its_own():
    by_id = {term["id"]: term for term in terms.terms()}
    known = {
        term["code"]: term
        for term in terms.terms()
        if term["taxonomy_id"] == terms.taxonomy_id(terms.CATEGORY)
    }
    assert set(known) == {one.id for one in categories.all()}
    for one in categories.all():
        above = known[one.id].get("parent_id")
        assert (by_id[above]["code"] if above else None) == one.parent
    assert len(by_id) == len(terms.terms())
