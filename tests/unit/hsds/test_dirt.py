"""Each kind of dirt is told with its place, and never stops what is clean."""

import json

import pytest
from hsds import Defaults, Dirt, Given, read_catalogue, write_catalogue
from hsds.findings import RULES
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hsds.samples import Said, code, document, offering, organization, provider, service


def read(*records, defaults=None, **head):
    items = list(read_catalogue(document(*records, **head), defaults or Defaults()))
    return [one for one in items if isinstance(one, Given)], [one for one in items if isinstance(one, Dirt)]


def rules(dirt, severity=None):
    return {one.rule for one in dirt if severity in (None, one.severity)}


BAD_CODE = code(1)[:-1] + ("0" if code(1)[-1] != "0" else "1")
REFUSED = {
    "missing-credit-code": [{"credit_code": None}],
    "bad-credit-code": [{"credit_code": BAD_CODE}, {"credit_code": "12345"}],
    "unknown-division": [{"division": "150299"}, {"division": "San Mateo"}],
    "no-division": [{"division": None}],
    "missing-name": [{"name": " "}, {"name": None}],
    "missing-id": [{"id": None}, {"id": ""}],
    "string-too-long": [
        {"name": "x" * 201, "record_version": 1, "id": "00000000-0000-4000-8000-000000000007"}
    ],
}


@pytest.mark.parametrize(("rule", "other"), [(rule, one) for rule, many in REFUSED.items() for one in many])
def test_an_organization_that_cannot_be_taken_is_told_and_the_next_is_taken(rule, other):
    given, dirt = read(organization(**other), organization(id="o2", credit_code=code(2), name="示例二"))
    assert [one.reference for one in given] == ["o2"]
    (fault,) = [one for one in dirt if one.rule == rule]
    assert (fault.table, fault.row, fault.severity) == ("organization", 1, "error")


SERVICES_REFUSED = {
    "no-organization": {"organization_id": "nowhere"},
    "no-category": {"attributes": []},
    "unknown-category": {"attributes": [{"id": "a", "taxonomy_term": {"id": "t", "name": "Podiatry"}}]},
    "missing-name": {"name": ""},
    "unknown-division": {"division": "999999"},
}


@pytest.mark.parametrize(("rule", "other"), SERVICES_REFUSED.items())
def test_a_service_that_cannot_be_taken_is_told_and_the_next_is_taken(rule, other):
    given, dirt = read(organization(), service(**other), service(id="s2", name="示例二"))
    assert [one.reference for one in given] == ["o1", "s2"]
    (fault,) = [one for one in dirt if one.rule == rule]
    assert (fault.table, fault.row, fault.severity) == ("service", 1, "error")


TOLERATED = [
    ("bad-phone", "phone", {"phones": [{"id": "p", "number": "call us"}]}),
    ("bad-phone", "phone", {"phones": [{"id": "p", "number": "0000000"}]}),
    ("bad-phone", "phone", {"phones": [{"id": "p", "number": "12"}]}),
    ("missing-field", "phone", {"phones": [{"id": "p"}]}),
    ("bad-email", "service", {"email": "nobody"}),
    ("bad-uri", "service", {"url": "www"}),
    ("wrong-kind", "service", {"minimum_age": "old"}),
    ("wrong-kind", "service", {"phones": "0471-5200000"}),
    ("not-object", "phone", {"phones": ["0471-5200000"]}),
    ("unknown-word", "service", {"status": "open"}),
    ("unknown-field", "service", {"colour": "red"}),
    ("unknown-area", "service", {"service_areas": [{"id": "x", "name": "Colma"}]}),
    ("bad-price", "service", {"cost_options": [{"id": "x", "amount": 2.5, "currency": "USD"}]}),
    ("bad-price", "service", {"cost_options": [{"id": "x", "amount": -1}]}),
    ("bad-price", "service", {"cost_options": [{"id": "x", "amount": 0.001}]}),
    ("bad-date", "schedule", {"schedules": [{"id": "x", "valid_from": "12/24/15"}]}),
    ("bad-date", "service", {"last_modified": "yesterday"}),
    ("bad-time", "schedule", {"schedules": [{"id": "x", "opens_at": "9am"}]}),
    ("ends-before-it-begins", "schedule", {"schedules": [{"id": "x", "opens_at": "17:00", "closes_at": "09:00"}]}),
    ("ends-before-it-begins", "schedule", {"schedules": [{"id": "x", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}]}),
    ("too-long", "service", {"description": "长" * 20_001}),
    ("not-uuid", "service", {}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "table", "other"), TOLERATED)
