"""A provider says what it wants to hear of; the network is told."""

import asyncio

import pytest
from common.ids import new

from tests.integration.agency.conftest import registration

WISH = {"categories": ["technology_quality.testing"], "areas": ["1502", "150203"], "least_score": 0.25}


@pytest.fixture
def address(provider):
    return f"/v1/providers/{provider['id']}/subscription"


async def test_a_subscription_starts_changes_ends_and_starts_again(platform, agency, provider, address):
    assert (await agency.get(address)).status_code == 404
    first = await agency.put(address, json=WISH)
    assert first.status_code == 201, first.text
    assert first.json() | WISH == first.json()
    assert (first.json()["state"], first.json()["provider_id"]) == ("active", provider["id"])
    read = await agency.get(address)
    assert (read.json(), read.headers["etag"]) == (first.json(), first.headers["etag"])
    changed = await agency.put(address, json={}, headers={"If-Match": first.headers["etag"]})
    assert (changed.status_code, changed.json()["version"], changed.json()["areas"]) == (200, 2, [])
    ended = await agency.delete(address)
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    assert (await agency.delete(address)).json() == ended.json()
    assert (await agency.get(address)).json()["state"] == "ended"
    again = await agency.put(address, json=WISH)
    assert (again.status_code, again.json()["version"], again.json()["state"]) == (200, 4, "active")
    said = await platform.said("subscription.%")
    assert [(e["type"], e["data"]["version"]) for e in said] == [
        ("subscription.changed.v1", 1),
        ("subscription.changed.v1", 2),
        ("subscription.ended.v1", 3),
        ("subscription.changed.v1", 4),
    ]
    assert {e["subject"] for e in said} == {first.json()["id"]}
    assert said[0]["data"] | WISH == said[0]["data"]
    assert {e["data"]["platform"] for e in said} == {platform.node}
    assert "agency-1" not in str(said)


async def test_the_same_wish_again_is_one_act(platform, agency, address):
    first = await agency.put(address, json=WISH)
    doubled = WISH | {"categories": WISH["categories"] * 2}
    for body in (WISH, doubled):
        again = await agency.put(address, json=body, headers={"If-Match": '"1.77"'})
        assert (again.status_code, again.json()) == (201, first.json())
    assert len(await platform.said("subscription.%")) == 1


async def test_a_change_says_what_it_is_based_on(agency, address):
    await agency.put(address, json=WISH)
    missing = await agency.put(address, json={})
    assert (missing.status_code, missing.json()["code"]) == (428, "if-match-needed")
    for call in (agency.put(address, json={}, headers={"If-Match": '"1.9"'}), stale_end(agency, address)):
        answer = await call
        assert (answer.status_code, answer.json()["code"]) == (412, "stale-version")


async def stale_end(agency, address):
    return await agency.request("DELETE", address, headers={"If-Match": '"1.9"'})


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"categories": ["technology_quality.testing", "nonsense"]}, "unknown-category", "categories.1"),
        ({"areas": ["15", "4403"]}, "unknown-division", "areas.1"),
        ({"areas": ["1"]}, None, "areas.0"),
        ({"least_score": 1.5}, None, "least_score"),
        ({"categories": [f"a{n}" for n in range(51)]}, None, "categories"),
        ({"wish": 1}, None, "wish"),
    ],
)
async def test_a_wrong_wish_is_refused_by_name(platform, agency, address, body, code, field):
    answer = await agency.put(address, json=body)
    assert answer.status_code == 422, answer.text
    assert code in (None, answer.json()["code"])
    assert field in answer.text
    assert await platform.said("subscription.%") == []


async def test_only_an_active_provider_subscribes_and_a_suspended_one_keeps_it(
    agency, staff, provider, address
):
    first = await agency.put(address, json=WISH)
    suspended = await staff.post(f"/v1/providers/{provider['id']}/suspension", json={"reason": "核查"})
    assert suspended.status_code == 200
    for body in (WISH, {}):
        answer = await agency.put(address, json=body, headers={"If-Match": first.headers["etag"]})
        assert (answer.status_code, answer.json()["code"]) == (409, "provider-not-active")
    assert (await agency.get(address)).json() == first.json()
    assert (await agency.delete(address)).json()["state"] == "ended"
    fresh = (await agency.post("/v1/providers", json=registration())).json()
    answer = await agency.put(f"/v1/providers/{fresh['id']}/subscription", json=WISH)
    assert (answer.status_code, answer.json()["code"]) == (409, "provider-not-active")


async def test_it_is_the_owners_alone(platform, agency, other, staff, address):
    for who in (other, staff, platform.caller("far", "window_staff", "agency", home="wuhai")):
        assert (await who.put(address, json=WISH)).status_code in (403, 404)
    first = await agency.put(address, json=WISH)
    # Staff who are also an agency see it, and still may not speak for its owner.
    both = platform.caller("both", "window_staff", "agency", home=platform.node)
    assert (await both.get(address)).json() == first.json()
    for who in (other, both):
        assert (
            await who.put(address, json={}, headers={"If-Match": first.headers["etag"]})
        ).status_code == 404
        assert (await who.delete(address)).status_code == 404
    assert (await staff.get(address)).status_code == 200
    assert (await other.get(address)).status_code == 404
    assert (await platform.caller("x", "sme").get(address)).status_code == 403
    assert (await agency.put(f"/v1/providers/{new()}/subscription", json=WISH)).status_code == 404
    assert (await agency.get(address)).json() == first.json()


async def test_two_at_once_make_one(platform, agency, address):
    answers = await asyncio.gather(*(agency.put(address, json=WISH) for _ in range(8)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    assert len(await platform.said("subscription.%")) == 1
