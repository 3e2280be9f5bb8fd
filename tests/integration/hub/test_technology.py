"""The technology market: achievements for anybody, needs for who may answer them."""

from uuid import UUID, uuid4

import pytest

PROVIDER = uuid4()
ACHIEVEMENT = {
    "owner": "示例·草原纤维研究所", "maturity": 6, "keywords": ["羊绒", "近红外光谱"], "field": "纺织材料",
    "cooperation": ["licence", "joint_development"],
    "intellectual_property": [{"kind": "invention", "number": None, "status": "applied"}],
}  # fmt: skip
NEED = {
    "main_problem": "靠人工抽检", "key_technology": "近红外光谱", "expected_goal": "误差不超过百分之三",
    "keywords": ["奶酪"], "from_year": 2027, "to_year": 2028, "cooperation": ["licence"],
    "intended_partner": None, "activity": None, "discipline": None, "field": "食品加工", "least_maturity": 5,
}  # fmt: skip
KIND = {"kind": "technology_achievement", "category": "technology_quality.rnd_transfer"}


async def achievements(world, **query):
    answer = await world.http.get("/v1/technology/achievements", params=query)
    assert answer.status_code == 200, answer.text
    return [UUID(item["id"]) for item in answer.json()["items"]]


@pytest.fixture
async def market(world, facts):
    """Two achievements, one told before there were fields for it, and a service."""
    ids = {name: uuid4() for name in ("cashmere", "cheese", "older", "service")}
    cheese = ACHIEVEMENT | {
        "maturity": 3, "field": "食品加工", "cooperation": ["transfer"], "keywords": ["奶酪", "在线检测"],
    }  # fmt: skip
    await world.say(
        "baotou",
        facts.provider(PROVIDER),
        facts.offering(ids["cashmere"], PROVIDER, achievement=ACHIEVEMENT, title="羊绒鉴别", **KIND),
        facts.offering(ids["cheese"], PROVIDER, achievement=cheese, title="成熟度检测", **KIND),
        facts.offering(ids["older"], PROVIDER, title="老成果", **KIND),
        facts.offering(ids["service"], PROVIDER),
    )
    return ids


async def test_anybody_sees_what_is_published(world, facts, market):
    assert set(await achievements(world)) == {market["cashmere"], market["cheese"], market["older"]}
    items = (await world.http.get("/v1/technology/achievements")).json()["items"]
    shown = {UUID(item["id"]): item for item in items}
    assert shown[market["cashmere"]]["achievement"] == ACHIEVEMENT
    assert shown[market["cashmere"]]["platform"] == "baotou"
    assert shown[market["older"]]["achievement"] is None
    await world.say("baotou", facts.offering(market["cheese"], PROVIDER, 2, "paused", **KIND))
    await world.say("baotou", facts.offering(market["older"], PROVIDER, 2, "retired", **KIND))
    assert await achievements(world) == [market["cashmere"]]
    await world.say("baotou", facts.provider(PROVIDER, 2, "suspended"))
    assert await achievements(world) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "羊绒"}, {"cashmere"}),
        ({"q": "在线检测"}, {"cheese"}),  # only among its keywords
        ({"q": "草原纤维研究所"}, {"cashmere", "cheese"}),  # its owner
        ({"q": "食品加工 奶酪"}, {"cheese"}),
        ({"field": "材料"}, {"cashmere"}),
        ({"field": "%"}, set()),
        ({"least_maturity": 3}, {"cashmere", "cheese"}),
        ({"least_maturity": 4}, {"cashmere"}),
        ({"least_maturity": 9}, set()),
        ({"cooperation": "joint_development"}, {"cashmere"}),
        ({"cooperation": "equity"}, set()),
        ({"category": "technology_quality"}, {"cashmere", "cheese", "older"}),
        ({"category": "technology_quality.testing"}, set()),
        ({"field": "食品", "least_maturity": 4}, set()),
    ],
)
async def test_achievements_are_found_by_what_they_say(world, market, query, names):
    assert set(await achievements(world, **query)) == {market[name] for name in names}


async def test_achievements_come_in_pages(world, market):
    first = (await world.http.get("/v1/technology/achievements", params={"limit": 2})).json()
    after = {"limit": 2, "after": first["next_cursor"]}
    second = (await world.http.get("/v1/technology/achievements", params=after)).json()
    ids = [item["id"] for page in (first, second) for item in page["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(set(ids)), second["next_cursor"]) == (3, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"category": "witchcraft"}, "category"), ({"least_maturity": 10}, None), ({"cooperation": "theft"}, None),
        ({"q": "\u202e"}, None), ({"limit": 201}, None), ({"field": "长" * 101}, None),
    ],
)  # fmt: skip
async def test_a_wrong_question_is_refused(world, query, field):
    answer = await world.http.get("/v1/technology/achievements", params=query)
    assert answer.status_code == 422
    assert field is None or answer.json()["field"] == field


