"""The case register: every demand of the region, for those who answer for it."""

from uuid import uuid4

import pytest


async def story(world, facts, demand, window="hohhot"):
    """A demand from its receipt to its rating, told by three platforms."""
    await world.say(window, facts.demand(demand, 1))
    world.clock.move(seconds=1)
    await world.say("matchmaking", facts.match(demand), to=window)
    world.clock.move(seconds=1)
    await world.say(window, facts.demand(demand, 2, "matched"))
    world.clock.move(seconds=1)
    await world.say(window, facts.invitation(demand, window=window, platform="baotou"), to="baotou")
    world.clock.move(seconds=1)
    await world.say("baotou", facts.quotation(demand, window=window, platform="baotou"), to=window)
    engagement = facts.engagement(demand, window=window, platform="baotou")
    world.clock.move(seconds=1)
    await world.say(window, engagement, to="baotou")
    world.clock.move(seconds=1)
    await world.say("baotou", facts.progress(demand, engagement.id, window=window), to=window)
    world.clock.move(seconds=1)
    await world.say(window, facts.rating(demand, platform="baotou"), to="baotou")
    world.clock.move(seconds=1)
    await world.say(window, facts.demand(demand, 3, "closed"))


async def test_the_whole_case_in_order_without_names_or_texts(world, facts):
    demand = uuid4()
    await story(world, facts, demand)
    case = (await world.http.get(f"/v1/cases/{demand}", headers=await world.operator())).json()
    assert (case["case"]["owner"], case["case"]["state"]) == ("hohhot", "closed")
    assert case["case"]["number"] == "HH-2026-000001"
    assert [event["type"] for event in case["timeline"]] == [
        "demand.submitted.v1", "match.computed.v1", "demand.matched.v1", "invitation.issued.v1",
        "quotation.submitted.v1", "engagement.created.v1", "progress.reported.v1", "rating.given.v1",
        "demand.progressed.v1",
    ]  # fmt: skip
    assert case["timeline"][3]["zh"] == "向包头窗口平台的机构发出邀请"
    assert case["timeline"][3]["en"] == "Provider at Baotou window invited"
    assert case["timeline"][4]["platform"] == "baotou"
    answer = str(case)
    for private in ("王小明", "机密方案", "张经理", "4200000", "蒙原食品"):
        assert private not in answer


async def test_facts_told_again_under_new_ids_are_one_line(world, facts):
    demand = uuid4()
    fact = facts.demand(demand, 1)
    for _ in range(3):
        await world.say("hohhot", fact)
        world.clock.move(seconds=1)
    case = (await world.http.get(f"/v1/cases/{demand}", headers=await world.operator())).json()
    assert len(case["timeline"]) == 1


async def test_each_sees_as_much_as_they_answer_for(world, facts):
    here, there = uuid4(), uuid4()
    await world.say("hohhot", facts.demand(here))
    await world.say("baotou", facts.demand(there))

    async def seen(headers, **query):
        answer = await world.http.get("/v1/cases", headers=headers, params=query)
        return answer.status_code, {item["id"] for item in answer.json().get("items", [])}

    both = {str(here), str(there)}
    assert await seen(await world.operator()) == (200, both)
    assert await seen(await world.person("the.office", "department")) == (200, both)
    hohhot = await world.person("hohhot.staff", "window_staff", home="hohhot")
    assert await seen(hohhot) == (200, {str(here)})
    assert await seen(hohhot, owner="baotou") == (200, set())
    assert await seen(await world.person("wuhai.staff", "window_staff", home="wuhai")) == (200, set())
    for role, home in (("sme", "hohhot"), ("agency", "hohhot"), ("cluster_staff", "hohhot-dairy")):
        assert (await seen(await world.person(f"some-{role}", role, home=home)))[0] == 403
    assert (await world.http.get("/v1/cases")).status_code == 401
    assert (await world.http.get(f"/v1/cases/{here}", headers=hohhot)).status_code == 200
    assert (await world.http.get(f"/v1/cases/{there}", headers=hohhot)).status_code == 404
    assert (await world.http.get(f"/v1/cases/{uuid4()}", headers=hohhot)).status_code == 404


@pytest.mark.parametrize(
    "query, expected",
    [
        ({}, "abc"), ({"state": "submitted"}, "ac"), ({"owner": "baotou"}, "c"), ({"q": "乳品"}, "a"),
        ({"q": "bt-2026"}, "c"), ({"q": "检测"}, "abc"), ({"state": "closed", "q": "检测"}, "b"),
    ],
)  # fmt: skip
async def test_filters(world, facts, query, expected):
    a, b, c = uuid4(), uuid4(), uuid4()
    await world.say("hohhot", facts.demand(a), facts.demand(b, 2, "closed", title="轴承检测", text="检测"))
    await world.say("baotou", facts.demand(c, title="稀土检测", text="检测", number="BT-2026-000007"))
    names = {str(a): "a", str(b): "b", str(c): "c"}
    answer = await world.http.get("/v1/cases", params=query, headers=await world.operator())
    assert "".join(sorted(names[item["id"]] for item in answer.json()["items"])) == expected
    refused = await world.http.get("/v1/cases", params={"state": "lost"}, headers=await world.operator())
    assert refused.status_code == 422


async def test_pages(world, facts):
    await world.say("hohhot", *(facts.demand(uuid4()) for _ in range(5)))
    operator = await world.operator()
    first = (await world.http.get("/v1/cases?limit=3", headers=operator)).json()
    rest = (await world.http.get(f"/v1/cases?limit=3&after={first['next_cursor']}", headers=operator)).json()
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (3, 2, None)