def test_lesser_dirt_is_told_and_the_record_taken_all_the_same(rule, table, other):
    given, dirt = read(organization(), service(**other))
    assert [one.reference for one in given] == ["o1", "s1"]
    assert (rule, table, "warning") in {(one.rule, one.table, one.severity) for one in dirt}


@pytest.mark.parametrize(
    "number",
    ["0471-5200000", "+86 471 520 0000", "(0471) 520-0000", "650 780-7525", "0471-5200000 转 12", "12345"],
)
def test_a_good_number_is_no_dirt(number):
    _, dirt = read(organization(phones=[{"id": "p", "number": number}]))
    assert "bad-phone" not in rules(dirt)


PLACES = [
    ("bad-coordinates", 0, 0), ("bad-coordinates", 91, 100), ("outside-region", 37.5, -122.3),
    ("outside-region", 111.7, 40.8), (None, 40.8, 111.7),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "latitude", "longitude"), PLACES)
def test_coordinates_lie_in_the_region(rule, latitude, longitude):
    place = {"id": "l", "location_type": "physical", "latitude": latitude, "longitude": longitude}
    given, dirt = read(organization(locations=[place]))
    told = rules(dirt) & {"bad-coordinates", "outside-region", "wrong-kind"}
    assert len(given) == 1
    # 111.7° north does not exist: it is swapped, and told as no coordinate at all.
    assert told == ({rule} if rule and latitude <= 90 else {"bad-coordinates"} if rule else set())


def test_the_same_organization_twice_is_told():
    given, dirt = read(
        organization(),
        organization(name="示例机构二"),
        organization(id="o3", name="示例机构三"),
        organization(id="o4", credit_code=code(4)),
    )
    assert [one.reference for one in given] == ["o1", "o4"]
    told = {(one.row, one.rule, one.severity) for one in dirt}
    assert {(2, "duplicate-id", "error"), (3, "duplicate-credit-code", "error")} <= told
    assert (4, "duplicate-organization", "warning") in told


def test_the_same_service_twice_is_told():
    given, dirt = read(organization(), service(), service(id="s2"), service())
    assert [one.reference for one in given] == ["o1", "s1", "s2"]
    told = {(one.row, one.rule, one.severity) for one in dirt}
    assert {(2, "duplicate-service", "warning"), (3, "duplicate-id", "error")} <= told


def test_services_of_a_refused_organization_say_whose_fault_it_is():
    given, dirt = read(organization(credit_code=None), service())
    assert given == []
    assert rules(dirt, "error") == {"missing-credit-code", "refused-organization"}


def test_a_credit_code_is_also_found_among_the_identifiers():
    one = {"id": "i", "identifier_type": "company", "identifier": code(1)}
    named = {"id": "i", "identifier_type": "统一社会信用代码", "identifier": f" {code(1).lower()} "}
    for identifier in (one, named):
        given, _ = read(organization(credit_code=None, organization_identifiers=[identifier]))
        assert [record.data["credit_code"] for record in given] == [code(1)]
    given, dirt = read(
        organization(credit_code=None, organization_identifiers=[{**named, "identifier": "x"}])
    )
    assert given == [] and "bad-credit-code" in rules(dirt)


def test_a_place_is_found_in_an_address_that_names_it():
    address = {"id": "a", "address_1": "示例路1号", "city": "包头市", "state_province": "内蒙古自治区", "postal_code": "014000", "country": "CN", "address_type": "physical"}  # fmt: skip
    place = {"id": "l", "location_type": "physical", "addresses": [address]}
    given, dirt = read(organization(division=None, locations=[place]))
    assert given[0].data["division"] == "150200"
    assert "division-by-address" in rules(dirt, "warning")
    coded = {
        "id": "l",
        "location_type": "physical",
        "external_identifier": "150203",
        "external_identifier_type": "GB/T 2260",
    }
    given, dirt = read(organization(division=None, locations=[coded]))
    assert given[0].data["division"] == "150203" and "division-by-address" not in rules(dirt)


