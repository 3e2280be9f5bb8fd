"""The federated catalogue: what is found, what is not, and that copies follow their owners."""

import random
from itertools import groupby
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
    """All but the number of the transaction that wrote it."""
    query = "SELECT (to_jsonb(t) - 'changed_xid')::text AS line FROM {table} t"
    return {table: {row["line"] for row in await world.rows(query.format(table=table))} for table in TABLES}


async def empty(world):
    await world.rows(f"TRUNCATE {', '.join(TABLES)}, inbox, outbox, feeds_in, feeds_out, dead_letters")


def history(facts, chance):
    """What became of some records of two platforms: (owner, fact), in order."""
    said = []
    for owner in ("hohhot", "baotou"):
        for _ in range(2):
            provider, offering, demand = uuid4(), uuid4(), uuid4()
            states = [chance.choice(("published", "paused")) for _ in range(3)] + [
                chance.choice(("published", "retired"))
            ]
            epoch = 1
            for version, state in enumerate(states, 1):
                epoch += chance.random() < 0.2
                title, at = f"第{version}版", {"epoch": epoch}
                standing, course = (
                    chance.choice(("active", "suspended")),
                    chance.choice(("matched", "closed")),
                )
                said += [
                    (owner, facts.offering(offering, provider, version, state, title=title, **at)),
                    (owner, facts.provider(provider, version, standing, **at)),
                    (owner, facts.demand(demand, version, course, title=title, **at)),
                ]
    return said


def cut(chance, messages, most):
    """Messages of one sender each, in order, as many together as it happens."""
    start = 0
    while start < len(messages):
        end = start + chance.randint(1, most)
        for sender in ("hohhot", "baotou"):
            if some := [message for message in messages[start:end] if message.sender == sender]:
                yield some
        start = end


async def deliver(world, *batches):
    for batch in batches:
        await world.app.state.runtime.inbox.deliver(batch)


def law(examples):
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


@law(15)
@given(
    seed=strategies.integers(0, 2**32), doubles=strategies.integers(1, 3), most=strategies.integers(1, 150)
)
async def test_shuffled_doubled_and_batched_events_equal_a_rebuild(world, facts, seed, doubles, most):
    """The law of projections: order, repetition and company do not matter, also beyond the inbox's memory."""
    chance = random.Random(seed)
    messages = [world.raw(owner, fact) for owner, fact in history(facts, chance)]
    await empty(world)
    await deliver(world, *([message] for message in messages))
    rebuilt, passed_on = await content(world), await owed(world)
    await empty(world)
    mixed = messages * doubles
    chance.shuffle(mixed)
    for batch in cut(chance, mixed, most):
        await deliver(world, batch)
        if chance.random() < 0.3:
            await world.rows("TRUNCATE inbox")
    assert await content(world) == rebuilt
    assert set(await owed(world)) == set(passed_on)
    assert len(rebuilt["catalogue_offerings"]) == 4


@law(8)
@given(seed=strategies.integers(0, 2**32), most=strategies.integers(1, 80))
async def test_together_is_as_one_after_the_other(world, facts, seed, most):
    """In one order, also forks, foreign records and what may not be said come to the same."""
    chance = random.Random(seed)
    said = history(facts, chance)
    for owner, fact in chance.sample(said, 8):
        said.insert(chance.randrange(len(said)), (owner, fact.model_copy(update={"state_reason": "另说"})))
    for _, fact in chance.sample(said, 4):
        said.insert(chance.randrange(len(said)), (chance.choice(("hohhot", "baotou")), fact))
    for _ in range(3):
        said.insert(chance.randrange(len(said)), ("baotou", facts.match(uuid4())))
    messages = [world.raw(owner, fact, seq=n) for n, (owner, fact) in enumerate(said, 1)]
    alone, together = [], []
    for found, batches in (
        (alone, [[message] for message in messages]),
        (together, [[*run] for _, run in groupby(messages, lambda message: message.sender)]),
    ):
        await empty(world)
        for batch in batches:
            parts = [batch] if found is alone else cut(chance, batch, most)
            await deliver(world, *parts)
        letters = await world.rows("SELECT message_key, reason, payload FROM dead_letters ORDER BY 1")
        positions = await world.rows("SELECT source, applied_seq, ahead FROM feeds_in ORDER BY 1")
        found += [await content(world), await owed(world), letters, positions]
    assert together == alone
    assert len(alone[2]) >= 3


async def owed(world):
    return [tuple(row) for row in await world.rows("SELECT feed, message_id FROM outbox ORDER BY id")]