async def test_the_catalogue_shows_the_new_terms_and_finds_by_keyword(world, market):
    item = (await world.http.get(f"/v1/catalogue/baotou/{market['cashmere']}")).json()
    assert item["achievement"] == ACHIEVEMENT
    assert (item["size_classes"], item["qualifications"], item["capacity"], item["finance"]) == (
        [],
        [],
        None,
        None,
    )
    found = (await world.http.get("/v1/catalogue", params={"q": "近红外光谱"})).json()["items"]
    assert [UUID(one["id"]) for one in found] == [market["cashmere"]]


FOR_AGENCIES = {"id", "number", "title", "text", "technology", "division", "budget", "needed_by", "example"}


async def needs(world, who, **query):
    answer = await world.http.get("/v1/technology/needs", params=query, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_an_agency_sees_what_is_needed_and_never_by_whom(world, facts):
    agency, demand = await world.person("lab", "agency"), uuid4()
    known = {"enterprise_name": "蒙原食品", "budget": {"from_cents": None, "to_cents": 5}}
    await world.say("hohhot", facts.demand(demand, technology=NEED, **known), facts.demand(uuid4()))
    (need,) = await needs(world, agency)
    assert {name for name, value in need.items() if value is not None} <= FOR_AGENCIES
    assert (need["id"], need["technology"], need["budget"]["to_cents"]) == (str(demand), NEED, 5)
    assert "蒙原食品" not in str(need)


async def test_staff_of_any_platform_see_the_name_unless_it_is_hidden(world, facts):
    hidden, plain = uuid4(), uuid4()
    await world.say("hohhot", facts.demand(hidden, technology=NEED))
    await world.say("wuhai", facts.demand(plain, technology=NEED, enterprise_name="蒙原食品"))
    for who in (
        await world.person("window", "window_staff", home="baotou"),
        await world.person("cluster", "cluster_staff", home="baotou-rare-earth"),
        await world.operator(),
    ):
        seen = {UUID(need["id"]): need for need in await needs(world, who)}
        assert (seen[hidden]["enterprise_name"], seen[hidden]["window"]) == (None, "hohhot")
        assert (seen[plain]["enterprise_name"], seen[plain]["window"]) == ("蒙原食品", "wuhai")
        assert (seen[plain]["state"], seen[plain]["size_class"]) == ("submitted", "small")


async def test_nobody_else_sees_needs(world, facts):
    await world.say("hohhot", facts.demand(uuid4(), technology=NEED))
    assert (await world.http.get("/v1/technology/needs")).status_code == 401
    for who in (await world.person("mill", "sme"), await world.person("bureau", "department")):
        answer = await world.http.get("/v1/technology/needs", headers=who)
        assert (answer.status_code, answer.json()["code"]) == (403, "role-needed")


async def test_a_need_is_open_until_it_is_awarded_or_over(world, facts):
    agency, demand = await world.person("lab", "agency"), uuid4()
    seen = []
    for version, state in enumerate(("submitted", "matched", "quoting", "no_quotation", "awarded"), 1):
        await world.say("hohhot", facts.demand(demand, version, state, technology=NEED))
        seen.append(len(await needs(world, agency)))
    assert seen == [1, 1, 1, 1, 0]
    other = uuid4()
    await world.say("hohhot", facts.demand(other, technology=NEED))
    await world.say("hohhot", facts.demand(other, 2, "withdrawn", technology=NEED))
    assert await needs(world, agency) == []


async def test_needs_are_found_by_what_they_say_and_come_in_pages(world, facts):
    agency = await world.person("lab", "agency")
    cheese, wool = uuid4(), uuid4()
    other = NEED | {"field": "纺织", "cooperation": ["equity"], "keywords": ["分梳"]}
    rnd = {"category": "technology_quality.rnd_transfer"}
    await world.say("hohhot", facts.demand(cheese, technology=NEED, **rnd))
    await world.say("wuhai", facts.demand(wool, technology=other, title="羊绒分梳", category="legal"))

    async def ids(**query):
        return {UUID(need["id"]) for need in await needs(world, agency, **query)}

    assert await ids() == {cheese, wool}
    assert await ids(q="羊绒") == {wool}
    assert await ids(q="奶酪") == {cheese}  # only among its keywords
    assert await ids(field="食品") == {cheese}
    assert await ids(cooperation="equity") == {wool}
    assert await ids(category="technology_quality") == {cheese}
    headers = {"headers": agency}
    first = (await world.http.get("/v1/technology/needs", params={"limit": 1}, **headers)).json()
    after = {"limit": 1, "after": first["next_cursor"]}
    second = (await world.http.get("/v1/technology/needs", params=after, **headers)).json()
    assert {UUID(page["items"][0]["id"]) for page in (first, second)} == {cheese, wool}
    assert second["next_cursor"] is None
