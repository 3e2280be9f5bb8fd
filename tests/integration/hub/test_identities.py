"""One organisation registered in two places: linked by its credit code, merged after a look, and back again."""

from uuid import UUID, uuid4

import pytest
from reference import credit_code

CODE = credit_code.complete("91150200EXT000001")
OTHER = credit_code.complete("91150200EXT000002")
LAB, BRANCH, BANK, TEST, TRAINING, LOAN = (uuid4() for _ in range(6))
ACCREDITED = {"name": "CMA", "number": None, "valid_until": None}


@pytest.fixture
async def registered(world, facts):
    """A laboratory at Baotou and once more at Wuhai, and a bank that is registered once."""
    await world.say(
        "baotou",
        facts.provider(LAB, credit_code=CODE, name="示例检测中心", categories=["technology_quality.testing"]),
        facts.offering(TEST, LAB, category="technology_quality.testing", provider_name="示例检测中心"),
        facts.offering(uuid4(), LAB, 2, "paused"),
    )
    await world.say(
        "wuhai",
        facts.provider(
            BRANCH, credit_code=CODE, name="示例检测中心有限公司", division="150300",
            categories=["technology_quality.testing", "talent_training"], qualifications=[ACCREDITED],
        ),
        facts.offering(TRAINING, BRANCH, kind="training", category="talent_training", provider_name="示例检测中心有限公司"),
        facts.provider(BANK, credit_code=OTHER, name="示例银行", division="150300"),
        facts.offering(LOAN, BANK, kind="finance_product", category="finance", provider_name="示例银行"),
    )  # fmt: skip


async def look(world, path=f"/{CODE}", status=200, **query):
    answer = await world.http.get(f"/v1/identities{path}", params=query, headers=await world.operator())
    assert answer.status_code == status, answer.text
    return answer


