"""Changes pushed over HTTP: every line answers for itself, and the hub holds what the bus would have brought."""

import json
from uuid import uuid4

from common.contracts.offerings import OfferingAnnounced
from common.contracts.providers import ProviderAnnounced

from tests.integration.hub.handing_in import copies, offering, outcomes, provider


async def test_pushed_lines_are_found_by_everybody(world, push):
    lab, test = uuid4(), uuid4()
    answer = await push(provider(lab), offering(test, lab, price={"from_cents": 100, "unit": "sample"}))
    assert outcomes(answer) == ["created", "created"]
    assert (answer["created"], answer["lines_read"]) == (2, 2)
    (item,) = (await world.http.get("/v1/catalogue")).json()["items"]
    assert (item["id"], item["price"]["from_cents"]) == (str(test), 100)


async def test_a_duplicate_has_no_second_effect(world, push):
    lab, test = uuid4(), uuid4()
    await push(provider(lab), offering(test, lab))
    before, owed = await copies(world), await world.rows("SELECT message_id FROM outbox")
    answer = await push(provider(lab), offering(test, lab), offering(test, lab))
    assert outcomes(answer) == ["unchanged"] * 3
    assert await copies(world) == before
    assert await world.rows("SELECT message_id FROM outbox") == owed
    assert len(owed) == 2


async def test_one_bad_line_never_holds_the_others(world, push):
    lab = uuid4()
    good = [provider(lab), *(offering(uuid4(), lab) for _ in range(3))]
    bad = [
        "{", "[]", "null", '"text"', '{"noun": "offering"}', json.dumps(offering(uuid4(), lab, title="")),
        json.dumps(offering("no-uuid", lab)), json.dumps(offering(uuid4(), lab, summary="a\0b")),
        json.dumps(offering(uuid4(), lab, summary="\ud800")), json.dumps(offering(uuid4(), lab, version=2**63)),
        json.dumps(offering(uuid4(), lab, attributes={"a": "\0"})),
        json.dumps(offering(uuid4(), lab, state_reason="x\0")),
        json.dumps(offering(uuid4(), lab, price={"from_cents": 1e300})),
        json.dumps(offering(uuid4(), lab) | {"id": str(uuid4()), "data": {"id": str(uuid4())}}),
        json.dumps({"noun": "offering", "id": str(uuid4()), "version": 3, "deleted": True}),
        json.dumps({"noun": "offering", "id": str(uuid4()), "version": 3}),
        json.dumps(offering(uuid4(), lab) | {"surprise": 1}), '{"a":' * 5000, "\udcff",
    ]  # fmt: skip
    answer = await push(*(line for pair in zip(good, bad, strict=False) for line in pair), *bad[len(good) :])
    assert (answer["created"], answer["rejected"]) == (4, len(bad))
    for line in answer["lines"]:
        if line["outcome"] == "rejected":
            assert line["rule"] and line["message"], line
    assert len(await copies(world)) == 4


async def test_owner_and_version_decide(world, push, facts):
    """An older or foreign message never overwrites a newer or owned record."""
    lab, test, theirs = uuid4(), uuid4(), uuid4()
    await world.say("wuhai", facts.provider(theirs))
    await push(provider(lab), offering(test, lab, 5, title="五"))
    answer = await push(
        offering(test, lab, 4, title="四"), offering(test, lab, 6, title="六"), provider(theirs, 9, name="夺")
    )
    assert outcomes(answer) == ["stale", "updated", "not_owner"]
    assert {line["rule"] for line in answer["lines"]} == {"stale-version", None, "not-owner"}
    assert (await world.http.get(f"/v1/catalogue/baotou/{test}")).json()["title"] == "六"
    (row,) = await world.rows(
        "SELECT owner, body->>'name' AS name FROM catalogue_providers WHERE id = $1", theirs
    )
    assert (row["owner"], row["name"]) == ("wuhai", "包头稀土检测中心")
    answer = await push(
        offering(test, lab, 1, epoch=2, title="新纪元"), offering(test, lab, 99, title="旧纪元")
    )
    assert outcomes(answer) == ["updated", "stale"]


async def test_lines_of_one_record_are_judged_in_their_order(world, push):
    lab, test = uuid4(), uuid4()
    answer = await push(
        provider(lab), offering(test, lab, 1), offering(test, lab, 3, title="三"), offering(test, lab, 2),
        offering(test, lab, 3, title="三"), offering(test, lab, 3, title="参"),
    )  # fmt: skip
    assert outcomes(answer) == ["created", "created", "updated", "stale", "unchanged", "fork"]
    (row,) = await world.rows("SELECT version, forked, body->>'title' AS title FROM catalogue_offerings")
    assert tuple(row) == (3, True, "三")


async def test_tombstones_propagate_and_are_never_resurrected(world, push, facts):
    lab, test = uuid4(), uuid4()
    await push(provider(lab), offering(test, lab))
    gone = {"noun": "offering", "id": str(test), "version": 2, "deleted": True}
    assert outcomes(await push(gone)) == ["updated"]
    assert outcomes(await push(gone, offering(test, lab), offering(test, lab, 2))) == [
        "unchanged",
        "stale",
        "fork",
    ]
    (told,) = await world.rows("SELECT envelope::json AS e FROM outbox ORDER BY id DESC LIMIT 1")
    assert json.loads(told["e"])["data"]["state"] == "retired"
    await world.say("baotou", facts.offering(test, lab, 1))
    (row,) = await world.rows("SELECT deleted, version, state FROM catalogue_offerings")
    assert tuple(row) == (True, 2, "retired")