def test_defaults_stand_in_and_are_told():
    given, dirt = read(
        organization(division=None),
        service(attributes=[]),
        defaults=Defaults(category="training", division="150100"),
    )
    assert [one.data["division"] for one in given] == ["150100", "150100"]
    assert given[1].data["category"] == "training"
    assert {"division-given", "category-given"} <= rules(dirt, "warning")


@pytest.mark.parametrize("name", ["检验检测", "Testing", "technology_quality.testing"])
def test_a_category_is_found_by_its_name_and_that_is_told(name):
    from hsds import terms

    known = terms.term(terms.term_id(terms.CATEGORY, "technology_quality.testing"))
    said = {"检验检测": known["name"], "Testing": known["description"]}.get(name, name)
    given, dirt = read(
        organization(), service(attributes=[{"id": "a", "taxonomy_term": {"id": "t", "name": said}}])
    )
    assert given[1].data["category"] == "technology_quality.testing"
    assert "category-by-name" in rules(dirt)


def test_a_record_of_this_profile_is_held_to_the_contract_alone():
    """What one platform may say on the bus it may say in a file."""
    said = [
        Said.of(provider(credit_code="91150200MA0N0000X1", division="990000")),
        Said.of(offering(category="of-another")),
    ]
    items = list(read_catalogue(b"".join(write_catalogue(said))))
    assert [one.data for one in items if isinstance(one, Given)] == [one.data for one in said]
    assert rules([one for one in items if isinstance(one, Dirt)]) == {"bad-credit-code"}


def test_a_broken_record_of_this_profile_names_the_rule():
    made = json.loads(b"".join(write_catalogue([Said.of(provider()), Said.of(offering())])))
    made["services"][0]["hubnet"] = {"fields": {"lead_days": -1}}
    items = list(read_catalogue(json.dumps(made).encode()))
    (fault,) = [one for one in items if isinstance(one, Dirt)]
    assert (fault.field, fault.rule, fault.severity) == ("lead_days", "greater-than-equal", "error")
    assert len([one for one in items if isinstance(one, Given)]) == 1


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "a\u202eb"])
def test_text_that_breaks_databases_or_readers_is_refused_wherever_it_hides(text):
    for place in ({"name": text}, {"hubnet": {"fields": {"grown_later": {"x": [text]}}}}):
        made = json.loads(b"".join(write_catalogue([Said.of(provider()), Said.of(offering())])))
        made["services"][0] |= place
        items = list(read_catalogue(json.dumps(made).encode()))
        assert [one.noun for one in items if isinstance(one, Given)] == ["provider"]
        assert any(isinstance(one, Dirt) and one.severity == "error" for one in items)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = [
    "id", "name", "description", "status", "attributes", "service_areas", "cost_options", "locations", "hubnet",
    "record_version", "record_deleted", "division", "credit_code", "organization", "organization_id", "platform",
    "organization_identifiers", "service_at_locations", "phones", "accreditations", "alert",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["organization", "service"]),
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6),
    st.booleans(),
)
def test_no_record_whatever_it_holds_stops_the_reading(table, junk, ours):
    made = json.loads(b"".join(write_catalogue([Said.of(provider()), Said.of(offering())])))
    name = f"{table}s"
    broken = ({**made[name][0], **junk}) if ours else junk
    after = organization(id="last", credit_code=code(9), name="示例末位")
    made[name].insert(0, broken)
    made["organizations"].append(after)
    items = list(read_catalogue(json.dumps(made).encode()))
    assert "last" in [one.reference for one in items if isinstance(one, Given)]
    assert not [one for one in items if isinstance(one, Dirt) and one.severity == "fatal"]


def test_every_rule_says_what_to_do_in_both_languages():
    for rule, (_, zh, en) in RULES.items():
        assert zh and en and not zh.isascii() and en.isascii(), rule
