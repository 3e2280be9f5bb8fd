"""The federated catalogue: what is found, what is not, and that copies follow their owners."""

import random
from uuid import UUID, uuid4

import pytest
from common.inbox import Verdict
from hypothesis import HealthCheck, given, settings, strategies

PROVIDER, OFFERING = uuid4(), uuid4()


async def found(world, **query):
    answer = await world.http.get("/v1/catalogue", params=query)
    assert answer.status_code == 200, answer.text
    return [UUID(item["id"]) for item in answer.json()["items"]]


async def test_published_offerings_of_active_providers_are_seen_by_anybody(world, facts):
    await world.say("baotou", facts.provider(PROVIDER), facts.offering(OFFERING, PROVIDER, example=True))
    (item,) = (await world.http.get("/v1/catalogue")).json()["items"]
    assert (item["id"], item["platform"], item["title"]) == (str(OFFERING), "baotou", "稀土材料成分检测")
    assert item["example"] is True
    one = await world.http.get(f"/v1/catalogue/baotou/{OFFERING}")
    assert one.json() == item
    assert (await world.http.get(f"/v1/catalogue/wuhai/{OFFERING}")).status_code == 404
    assert (await world.http.get(f"/v1/catalogue/baotou/{uuid4()}")).status_code == 404


async def test_a_provider_that_is_unknown_or_not_active_hides_its_offerings(world, facts):
    await world.say("baotou", facts.offering(OFFERING, PROVIDER))
    assert await found(world) == []
    await world.say("baotou", facts.provider(PROVIDER, 1, "submitted"))
    assert await found(world) == []
    await world.say("baotou", facts.provider(PROVIDER, 2, "active"))
    assert await found(world) == [OFFERING]
    await world.say("baotou", facts.provider(PROVIDER, 3, "suspended"))
    assert await found(world) == []
    assert (await world.http.get(f"/v1/catalogue/baotou/{OFFERING}")).status_code == 404


async def test_a_paused_offering_is_not_found(world, facts):
    await world.say(
        "baotou",
        facts.provider(PROVIDER),
        facts.offering(OFFERING, PROVIDER),
        facts.offering(OFFERING, PROVIDER, 2, "paused"),
    )
    assert await found(world) == []


async def test_a_stale_state_is_ignored_and_a_tombstone_is_never_resurrected(world, facts):
    await world.say("baotou", facts.provider(PROVIDER), facts.offering(OFFERING, PROVIDER, 2, title="新标题"))
    await world.say("baotou", facts.offering(OFFERING, PROVIDER, 1, title="旧标题"))
    assert (await world.http.get(f"/v1/catalogue/baotou/{OFFERING}")).json()["title"] == "新标题"
    await world.say("baotou", facts.offering(OFFERING, PROVIDER, 3, "retired"))
    for version in (1, 2, 3):
        assert await world.say("baotou", facts.offering(OFFERING, PROVIDER, version)) == [Verdict.DONE]
    assert await found(world) == []
    (row,) = await world.rows("SELECT deleted, version, state FROM catalogue_offerings")
    assert (row["deleted"], row["version"], row["state"]) == (True, 3, "retired")


async def test_a_fork_is_kept_out_and_flagged(world, facts):
    await world.say("baotou", facts.provider(PROVIDER), facts.offering(OFFERING, PROVIDER, 2, title="原来的"))
    await world.say("baotou", facts.offering(OFFERING, PROVIDER, 2, title="另一个"))
    item = (await world.http.get(f"/v1/catalogue/baotou/{OFFERING}")).json()
    assert (item["title"], item["forked"]) == ("原来的", True)
    await world.say("baotou", facts.offering(OFFERING, PROVIDER, 3, title="下一版"))
    item = (await world.http.get(f"/v1/catalogue/baotou/{OFFERING}")).json()
    assert (item["title"], item["forked"]) == ("下一版", False)


async def test_a_higher_epoch_counts_more_than_any_version(world, facts):
    await world.say("baotou", facts.provider(PROVIDER), facts.offering(OFFERING, PROVIDER, 9, title="备份前"))
    await world.say("baotou", facts.offering(OFFERING, PROVIDER, 2, title="恢复后", epoch=2))
    await world.say("baotou", facts.offering(OFFERING, PROVIDER, 10, title="备份前"))
    assert (await world.http.get(f"/v1/catalogue/baotou/{OFFERING}")).json()["title"] == "恢复后"


@pytest.fixture
async def shelf(world, facts):
    """Five offerings of two platforms that differ in everything one can ask for."""
    lab, bank = uuid4(), uuid4()
    from reference import categories

    top = categories.top()[0]
    child = next(category for category in categories.all() if category.parent == top.id)
    other = categories.top()[1]
    kinds = ("service", "instrument", "training", "finance_product", "service")
    shelf = {
        "top": top.id, "child": child.id, "other": other.id,
        "ids": [uuid4() for _ in kinds],
    }  # fmt: skip
    a, b, c, d, e = shelf["ids"]
    await world.say("baotou", facts.provider(lab), facts.provider(bank))
    await world.say("wuhai", facts.provider(lab := uuid4(), name="乌海学院"))
    own = (await world.rows("SELECT id FROM catalogue_providers WHERE owner = 'baotou' ORDER BY id"))[0]["id"]
    await world.say(
        "baotou",
        facts.offering(
            a, own, kind="service", category=top.id, title="ＩＣＰ 成分检测", service_area=("1502",)
        ),
        facts.offering(
            b, own, kind="instrument", category=child.id, title="扫描电镜 SEM", service_area=("150203",)
        ),
        facts.offering(c, own, kind="training", category=other.id, title="安全培训", service_area=("15",)),
    )
    await world.say(
        "wuhai",
        facts.offering(
            d,
            lab,
            kind="finance_product",
            category=other.id,
            title="信用贷 100%_off",
            summary="贷款",
            provider_name="乌海学院",
        ),
        facts.offering(e, lab, kind="service", category=child.id, title="乳品检测", service_area=("150300",)),
    )
    return shelf