async def test_without_versions_the_hub_counts(world, push):
    lab, test = uuid4(), uuid4()
    first = [provider(lab, None), offering(test, lab, None)]
    assert outcomes(await push(*first)) == ["created", "created"]
    assert outcomes(await push(*first)) == ["unchanged", "unchanged"]
    assert outcomes(await push(offering(test, lab, None, title="新"))) == ["updated"]
    assert outcomes(await push({"noun": "offering", "id": str(test), "deleted": True})) == ["updated"]
    (row,) = await world.rows("SELECT version, deleted FROM catalogue_offerings")
    assert tuple(row) == (3, True)
    twice = await push(offering(test, lab, None, title="甲"), offering(test, lab, None, title="乙"))
    assert outcomes(twice) == ["updated", "rejected"]
    assert twice["lines"][1]["rule"] == "duplicate-in-file"


async def test_the_same_content_by_bus_or_push_is_held_alike(world, push):
    lab, test = uuid4(), uuid4()
    lines = [
        provider(lab, 3, qualifications=[{"name": "CMA", "valid_until": "2027-01-31"}]),
        offering(test, lab, 7, service_area=["1502"], attributes={"面积": 1.5, "b": [1, None]}, lead_days=3),
    ]
    await push(*lines)
    pushed = await copies(world)
    await world.rows("DELETE FROM catalogue_offerings")
    await world.rows("DELETE FROM catalogue_providers")
    kinds = {"provider": ProviderAnnounced, "offering": OfferingAnnounced}
    await world.say(
        "baotou",
        *(kinds[x["noun"]](**x["data"], id=x["id"], version=x["version"]) for x in lines),
    )
    assert await copies(world) == pushed


async def test_what_is_pushed_goes_on_to_matchmaking_as_the_bus_would_bring_it(world, push, facts):
    from common.inbox import Raw, read

    lab, test = uuid4(), uuid4()
    await push(offering(test, lab, summary='引号 " 与 \\ 反斜杠'), provider(lab))
    rows = await world.rows("SELECT feed, message_id, type, envelope FROM outbox ORDER BY id")
    assert [(row["feed"], row["type"]) for row in rows] == [
        ("matchmaking", "provider.announced.v1"), ("matchmaking", "offering.announced.v1"),
    ]  # fmt: skip
    for row in rows:
        message = read(Raw(row["envelope"].encode(), "hub", "1", trusted=True))
        assert (message.envelope.id, message.envelope.source) == (row["message_id"], "baotou")
    assert message.fact.summary == '引号 " 与 \\ 反斜杠'


async def test_a_suspended_provider_is_told_to_every_platform(world, push):
    lab = uuid4()
    await push(provider(lab))
    await push(provider(lab, 2, state="suspended"))
    await push(provider(lab, 3, state="suspended", state_reason="同前"))
    feeds = [r["feed"] for r in await world.rows("SELECT feed FROM outbox WHERE entity = $1", lab)]
    assert feeds.count("matchmaking") == 3
    assert feeds.count("wuhai") == feeds.count("baotou-rare-earth") == 1
    assert "baotou" not in feeds


async def test_who_may_push(world, push):
    line = provider(uuid4())
    body = json.dumps(line)
    path = "/v1/nodes/baotou/catalogue/changes"
    assert (await world.http.post(path, content=body)).status_code == 401
    for home, role in (("wuhai", "window_staff"), ("baotou", "sme")):
        who = await world.person(f"p-{home}-{role}", role, home=home)
        assert (await world.http.post(path, content=body, headers=who)).status_code == 404
        assert (await world.http.get(path, headers=who)).status_code == 404
        assert (await world.http.get("/v1/nodes/baotou/forks", headers=who)).status_code == 404
    assert (await world.http.post(path, content=body, headers=await world.operator())).status_code == 200
    nowhere = await world.http.post(
        "/v1/nodes/atlantis/catalogue/changes", content=body, headers=await world.operator()
    )
    assert nowhere.status_code == 404


async def test_the_same_key_is_one_push(world, push):
    lines = [provider(uuid4())]
    first = await push(*lines, **{"Idempotency-Key": "k1"})
    assert await push(*lines, **{"Idempotency-Key": "k1"}) == first
    assert outcomes(first) == ["created"]
    await push(provider(uuid4()), status=422, **{"Idempotency-Key": "k1"})


async def test_limits_say_what_to_do(world, push):
    assert (await push("", status=422))["code"] == "no-lines"
    assert (await push(*["{}"] * 10_001, status=413))["code"] == "too-many-lines"
    assert (await push("x" * (9 * 1024 * 1024), status=413))["code"] == "body-too-large"
    great = offering(uuid4(), uuid4(), attributes={f"k{n}": "字" * 20_000 for n in range(20)})
    assert (await push(great))["lines"][0]["rule"] == "too-large-to-share"


async def test_forks_are_listed_until_a_higher_version(world, push):
    lab, staff = uuid4(), await world.person("looker", "window_staff", home="baotou")
    tests = sorted((uuid4() for _ in range(3)), key=str)
    await push(provider(lab), *(offering(id, lab, 2, title="原来的") for id in tests))
    await push(*(offering(id, lab, 2, title="另一个") for id in tests))

    async def listed(**query):
        return (await world.http.get("/v1/nodes/baotou/forks", params=query, headers=staff)).json()

    page = await listed(limit=2)
    assert [(x["id"], x["name"], x["version"]) for x in page["items"]] == [
        (str(id), "原来的", 2) for id in tests[:2]
    ]
    rest = await listed(limit=2, after=page["next_cursor"])
    assert ([x["id"] for x in rest["items"]], rest["next_cursor"]) == ([str(tests[2])], None)
    await push(*(offering(id, lab, 3, title="下一版") for id in tests))
    assert (await listed())["items"] == []
