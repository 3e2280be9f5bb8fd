"""A catalogue written as HSDS and read again is the same catalogue."""

import json

import pytest
from common.copies import content_hash
from hsds import About, Dirt, Given, Reader, read_catalogue, terms, write_catalogue
from hsds.scanning import LARGEST
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hsds.samples import (
    Said,
    document,
    every_schema,
    offering,
    organization,
    provider,
    service,
    states,
)


def parts(read):
    items = list(read)
    return (
        [one for one in items if isinstance(one, Given)],
        [one for one in items if isinstance(one, Dirt)],
        [one for one in items if isinstance(one, About)],
    )


def chunks(data, size):
    return (data[at : at + size] for at in range(0, len(data), size))


@settings(max_examples=40, deadline=None)
@given(states(), st.integers(100, 4096))
def test_what_is_written_is_read_again_without_loss(said, size):
    written = b"".join(write_catalogue(said, about=About(deletion_policy="absence", platform="baotou")))
    read, dirt, about = parts(read_catalogue(chunks(written, size)))
    assert not [one for one in dirt if one.severity != "warning"]
    assert [content_hash(one.data) for one in read] == [content_hash(one.data) for one in said]
    assert [(one.noun, one.epoch, one.version, one.deleted, one.platform, str(one.id)) for one in read] == [
        (one.noun, one.epoch, one.version, one.deleted, one.platform, one.data["id"]) for one in said
    ]
    assert (about[0].version, about[0].deletion_policy, about[0].platform) == ("3.0", "absence", "baotou")


@settings(max_examples=25, deadline=None)
@given(states())
def test_what_is_written_follows_the_schemas(tmp_path_factory, said):
    made = json.loads(b"".join(write_catalogue(said)))
    stated, folder, profiled, *published = every_schema(tmp_path_factory.mktemp("schemas"))
    lists = (("organization", "organizations"), ("service", "services"), ("taxonomy_term", "taxonomy_terms"), ("taxonomy", "taxonomies"))  # fmt: skip
    for schemas in (stated, folder, *published):
        wrong = [fault for table, name in lists for one in made[name] for fault in schemas.wrong(table, one)]
        assert wrong == []
    assert [
        fault for table, name in lists for one in made[name] for fault in profiled.wrong(table, one)
    ] == []


def test_the_schemas_object_to_what_they_should(tmp_path):
    """Else the test above would pass on anything."""
    stated, folder, profiled, *published = every_schema(tmp_path)
    (head, *_) = write_catalogue([Said.of(provider())])
    assert head
    made = json.loads(b"".join(write_catalogue([Said.of(provider()), Said.of(offering())])))
    one, two = made["organizations"][0], made["services"][0]
    for schemas in (stated, folder, *published):
        assert schemas.wrong("organization", {**one, "id": "7"})
        assert schemas.wrong("organization", {"id": one["id"]})
        assert schemas.wrong("service", {**two, "status": "open"})
        assert schemas.wrong("service", {**two, "attributes": [{"id": "x"}]})
        assert not schemas.wrong("organization", {k: v for k, v in one.items() if k != "credit_code"})
    assert profiled.wrong("organization", {k: v for k, v in one.items() if k != "credit_code"})
    assert profiled.wrong("organization", {**one, "credit_code": "12345"})
    assert profiled.wrong("service", {**two, "record_version": 0})


def test_the_places_of_the_standard_are_used():
    made = json.loads(
        b"".join(
            write_catalogue(
                [
                    Said.of(provider(categories=("technology_quality",), profile="示例简介")),
                    Said.of(
                        offering(
                            price={"from_cents": 30_050, "to_cents": 60_000, "unit": "sample"},
                            service_area=("1502",),
                            qualifications=("CMA", "CNAS"),
                            state="paused",
                            state_reason="示例：设备检修",
                        )
                    ),
                ]
            )
        )
    )
    one, two = made["organizations"][0], made["services"][0]
    assert (one["description"], one["organization_identifiers"][0]["identifier"]) == (
        "示例简介",
        one["credit_code"],
    )
    place = one["locations"][0]
    assert (place["external_identifier"], place["external_identifier_type"]) == ("150203", "GB/T 2260")
    assert "latitude" not in place
    assert (two["status"], two["alert"]) == ("temporarily closed", "示例：设备检修")
    assert [(cost["amount"], cost["currency"], cost["price_end"]) for cost in two["cost_options"]] == [
        (300.5, "CNY", "from"), (600, "CNY", "to"),
    ]  # fmt: skip
    assert two["accreditations"] == "CMA\nCNAS"
    assert [(area["name"], area["uri"]) for area in two["service_areas"]] == [("包头市", "urn:gbt2260:1502")]
    said = {terms.term(mark["taxonomy_term_id"])["code"] for mark in two["attributes"]}
    assert said == {"technology_quality.testing", "service"}
    assert two["service_at_locations"][0]["location_id"] == place["id"]
    assert "hubnet" not in two and "phones" not in two and "contacts" not in one


def test_what_somebody_edits_in_a_field_of_the_standard_is_heard():
    made = json.loads(b"".join(write_catalogue([Said.of(provider()), Said.of(offering(lead_days=3))])))
    made["services"][0] |= {"name": "改名后的检测", "record_version": 2, "status": "temporarily closed"}
    read, _, _ = parts(read_catalogue(json.dumps(made).encode()))
    assert (read[1].data["title"], read[1].data["state"], read[1].version) == ("改名后的检测", "paused", 2)
    assert read[1].data["lead_days"] == 3


