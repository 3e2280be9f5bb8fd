"""How a platform joins the network by itself, and how it is held back and let go."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from common.errors import Unavailable

from tests.integration.hub.conftest import bearer

WINDOW = {
    "id": "example-window", "kind": "window", "zh": "示例窗口平台", "en": "Example window", "divisions": ["150123"],
    "contacts": [{"name": "示例联系人", "phone": "0471-0000000"}],
}  # fmt: skip


class Joining:
    """A platform on its way in, and the people around it."""

    def __init__(self, world, owner, node):
        self.world, self.owner, self.node = world, owner, node

    def path(self, rest=""):
        return f"/v1/nodes/{self.node}{rest}"

    async def call(self, method, rest, who, body=None, **headers):
        answer = await self.world.http.request(method, self.path(rest), json=body, headers=who | headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def tag(self):
        answer = await self.world.http.get(self.path("/membership"), headers=await self.world.operator())
        return {"If-Match": answer.headers["ETag"]}

    async def act(self, what, body=None, who=None):
        operator = who or await self.world.operator()
        return await self.call("POST", f"/{what}", operator | await self.tag(), body)

    async def machine(self):
        key = await self.call("POST", "/keys", self.owner, {"overlap_hours": 1})
        answer = await self.world.grant(
            grant_type="client_credentials", client_id=key["client_id"], client_secret=key["client_secret"]
        )
        return bearer(answer.json()["access_token"])

    async def state(self):
        return (await self.call("GET", "/membership", self.owner))["state"]


@pytest.fixture
async def joining(world):
    owner = await world.person("example-owner", "sme")
    made = await world.http.post("/v1/nodes", json=WINDOW, headers=owner)
    assert made.status_code == 201, made.text
    return Joining(world, owner, WINDOW["id"])


async def test_anybody_signed_in_may_bring_a_platform(world, joining):
    told = await joining.call("GET", "/membership", joining.owner)
    assert (told["state"], told["via"], told["contacts"][0]["name"]) == ("registered", "http", "示例联系人")
    assert "POST /v1/nodes/{id}/keys" in told["next_en"]
    stranger = await world.person("stranger", "sme")
    assert (await world.http.get(joining.path("/membership"), headers=stranger)).status_code == 404
    # Whoever is on the way in is no news to the public, and its contacts are nobody's.
    assert (await world.http.get(joining.path())).status_code == 404
    assert "example-window" not in (await world.http.get("/v1/nodes")).text
    assert "0471" not in (await world.http.get(joining.path(), headers=joining.owner)).text


async def test_divisions_overlap_only_as_a_longer_prefix(world, joining):
    async def joined(**other):
        body = WINDOW | {"id": "other"} | other
        return await world.http.post("/v1/nodes", json=body, headers=joining.owner)

    for divisions, code in (
        (["15"], "division-overlap"), (["1501"], "division-overlap"), (["150123"], "division-overlap"),
        (["150781"], "division-overlap"), (["159999"], "unknown-division"), (["110105"], "unknown-division"),
        (["150122", "150122"], "unknown-division"),
    ):  # fmt: skip
        refused = await joined(divisions=divisions)
        assert (refused.json()["code"], refused.status_code // 100) == (code, 4), divisions
    assert (await joined(divisions=["1501"], kind="cluster")).status_code == 201
    assert (await joined(id="example-window", divisions=["150122"])).json()["code"] == "node-id-taken"
    assert (await joined(id="hohhot", divisions=["150122"])).json()["code"] == "node-id-taken"
    assert (await joined(id="third", divisions=["150122"])).status_code == 201
    assert (await joined(id="fourth", divisions=["150124"])).json()["code"] == "applications-open"


async def test_a_key_is_shown_once_and_rotated_with_an_overlap(world, joining):
    first = await joining.call("POST", "/keys", joining.owner, {"overlap_hours": 1})
    assert await joining.state() == "keyed"
    second = await joining.call("POST", "/keys", joining.owner, {"overlap_hours": 1})

    async def works(key):
        answer = await world.grant(
            grant_type="client_credentials", client_id=key["client_id"], client_secret=key["client_secret"]
        )
        return answer.status_code == 200

    assert await works(first)
    assert await works(second)
    world.clock.move(hours=1)
    assert not await works(first)
    assert await works(second)
    assert (await world.http.post("/v1/nodes/hohhot/keys", json={}, headers=await world.operator())).json()[
        "code"
    ] == "member-on-the-bus"


def line(noun, id, version=1, **data):
    provider = {
        "name": "示例机构",
        "credit_code": "91150200MA0N0000X1",
        "division": "150123",
        "state": "active",
    }
    return json.dumps(
        {"noun": noun, "id": str(id), "version": version, "data": (provider | {"example": True}) | data}
    )


def offering(id, provider, **data):
    known = {
        "provider_id": str(provider), "provider_name": "示例机构", "kind": "service", "title": "示例检测",
        "summary": "示例", "category": "technology_quality.testing", "division": "150123", "state": "published",
    }  # fmt: skip
    return json.dumps(
        {"noun": "offering", "id": str(id), "version": 1, "data": known | {"example": True} | data}
    )


async def push(world, joining, machine, *lines):
    return await world.http.post(
        joining.path("/catalogue/changes"), content="\n".join(lines).encode(), headers=machine
    )


async def owed(world, feed="matchmaking"):
    rows = await world.rows("SELECT type, envelope FROM outbox WHERE feed = $1 ORDER BY id", feed)
    return [(row["type"], json.loads(row["envelope"])["source"]) for row in rows]


async def probation(world, joining):
    """As if the suite had been passed."""
    await world.rows(
        "UPDATE members SET state = 'probation', version = version + 1 WHERE id = $1", joining.node
    )


async def test_on_probation_nothing_is_found_and_activation_shows_everything(world, joining, facts):
    machine, provider, id = await joining.machine(), uuid4(), uuid4()
    await probation(world, joining)
    answer = await push(world, joining, machine, line("provider", provider), offering(id, provider))
    assert [one["outcome"] for one in answer.json()["lines"]] == ["created", "created"]

    async def found():
        listed = (await world.http.get("/v1/catalogue", params={"q": "示例检测"})).json()["items"]
        single = await world.http.get(f"/v1/catalogue/{joining.node}/{id}")
        facets = (await world.http.get("/v1/catalogue/facets")).json()["platform"]
        return [one["id"] for one in listed], single.status_code, facets.get(joining.node)

    assert await found() == ([], 404, None)
    assert await owed(world) == []
    demand = world.raw(joining.node, facts.demand(uuid4(), division="150123"))
    refused = (await world.http.post(joining.path("/messages"), content=demand.data, headers=machine)).json()
    assert (refused["parked"], refused["lines"][0]["code"]) == (1, "member-not-active")

    active = await joining.act("activation")
    assert active["state"] == "active"
    assert await found() == ([str(id)], 200, 1)
    assert await owed(world) == [
        ("provider.announced.v1", joining.node), ("offering.announced.v1", joining.node)
    ]  # fmt: skip
    shown = (await world.http.get(joining.path())).json()["membership"]
    assert (shown["state"], shown["causes"]) == ("degraded", ["rejects"])


async def test_a_quarantine_hides_and_holds_and_a_release_loses_nothing(world, joining, facts):
    machine, provider, id = await joining.machine(), uuid4(), uuid4()
    await probation(world, joining)
    await joining.act("activation")
    await push(world, joining, machine, line("provider", provider), offering(id, provider))
    held = await joining.act("quarantine", {"reason": "示例原因"})
    assert (held["state"], held["reason"]) == ("quarantined", "示例原因")
    assert (await world.http.get(f"/v1/catalogue/{joining.node}/{id}")).status_code == 404
    shown = (await world.http.get(joining.path())).json()["membership"]
    assert (shown["state"], shown["reason"]) == ("quarantined", None)
    refused = await push(world, joining, machine, line("provider", provider, 2))
    assert (refused.status_code, refused.json()["code"]) == (409, "member-quarantined")
    assert "again once it is released" in refused.json()["detail"]
    released = await joining.act("release")
    assert released["state"] == "active"
    assert (await world.http.get(f"/v1/catalogue/{joining.node}/{id}")).status_code == 200
    again = await push(world, joining, machine, line("provider", provider, 2, name="示例机构改名"))
    assert again.json()["updated"] == 1


async def test_what_a_quarantined_node_of_the_bus_says_waits_in_its_stream(world, facts):
    bus = Joining(world, await world.operator(), "baotou")
    provider = uuid4()
    await bus.act("quarantine", {"reason": "示例"})
    with pytest.raises(Unavailable):
        await world.say("baotou", facts.provider(provider))
    assert await world.rows("SELECT 1 FROM dead_letters") == []
    await bus.act("release")
    await world.say("baotou", facts.provider(provider))
    assert len(await world.rows("SELECT 1 FROM catalogue_providers WHERE id = $1", provider)) == 1


async def test_matchmaking_and_the_topology_cannot_be_taken_out(world):
    for node, what, code in (
        ("matchmaking", "quarantine", "matchmaking-needed"), ("baotou", "retirement", "node-of-the-topology")
    ):  # fmt: skip
        here = Joining(world, await world.operator(), node)
        refused = await world.http.post(
            here.path(f"/{what}"),
            json={"reason": "示例"},
            headers=(await world.operator()) | await here.tag(),
        )
        assert refused.json()["code"] == code


async def test_who_has_left_is_gone_for_good(world, joining):
    machine = await joining.machine()
    left = await joining.act("retirement", {"reason": "示例停运"}, joining.owner)
    assert left["state"] == "retired"
    assert (await world.http.get(joining.path())).status_code == 404
    refused = await push(world, joining, machine, line("provider", uuid4()))
    assert refused.json()["code"] == "member-retired"
    again = await world.http.post("/v1/nodes", json=WINDOW, headers=joining.owner)
    assert again.json()["code"] == "node-id-taken"
    other = await world.http.post("/v1/nodes", json=WINDOW | {"id": "example-two"}, headers=joining.owner)
    assert other.status_code == 201, other.text


async def test_edits_need_the_version_they_are_based_on(world, joining):
    body = {"contacts": [{"name": "示例新联系人"}], "deletion_policy": "absence"}
    no_tag = await world.http.patch(joining.path("/membership"), json=body, headers=joining.owner)
    assert no_tag.status_code == 428
    tag = await joining.tag()
    edited = await world.http.patch(joining.path("/membership"), json=body, headers=joining.owner | tag)
    assert (edited.json()["deletion_policy"], edited.json()["zh"]) == ("absence", "示例窗口平台")
    stale = await world.http.patch(joining.path("/membership"), json=body, headers=joining.owner | tag)
    assert stale.status_code == 412


async def test_an_active_platform_that_falls_silent_is_degraded(world, joining):
    machine = await joining.machine()
    await probation(world, joining)
    await joining.act("activation")
    beat = {
        "node": joining.node, "epoch": 1, "sent_at": world.clock().isoformat(), "feed_seq": 0, "applied_seq": 0,
        "unsent": 0, "unconfirmed": 0, "dead_letters": 0, "release": "1",
    }  # fmt: skip
    receipt = await joining.call("POST", "/heartbeats", machine, beat)
    assert receipt["applied_seq"] == 0

    async def membership():
        return (await world.http.get(joining.path())).json()["membership"]

    assert (await membership())["state"] == "active"
    world.clock.move(seconds=20)
    assert ((await membership())["state"], (await membership())["causes"]) == ("degraded", ["late"])
    other = beat | {"node": "hohhot"}
    assert (
        await world.http.post(joining.path("/heartbeats"), json=other, headers=machine)
    ).status_code == 422
    far = beat | {"sent_at": (world.clock() + timedelta(minutes=6)).isoformat()}
    await joining.call("POST", "/heartbeats", machine, far)
    assert (await membership())["causes"] == ["clock"]


async def test_every_act_is_in_the_audit(world, joining):
    await joining.machine()
    await probation(world, joining)
    await joining.act("activation")
    await joining.act("quarantine", {"reason": "示例"})
    await joining.act("release")
    rows = await world.rows("SELECT action FROM audit WHERE object_id = $1 ORDER BY id", joining.node)
    acts = [row["action"] for row in rows if row["action"].startswith("member.")]
    assert acts == [
        f"member.{act}" for act in ("registered", "keyed", "activated", "quarantined", "released")
    ]
