"""The catalogue as an HSDS 3.0 API: pages, whole records, the profile, and an export that loses nothing."""

from uuid import UUID, uuid4

import pytest
from common.copies import content_hash
from hsds import About, Dirt, Given, read_catalogue, terms
from reference import credit_code

from tests.unit.hsds.samples import every_schema

BASE = "/v1/catalogue/hsds"
CODE = credit_code.complete("91150200EXT000001")
LAB, BANK, TEST, LOAN, LATER = (uuid4() for _ in range(5))


async def read(world, path="", status=200, **query):
    answer = await world.http.get(f"{BASE}{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(world, **query):
    return [UUID(one["id"]) for one in (await read(world, "/services", **query))["contents"]]


@pytest.fixture
async def shelf(world, facts):
    """Two platforms, three offerings that are seen and three records that are not."""
    await world.say(
        "baotou",
        facts.provider(LAB, credit_code=CODE, name="示例检测中心", profile="示例简介", state_reason="示例：内部意见"),
        facts.offering(
            TEST, LAB, category="technology_quality.testing", provider_name="示例检测中心", service_area=("1502",),
            price={"from_cents": 30_050, "to_cents": 90_000, "unit": "sample"}, state_reason="示例：内部意见",
        ),
        facts.offering(LATER, LAB, 2, kind="training", title="示例培训", category="training"),
        facts.offering(uuid4(), LAB, 2, "paused"),
        facts.offering(uuid4(), LAB, 3, "retired"),
    )  # fmt: skip
    await world.say("wuhai", facts.provider(BANK, name="示例银行", division="150300"))
    await world.say(
        "wuhai", facts.offering(LOAN, BANK, kind="finance_product", title="示例信用贷", category="finance")
    )
    await world.say("wuhai", facts.provider(uuid4(), 1, "suspended", name="示例停用机构"))


async def test_the_root_tells_version_profile_and_deletion_policy(world):
    root = await read(world)
    assert (root["version"], root["deletion_policy"]) == ("3.0", "tombstone")
    said = (await world.http.get(root["profile"])).json()
    assert said["url"] == root["profile"] and "credit_code" in said["extensions"]["organization"]
    assert (await world.http.get(root["openapi_url"])).json()["openapi"].startswith("3.1")


async def test_each_part_of_the_profile_and_each_schema_has_an_address(world):
    said = await read(world, "/profile")
    for file, patch in said["profile"].items():
        assert await read(world, f"/profile/{file}") == patch
    service = await read(world, "/schema/service.json")
    assert {"status", "division", "record_version"} <= set(service["properties"])
    assert "service_at_locations" in service["properties"]
    for path in ("/profile/phone.json", "/schema/openapi.json", "/schema/nothing.json"):
        await read(world, path, 404)


async def test_what_is_shown_follows_the_schemas(world, shelf, tmp_path):
    found = {
        "service": await read(world, "/services", full=True),
        "organization": await read(world, "/organizations", full=True),
    }
    found["taxonomy"] = await read(world, "/taxonomies")
    found["taxonomy_term"] = await read(world, "/taxonomy_terms", per_page=200)
    listed = {"service": await read(world, "/services"), "organization": await read(world, "/organizations")}
    for schemas in every_schema(tmp_path):
        for pages in (found, listed):
            for table, page in pages.items():
                assert page["contents"], table
                # The bank's code in these tests is none; the profile rightly objects to nothing else.
                wrong = [fault for one in page["contents"] for fault in schemas.wrong(table, one)]
                assert wrong == []


async def test_pages_are_those_of_the_standard(world, shelf):
    first = await read(world, "/services", page=1, per_page=2)
    last = await read(world, "/services", page=2, per_page=2)
    head = {name: value for name, value in first.items() if name != "contents"}
    assert head == {
        "total_items": 3, "total_pages": 2, "page_number": 1, "size": 2, "first_page": True, "last_page": False,
        "empty": False,
    }  # fmt: skip
    assert (last["size"], last["first_page"], last["last_page"]) == (1, False, True)
    seen = [one["id"] for page in (first, last) for one in page["contents"]]
    assert {UUID(one) for one in seen} == {TEST, LOAN, LATER} and seen == sorted(seen)
    beyond = await read(world, "/services", page=9, per_page=2)
    assert (beyond["empty"], beyond["contents"], beyond["last_page"], beyond["total_items"]) == (
        True,
        [],
        True,
        3,
    )
    for wrong in ({"page": 0}, {"per_page": 0}, {"per_page": 201}, {"page": "x"}):
        await read(world, "/services", 422, **wrong)


async def test_a_list_has_plain_fields_and_full_has_all(world, shelf):
    for path, id in (("/services", TEST), ("/organizations", LAB)):
        listed = {one["id"]: one for one in (await read(world, path))["contents"]}[str(id)]
        assert not [name for name, value in listed.items() if isinstance(value, list)]
        whole = await read(world, f"{path}/{id}")
        full = {one["id"]: one for one in (await read(world, path, full=True))["contents"]}[str(id)]
        assert full == whole
        assert {name for name, value in whole.items() if isinstance(value, list)}
        assert (
            listed.items()
            <= {
                **whole,
                **({"organization": listed["organization"]} if "organization" in listed else {}),
            }.items()
        )


async def test_a_service_comes_with_all_that_belongs_to_it(world, shelf):
    one = await read(world, f"/services/{TEST}")
    assert (one["organization"]["name"], one["organization"]["credit_code"]) == ("示例检测中心", CODE)
    assert one["organization_id"] == str(LAB) == one["organization"]["id"]
    assert {mark["taxonomy_term"]["code"] for mark in one["attributes"]} == {
        "technology_quality.testing",
        "service",
    }
    assert [(cost["amount"], cost["price_end"]) for cost in one["cost_options"]] == [
        (300.5, "from"),
        (900, "to"),
    ]
    assert (one["record_epoch"], one["record_version"], one["platform"]) == (1, 1, "baotou")
    assert "内部意见" not in str(one)
    for path in (
        f"/services/{uuid4()}",
        f"/services/{LAB}",
        f"/organizations/{TEST}",
        f"/taxonomies/{uuid4()}",
        f"/taxonomy_terms/{uuid4()}",
    ):
        await read(world, path, 404)


async def test_what_is_not_published_is_not_shown(world, shelf, facts):
    await world.say("wuhai", facts.provider(BANK, 2, "suspended"))
    assert set(await ids(world)) == {TEST, LATER}
    await read(world, f"/services/{LOAN}", 404)
    await read(world, f"/organizations/{BANK}", 404)
    assert [one["name"] for one in (await read(world, "/organizations"))["contents"]] == ["示例检测中心"]


async def test_conditions_add_up(world, shelf):
    testing = terms.term_id(terms.CATEGORY, "technology_quality.testing")
    above = terms.term_id(terms.CATEGORY, "technology_quality")
    training = terms.term_id(terms.KIND, "training")
    categories, kinds = terms.taxonomy_id(terms.CATEGORY), terms.taxonomy_id(terms.KIND)
    cases = [
        ({"taxonomy_term_id": testing}, {TEST}),
        ({"taxonomy_term_id": above}, {TEST}),
        ({"taxonomy_term_id": training}, {LATER}),
        ({"taxonomy_term_id": training, "organization_id": str(BANK)}, set()),
        ({"taxonomy_term_id": training, "taxonomy_id": kinds}, {LATER}),
        ({"taxonomy_term_id": training, "taxonomy_id": categories}, set()),
        ({"taxonomy_id": categories}, {TEST, LOAN, LATER}),
        ({"taxonomy_id": str(uuid4())}, set()),
        ({"taxonomy_term_id": "nothing"}, set()),
        ({"organization_id": str(BANK)}, {LOAN}),
        ({"search": "信用贷"}, {LOAN}),
        ({"search": "信用贷", "organization_id": str(LAB)}, set()),
    ]
    for query, expected in cases:
        assert set(await ids(world, **query)) == expected, query
    assert [one["name"] for one in (await read(world, "/organizations", search="银行"))["contents"]] == [
        "示例银行"
    ]
    for path in ("/services", "/organizations"):
        refused = await read(world, path, 422, modified_after="2026-01-01T00:00:00Z")
        assert (refused["code"], refused["field"]) == ("not-offered", "modified_after")


async def test_terms_are_found_below_their_own(world):
    above = terms.term_id(terms.CATEGORY, "technology_quality")
    below = await read(
        world, "/taxonomy_terms", parent_id=above, taxonomy_id=terms.taxonomy_id(terms.CATEGORY)
    )
    assert "technology_quality.testing" in {one["code"] for one in below["contents"]}
    one = below["contents"][0]
    assert await read(world, f"/taxonomy_terms/{one['id']}") == one
    assert (await read(world, f"/taxonomies/{one['taxonomy_id']}"))["name"] == one["taxonomy"]


async def whole(world, **query):
    answer = await world.http.get(f"{BASE}/catalogue", params=query, headers=await world.operator())
    assert answer.status_code == 200, answer.text
    items = list(read_catalogue(answer.content))
    assert not [one for one in items if isinstance(one, Dirt) and one.severity != "warning"]
    return [one for one in items if isinstance(one, Given)], next(
        one for one in items if isinstance(one, About)
    )


async def test_the_whole_catalogue_is_what_everybody_sees(world, shelf):
    given, about = await whole(world)
    assert {one.id for one in given} == {LAB, BANK, TEST, LOAN, LATER}
    assert [one.noun for one in given] == ["provider"] * 2 + ["offering"] * 3
    assert (about.version, about.deletion_policy) == ("3.0", "tombstone")
    given, about = await whole(world, platform="wuhai")
    assert ({one.id for one in given}, about.platform) == ({BANK, LOAN}, "wuhai")


async def test_with_every_record_nothing_is_lost(world, shelf, monkeypatch):
    """Part by part, in parts smaller than the catalogue."""
    monkeypatch.setattr("hub.directory.router.PART", 2)
    given, _ = await whole(world, every=True)
    held = {
        (row["owner"], str(row["id"])): (row["content_hash"], row["epoch"], row["version"], row["deleted"])
        for table in ("catalogue_providers", "catalogue_offerings")
        for row in await world.rows(f"SELECT owner, id, content_hash, epoch, version, deleted FROM {table}")
    }
    assert len(held) == 8
    assert {
        (one.platform, str(one.id)): (content_hash(one.data), one.epoch, one.version, one.deleted)
        for one in given
    } == held


async def test_the_whole_catalogue_is_for_overseers(world):
    assert (await world.http.get(f"{BASE}/catalogue")).status_code == 401
    staff = await world.person("zhang", "window_staff", home="baotou")
    assert (await world.http.get(f"{BASE}/catalogue", headers=staff)).status_code == 403
    department = await world.person("li-si", "department")
    assert (await world.http.get(f"{BASE}/catalogue", headers=department)).status_code == 200