async def act(world, method, tag, body=None, status=200):
    headers = await world.operator() | ({"If-Match": tag} if tag else {})
    answer = await world.http.request(method, f"/v1/identities/{CODE}/merge", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


async def merged(world, platform="baotou", id=LAB):
    tag = (await look(world)).headers["ETag"]
    return await act(world, "PUT", tag, {"primary": {"platform": platform, "id": str(id)}})


async def shown(world):
    """Organisation by offering, as the public catalogue tells it."""
    items = (await world.http.get("/v1/catalogue")).json()["items"]
    return {UUID(one["id"]): one["organisation"] and UUID(one["organisation"]["id"]) for one in items}


async def organizations(world):
    page = (await world.http.get("/v1/catalogue/hsds/organizations", params={"full": True})).json()
    assert page["total_items"] == len(page["contents"])
    return {UUID(one["id"]): one for one in page["contents"]}


async def test_only_codes_with_several_living_records_are_listed(world, facts, registered):
    (one,) = (await look(world, "")).json()["items"]
    assert one == {
        "credit_code": CODE, "name": "示例检测中心", "platforms": ["baotou", "wuhai"], "records": 2, "merged": 0,
    }  # fmt: skip
    await world.say("wuhai", facts.provider(BRANCH, 2, "retired", credit_code=CODE))
    assert (await look(world, "")).json() == {"items": [], "next_cursor": None}


async def test_the_list_has_pages_in_the_order_of_codes(world, facts, registered):
    await world.say("baotou", facts.provider(uuid4(), credit_code=OTHER))
    first = (await look(world, "", limit=1)).json()
    assert [one["credit_code"] for one in first["items"]] == [CODE]
    then = (await look(world, "", limit=1, after=first["next_cursor"])).json()
    assert [one["credit_code"] for one in then["items"]] == [OTHER] and then["next_cursor"] is None
    await merged(world)
    assert [one["credit_code"] for one in (await look(world, "", merged=True)).json()["items"]] == [CODE]
    assert [one["credit_code"] for one in (await look(world, "", merged=False)).json()["items"]] == [OTHER]


async def test_a_preview_tells_what_a_merge_would_show_and_changes_nothing(world, registered):
    before = (await look(world)).json()
    assert not before["merged"]
    assert before["primary"] == {"platform": "baotou", "id": str(LAB)}
    assert before["together"] == {
        "name": "示例检测中心", "division": "150200", "categories": ["technology_quality.testing", "talent_training"],
        "qualifications": [ACCREDITED], "recognitions": [],
    }  # fmt: skip
    said = {one["field"]: one["said"] for one in before["differences"]}
    assert said["name"] == ["示例检测中心", "示例检测中心有限公司"]
    assert said["division"] == ["150200", "150300"] and "state" not in said
    assert [(one["platform"], one["offerings"], one["primary"]) for one in before["records"]] == [
        ("baotou", 1, None), ("wuhai", 1, None),
    ]  # fmt: skip
    other = (await look(world, platform="wuhai", id=str(BRANCH))).json()
    assert other["together"]["name"] == "示例检测中心有限公司"
    assert (await look(world)).json() == before
    assert set((await shown(world)).values()) == {None}


async def test_merged_they_are_one_organisation_for_everybody(world, registered):
    answer = (await merged(world)).json()
    assert answer["merged"] and all(one["primary"]["id"] == str(LAB) for one in answer["records"])
    assert await shown(world) == {TEST: LAB, TRAINING: LAB, LOAN: None}
    one = (await world.http.get(f"/v1/catalogue/wuhai/{TRAINING}")).json()
    assert one["organisation"] == {"platform": "baotou", "id": str(LAB), "name": "示例检测中心"}
    assert one["provider_id"] == str(BRANCH)
    found = await organizations(world)
    assert found.keys() == {LAB, BANK}
    assert len(found[LAB]["attributes"]) == 2
    services = (
        await world.http.get("/v1/catalogue/hsds/services", params={"organization_id": str(LAB)})
    ).json()
    assert {UUID(one["id"]) for one in services["contents"]} == {TEST, TRAINING}
    assert {one["organization"]["name"] for one in services["contents"]} == {"示例检测中心"}
    linked = (await world.http.get(f"/v1/catalogue/hsds/organizations/{BRANCH}")).json()
    assert linked["id"] == str(LAB)


async def test_a_merge_can_be_undone_and_leaves_the_owners_records_alone(world, registered):
    before = await organizations(world)
    held = await world.rows("SELECT id, version, content_hash, body FROM catalogue_providers ORDER BY id")
    tag = (await merged(world)).headers["ETag"]
    assert (
        await world.rows("SELECT id, version, content_hash, body FROM catalogue_providers ORDER BY id")
        == held
    )
    parted = await act(world, "DELETE", tag)
    assert not parted.json()["merged"]
    assert await organizations(world) == before
    assert set((await shown(world)).values()) == {None}
    again = await act(world, "DELETE", parted.headers["ETag"])
    assert again.json() == parted.json()
    rows = await world.rows(
        "SELECT action, actor, detail FROM audit WHERE action LIKE 'identity.%' ORDER BY id"
    )
    assert [row["action"] for row in rows] == ["identity.merged", "identity.parted"]


async def test_an_edit_of_the_owner_keeps_the_merge_and_another_credit_code_leaves_it(
    world, facts, registered
):
    await merged(world)
    await world.say("wuhai", facts.provider(BRANCH, 2, credit_code=CODE, name="示例检测分部"))
    assert (await shown(world))[TRAINING] == LAB
    await world.say("wuhai", facts.provider(BRANCH, 3, credit_code=OTHER, name="示例检测分部"))
    assert (await shown(world))[TRAINING] is None
    assert (await organizations(world)).keys() == {LAB, BRANCH, BANK}
    # It shares its new code with the bank, and is merged with nobody.
    (one,) = (await look(world, "")).json()["items"]
    assert (one["credit_code"], one["records"], one["merged"]) == (OTHER, 2, 0)
    records = (await look(world, f"/{OTHER}")).json()["records"]
    assert [record["primary"] for record in records] == [None, None]


async def test_who_cannot_be_seen_speaks_for_nobody(world, facts, registered):
    await merged(world)
    await world.say("baotou", facts.provider(LAB, 2, "suspended", credit_code=CODE))
    assert await shown(world) == {TRAINING: None, LOAN: None}
    assert (await organizations(world)).keys() == {BRANCH, BANK}
    await world.say("baotou", facts.provider(LAB, 3, credit_code=CODE))
    assert (await shown(world))[TRAINING] == LAB


async def test_a_later_record_is_linked_and_taken_in_by_merging_again(world, facts, registered):
    await merged(world)
    third = uuid4()
    await world.say("ordos", facts.provider(third, credit_code=CODE, name="示例检测三部"))
    now = (await look(world)).json()
    assert not now["merged"] and now["primary"]["id"] == str(LAB)
    assert third in await organizations(world)
    assert (await merged(world)).json()["merged"]
    assert third not in await organizations(world)


async def test_what_was_not_looked_at_is_not_merged(world, facts, registered):
    body = {"primary": {"platform": "baotou", "id": str(LAB)}}
    await act(world, "PUT", None, body, status=428)
    tag = (await look(world)).headers["ETag"]
    await world.say("wuhai", facts.provider(BRANCH, 2, credit_code=CODE, name="示例改名"))
    await act(world, "PUT", tag, body, status=412)
    await act(world, "DELETE", tag, status=412)
    tag = (await look(world)).headers["ETag"]
    stranger = await act(world, "PUT", tag, {"primary": {"platform": "wuhai", "id": str(BANK)}}, status=422)
    assert (stranger.json()["code"], stranger.json()["field"]) == ("not-among-records", "primary")
    await act(world, "PUT", tag, body)
    await act(world, "PUT", tag, body, status=412)


async def test_one_record_alone_is_no_merge(world, facts, registered):
    tag = (await look(world, f"/{OTHER}")).headers["ETag"]
    answer = await world.http.put(
        f"/v1/identities/{OTHER}/merge",
        json={"primary": {"platform": "wuhai", "id": str(BANK)}},
        headers=await world.operator() | {"If-Match": tag},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-merge")
    await look(world, "/91150000NOTHING000", status=404)
    half = await look(world, platform="wuhai", status=422)
    assert half.json()["field"] == "id"


async def test_departments_look_and_nobody_else_does(world, registered):
    department = await world.person("department", "department")
    assert (await world.http.get(f"/v1/identities/{CODE}", headers=department)).status_code == 200
    tag = (await look(world)).headers["ETag"]
    refused = await world.http.delete(f"/v1/identities/{CODE}/merge", headers=department | {"If-Match": tag})
    assert refused.status_code == 403
    staff = await world.person("staff", "window_staff", home="wuhai")
    assert (await world.http.get("/v1/identities", headers=staff)).status_code == 403
    assert (await world.http.get("/v1/identities")).status_code == 401