def test_a_tombstone_stays_one():
    said = [Said.of(provider(state="retired")), Said.of(offering(state="retired"))]
    read, _, _ = parts(read_catalogue(b"".join(write_catalogue(said))))
    assert [(one.deleted, one.data["state"]) for one in read] == [(True, "retired")] * 2
    made = json.loads(b"".join(write_catalogue([Said.of(offering(), None)])))
    made["services"][0] |= {"record_deleted": True}
    read, _, _ = parts(read_catalogue(json.dumps(made).encode()))
    assert [(one.deleted, one.data["state"]) for one in read] == [(True, "retired")]


def test_a_foreign_catalogue_becomes_public_states():
    body = document(
        organization(description="示例简介"),
        service(
            cost_options=[
                {"id": "c1", "amount": 100, "currency": "CNY"},
                {"id": "c2", "amount": "250.5"},
            ],
            service_areas=[{"id": "x", "name": "包头市"}, {"id": "y", "uri": "urn:gbt2260:1501"}],
        ),
        version="3.0",
        deletion_policy="absence",
    )
    read, dirt, about = parts(read_catalogue(body))
    assert about[0].deletion_policy == "absence"
    one, two = read
    assert (one.noun, one.reference, one.version, one.data["name"]) == ("provider", "o1", None, "示例机构")
    assert one.data["profile"] == "示例简介" and one.data["state"] == "active"
    assert "version" not in one.data
    assert two.data["provider_id"] == str(one.id) and two.data["provider_name"] == "示例机构"
    assert two.data["category"] == "technology_quality.testing"
    assert two.data["price"] == {"from_cents": 10_000, "to_cents": 25_050, "unit": "case"}
    assert (two.data["service_area"], two.data["division"]) == (["1502", "1501"], "150203")
    assert {one.severity for one in dirt} == {"warning"}
    again, _, _ = parts(read_catalogue(body))
    assert [one.id for one in again] == [one.id for one in read]


def test_a_page_of_an_api_is_a_catalogue_too():
    whole = service(organization=organization())
    page = {"total_items": 1, "empty": False, "contents": [whole]}
    for body in (page, [whole], [organization(), service()]):
        read, dirt, _ = parts(read_catalogue(json.dumps(body).encode()))
        assert [one.noun for one in read] == ["provider", "offering"], dirt


@pytest.mark.parametrize("size", [1, 3, 64, 100_000])
def test_a_document_that_is_cut_off_is_fatal_wherever_it_is_cut(size):
    whole = document(organization(), service())
    for end in range(0, len(whole) - 1, 7 if size > 1 else 41):
        _, dirt, _ = parts(read_catalogue(chunks(whole[:end], size)))
        assert [one.rule for one in dirt if one.severity == "fatal"] == ["not-json"], whole[:end]


@pytest.mark.parametrize(
    "body",
    [b"", b"[", b"7", b'"x"', b"{]", b"[}", b'{"organizations":[1 2]}', b'{"a" 1}', b'{1:2}', b"{} {}", b'{"organizations":[{"id":NaN}]}',
     b'{"organizations":[{]}', b"\xff\xfe{}", b'{"organizations":[' + b"[" * 100_000, b"not json at all", b'{"a":1,}', b"[1,]"],
)  # fmt: skip
def test_what_is_no_json_is_fatal_and_never_an_exception(body):
    for size in (1 if len(body) < 100 else 4096, 1_000_000):
        _, dirt, _ = parts(read_catalogue(chunks(body, size) if body else body))
        fatal = [one for one in dirt if one.severity == "fatal"]
        assert len(fatal) == 1 and fatal[0].zh and fatal[0].en


def test_a_record_without_end_does_not_fill_the_memory():
    reader, dirt = Reader(), []
    dirt += reader.feed(b'{"organizations":[{"id":"')
    for _ in range(LARGEST // 65_536 + 2):
        dirt += reader.feed(b"x" * 65_536)
    dirt += reader.close()
    assert [one.rule for one in dirt if isinstance(one, Dirt)] == ["too-large"]


def test_a_catalogue_of_nothing_is_none():
    for body in (b"{}", b'{"version":"3.0"}', b'{"organizations":{}}', b"[]"):
        _, dirt, _ = parts(read_catalogue(body))
        assert dirt[-1].rule == "no-catalogue"


def test_an_empty_catalogue_is_one():
    """Who has nothing left may say so; a document about something else says nothing."""
    for body in (b"".join(write_catalogue([])), b'{"services":[],"deletion_policy":"absence"}'):
        read, dirt, about = parts(read_catalogue(body))
        assert (read, dirt, len(about)) == ([], [], 1)


def test_memory_is_that_of_one_record():
    """The scanner never holds more text than a chunk and a record."""
    written = b"".join(write_catalogue([Said.of(provider(), None)] + [Said.of(offering(id=f"00000000-0000-4000-8000-{number:012d}")) for number in range(400)]))  # fmt: skip
    reader, most, count = Reader(), 0, 0
    for chunk in chunks(written, 4096):
        count += sum(isinstance(one, Given) for one in reader.feed(chunk))
        most = max(most, len(reader._scanner._text))
    assert count == 401 and len(written) > 400_000
    assert most < 40_000