@pytest.mark.parametrize(
    "query, expected",
    [
        ({}, "abcde"),
        ({"kind": "service"}, "ae"),
        ({"platform": "wuhai"}, "de"),
        ({"category": "top"}, "abe"),
        ({"category": "child"}, "be"),
        ({"category": "other"}, "cd"),
        ({"division": "150203"}, "abcd"),
        ({"division": "150200"}, "abcd"),
        ({"division": "1502"}, "abcd"),
        ({"division": "150204"}, "acd"),
        ({"division": "150302"}, "cde"),
        ({"division": "15"}, "abcde"),
        ({"q": "检测"}, "abce"),
        ({"q": "成分检测"}, "a"),
        ({"q": "乳"}, "e"),
        ({"q": "icp"}, "abce"),
        ({"q": "ICP 成分"}, "a"),
        ({"q": "ｓｅｍ"}, "b"),
        ({"q": "检测 贷款"}, ""),
        ({"q": "100%_off"}, "d"),
        ({"q": "%"}, "d"),
        ({"q": "_"}, "d"),
        ({"q": "\\"}, ""),
        ({"q": "'; DROP TABLE users; --"}, ""),
        ({"q": "   "}, "abcde"),
        ({"q": "检测", "kind": "instrument", "division": "150203"}, "b"),
    ],
)
async def test_conditions(world, shelf, query, expected):
    query = {name: shelf.get(value, value) for name, value in query.items()}
    names = dict(zip(shelf["ids"], "abcde", strict=True))
    assert "".join(sorted(names[id] for id in await found(world, **query))) == expected
    facets = (await world.http.get("/v1/catalogue/facets", params=query)).json()
    assert sum(facets["kind"].values()) == sum(facets["platform"].values()) == len(expected)


@pytest.mark.parametrize(
    "query, code",
    [
        ({"category": "no-such-thing"}, "unknown-category"),
        ({"platform": "atlantis"}, "unknown-platform"),
        ({"kind": "miracle"}, "invalid-input"),
        ({"division": "abc"}, "invalid-input"),
        ({"q": "x" * 101}, "invalid-input"),
        ({"q": "\0"}, "invalid-input"),
        ({"limit": "0"}, "invalid-input"),
        ({"limit": "201"}, "invalid-input"),
        ({"after": "here"}, "invalid-input"),
    ],
)
async def test_bad_conditions_say_what_to_mend(world, query, code):
    refused = await world.http.get("/v1/catalogue", params=query)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_pages_hold_everything_once(world, facts):
    await world.say("baotou", facts.provider(PROVIDER))
    ids = {uuid4() for _ in range(7)}
    await world.say("baotou", *(facts.offering(id, PROVIDER) for id in ids))
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"after": cursor} if cursor else {})
        page = (await world.http.get("/v1/catalogue", params=query)).json()
        seen += [UUID(item["id"]) for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == 7
    assert set(seen) == ids


async def test_reading_is_limited_per_address(settings, clock):
    import httpx
    from hub.app import create_app

    app = create_app(settings.model_copy(update={"calls_per_minute": 3}), now=clock)
    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            codes = [(await client.get("/v1/catalogue")).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
    finally:
        await app.state.runtime.engine.dispose()


TABLES = ("catalogue_offerings", "catalogue_providers", "cases", "case_events")


async def content(world):
    return {
        table: {row["line"] for row in await world.rows(f"SELECT t::text AS line FROM {table} t")}
        for table in TABLES
    }


async def empty(world):
    await world.rows(f"TRUNCATE {', '.join(TABLES)}, inbox, outbox, feeds_in, feeds_out")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=strategies.integers(0, 2**32), doubles=strategies.integers(1, 3))
async def test_shuffled_and_doubled_events_equal_a_rebuild(world, facts, seed, doubles):
    """The law of projections: order and repetition do not matter, also beyond what the inbox remembers."""
    chance = random.Random(seed)
    history = []
    for owner in ("hohhot", "baotou"):
        for _ in range(2):
            provider, offering, demand = uuid4(), uuid4(), uuid4()
            states = [chance.choice(("published", "paused")) for _ in range(3)] + [
                chance.choice(("published", "retired"))
            ]
            epoch = 1
            for version, state in enumerate(states, 1):
                epoch += chance.random() < 0.2
                title = f"第{version}版"
                history += [
                    (owner, facts.offering(offering, provider, version, state, epoch=epoch, title=title)),
                    (
                        owner,
                        facts.provider(
                            provider, version, chance.choice(("active", "suspended")), epoch=epoch
                        ),
                    ),
                    (
                        owner,
                        facts.demand(
                            demand, version, chance.choice(("matched", "closed")), epoch=epoch, title=title
                        ),
                    ),
                ]
    messages = [world.raw(owner, fact) for owner, fact in history]
    await empty(world)
    for message in messages:
        await world.app.state.runtime.inbox.deliver([message])
    rebuilt = await content(world)
    await empty(world)
    mixed = messages * doubles
    chance.shuffle(mixed)
    for start in range(0, len(mixed), 10):
        for sender in ("hohhot", "baotou"):
            batch = [message for message in mixed[start : start + 10] if message.sender == sender]
            if batch:
                await world.app.state.runtime.inbox.deliver(batch)
        if chance.random() < 0.3:
            await world.rows("TRUNCATE inbox")
    assert await content(world) == rebuilt
    assert len(rebuilt["catalogue_offerings"]) == 4
