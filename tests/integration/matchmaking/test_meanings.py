"""Meanings compared by the embedded model; and what becomes of matches while it is off, away or behind."""

import asyncio
import contextlib

import matchmaking.embeddings.service as serving
import pytest
from common.contracts import demands
from common.ids import new
from matchmaking.demands.consumers import Rematch

from tests.integration.matchmaking.model_servers import puppet
from tests.integration.matchmaking.network import demand, offering, provider
from tests.integration.platform import copied, migrated

# Not a word in common, and nothing that owners say for it.
MEANT = {"title": "奶质好不好", "text": "家里挤的奶，想找人瞧瞧质量"}
MEANS = "鲜奶品质分析"


def fields(match, number=0):
    return {part.name: part.score for part in match.candidates[number].components}


async def why_not(network, name="milk"):
    at = f"/v1/matches/hohhot/{demand().id}/why-not/baotou/{offering(name).id}"
    return (await network.get(at)).json()


async def test_what_is_meant_is_found_and_judged(meanings):
    await meanings.say(provider(), offering(), offering("web", title="网站开发", summary="小程序"))
    await meanings.read()
    await meanings.say(demand(), source="hohhot")
    match = await meanings.match()
    assert match.degraded == () and match.versions["model"] == meanings.matchmaker.embeddings.model
    assert match.candidates[0].offering_id == offering().id
    said, other = await why_not(meanings), await why_not(meanings, "web")
    assert said["semantic"] > other["semantic"] >= 0 and said["topical"] > 0


async def test_what_shares_no_word_is_found_by_its_meaning(meanings):
    await meanings.say(provider(), offering(title=MEANS, category="gone.away"))
    await meanings.read()
    await meanings.say(demand(**MEANT), source="hohhot")
    [candidate] = (await meanings.match()).candidates
    assert candidate.matched_words == () and "意思相近" in candidate.reason_zh


async def test_an_offering_not_read_yet_is_judged_by_its_words_and_that_is_said(meanings):
    await meanings.say(provider(), offering(title=f"牛奶检测 {new().hex}"))
    await meanings.say(demand(), source="hohhot")
    match = await meanings.match()
    assert match.degraded == ("semantic-partial",) and match.outcome == "matched"
    assert (await why_not(meanings))["semantic"] is None
    await meanings.read()
    await meanings.say(demand("later"), source="hohhot")
    assert (await meanings.match()).degraded == ()
    assert (await why_not(meanings))["semantic"] is not None


async def test_an_updated_text_loses_its_old_meaning_and_gets_its_new_one(meanings):
    await meanings.say(provider(), offering(), offering("other", title="商标注册", summary="代理"))
    await meanings.read()
    await meanings.say(demand(), source="hohhot")
    before = (await why_not(meanings))["semantic"]
    await meanings.say(offering(version=2, title="工业废水处理", summary="屠宰废水改造"))
    assert (await why_not(meanings))["semantic"] is None
    await meanings.read()
    after = (await why_not(meanings))["semantic"]
    assert after is not None and after < before
    await meanings.say(offering(version=3))
    assert (await why_not(meanings))["semantic"] == before, "its vector was kept"


async def test_a_change_that_is_not_of_the_text_keeps_the_meaning(meanings):
    await meanings.say(provider(), offering())
    await meanings.read()
    await meanings.say(offering(version=2, price={"from_cents": 1}), demand(), source="baotou")
    assert (await meanings.match()).degraded == ()


async def test_the_background_reads_what_comes_and_the_next_match_uses_it(meanings):
    index = meanings.matchmaker.catalogue.index
    async with meanings.app.router.lifespan_context(meanings.app):
        await meanings.say(provider(), offering(title=f"牛奶检测 {new().hex}"))
        async with asyncio.timeout(60):
            while index.count != 1 or index.read != 1:
                await asyncio.sleep(0.05)
        await meanings.say(demand(), source="hohhot")
        assert (await meanings.match()).degraded == ()


async def test_a_restart_reads_nothing_again_and_finds_the_same(meanings, opened, meanings_settings):
    await meanings.say(provider(), offering(), offering("cheese", title="奶酪化验"))
    await meanings.read()
    await meanings.say(demand("need"), source="hohhot")
    before = await meanings.match()
    later = opened(meanings_settings)
    await later.read()
    await later.say(demand("need", demands.DemandChanged, version=2), source="hohhot")
    after = await later.match()
    assert after.degraded == before.degraded == ()
    assert after.candidates == before.candidates


async def test_a_need_said_again_in_other_words_is_near(meanings):
    await meanings.say(
        demand("first", number="NM-1", title="牛奶化验", text="想找人化验牛奶"), source="hohhot"
    )
    far = demand("far", number="NM-2", title="商标被抢注", text="想找人打官司")
    await meanings.say(far, demand(title="鲜奶检测", text="找机构检测鲜奶"), source="hohhot")
    answer = await meanings.get(f"/v1/matches/hohhot/{demand().id}/similar")
    nearness = {one["number"]: one["similarity"] for one in answer.json()["items"]}
    assert nearness["NM-1"] > nearness.get("NM-2", 0.0)


async def test_open_demands_are_found_for_what_is_offered(meanings):
    """The other direction scores as the demand's own match does."""
    await meanings.say(provider(), offering())
    await meanings.read()
    await meanings.say(demand(), demand("far", title="商标被抢注", text="想找人打官司"), source="hohhot")
    match = next(match for _, match in await meanings.answers() if match.demand_id == demand().id)
    async with meanings.runtime.transaction() as tx:
        found = await meanings.matchmaker.demands_for(
            tx, "baotou", offering().id, at=meanings.clock(), limit=10
        )
    assert [(window, one.id) for window, one, _ in found] == [("hohhot", demand().id)]
    assert found[0][2].score == match.candidates[0].score
    assert found[0][2].components == match.candidates[0].components


@pytest.fixture(scope="module")
def template():
    with migrated(("common", "matchmaking")) as name:
        yield name


@pytest.fixture
async def served(template, matchmaking_settings, monkeypatch):
    """A process whose meanings come from a server that tests can take away."""
    from matchmaking.app import create_app

    from tests.integration.matchmaking.network import Clock, Network

    monkeypatch.setattr(serving, "REST_S", 0.0)
    async with copied(template) as url, puppet() as server, contextlib.AsyncExitStack() as stack:

        def start(**changes):
            given = {
                "database_url": url,
                "embeddings": server.url,
                "embeddings_model": "m",
                "embeddings_timeout_s": 5,
            }
            settings = matchmaking_settings.model_copy(update=given | changes)
            clock = Clock()
            found = Network(create_app(settings, now=clock), clock)
            stack.push_async_callback(found.close)
            return found

        yield start, server


async def test_while_the_model_is_away_matches_go_by_words_and_say_so_until_it_is_back(served):
    start, server = served
    network = start()
    await network.say(provider(), offering())
    await network.say(demand("before it was ever there"), source="hohhot")
    await network.read()
    await network.say(demand("there"), source="hohhot")
    server.answer = lambda body: (503, b"{}")
    await network.say(demand("away", title="牛奶检测"), source="hohhot")
    server.answer = server.well
    await network.read()
    await network.say(demand("back", title="牛奶化验和检测"), source="hohhot")
    found = [(match.outcome, match.degraded, match.versions["model"]) for _, match in await network.answers()]
    model = network.matchmaker.embeddings.model
    assert found == [
        ("matched", ("semantic-away",), "none"),
        ("matched", (), model),
        ("matched", ("semantic-away",), "none"),
        ("matched", (), model),
    ]


async def test_a_demand_that_came_while_the_model_was_away_is_read_later(served):
    start, server = served
    network = start()
    await network.read()
    server.answer = lambda body: (503, b"{}")
    await network.say(demand(), source="hohhot")
    [row] = await network.rows("SELECT model, vector FROM demands")
    assert row == {"model": None, "vector": None}
    server.answer = server.well
    await network.read()
    [row] = await network.rows("SELECT model, length(vector) AS bytes FROM demands")
    assert row == {"model": network.matchmaker.embeddings.model, "bytes": 16}


async def test_another_model_is_taken_over_without_a_match_missing(served):
    start, _ = served
    network = start()
    await network.say(provider(), offering())
    await network.read()
    await network.say(demand("one"), source="hohhot")
    changed = start(embeddings_model="other")
    await changed.read()
    await changed.say(demand("two"), source="hohhot")
    await network.read()
    await network.say(demand("three"), source="hohhot")
    models = [match.versions["model"] for _, match in await network.answers()]
    assert models[0] != models[1] == models[2]
    assert all(match.degraded == () for _, match in await network.answers())
    for name in ("one", "two", "three"):
        at = f"/v1/matches/hohhot/{demand(name).id}/versions/1/replay"
        assert (await network.get(at)).json()["identical"], name


async def test_switched_off_it_goes_by_words_and_on_again_by_meanings(served):
    start, _ = served
    network = start()
    await network.say(provider(), offering())
    await network.read()
    off = start(embeddings="off")
    await off.say(demand("off"), source="hohhot")
    on = start()
    await on.read()
    await on.say(demand("on"), source="hohhot")
    assert [match.degraded for _, match in await network.answers()] == [("semantic-off",), ()]


async def test_an_unmatched_demand_is_tried_again_when_meanings_have_come(meanings):
    """What words alone did not find is found once the offerings were read."""
    await meanings.say(provider(), offering(title=f"{MEANS} {new().hex[-4:]}", category="gone.away"))
    await meanings.say(demand(**MEANT), source="hohhot")
    match = await meanings.match()
    assert (match.outcome, match.degraded) == ("no_match", ("semantic-partial",))
    said_again = demand(kind=demands.DemandUnmatched, version=2, state="no_match", **MEANT)
    await meanings.say(said_again, source="hohhot")
    rematch = Rematch(meanings.matchmaker)
    await rematch(meanings.runtime)
    assert len(await meanings.answers()) == 1
    await meanings.read()
    await rematch(meanings.runtime)
    match = await meanings.match()
    assert (match.outcome, match.degraded, match.demand_version) == ("matched", (), 2)
    assert "意思相近" in match.candidates[0].reason_zh


async def test_a_demand_the_model_missed_is_tried_again_when_it_is_back(meanings, monkeypatch):
    await meanings.say(provider(), offering(title=MEANS, category="gone.away"))
    await meanings.read()

    async def nothing(_):
        return None

    with monkeypatch.context() as away:
        away.setattr(meanings.matchmaker.embeddings, "query", nothing)
        await meanings.say(demand(**MEANT), source="hohhot")
        said_again = demand(kind=demands.DemandUnmatched, version=2, state="no_match", **MEANT)
        await meanings.say(said_again, source="hohhot")
        rematch = Rematch(meanings.matchmaker)
        await rematch(meanings.runtime)
        assert [match.degraded for _, match in await meanings.answers()] == [("semantic-away",)]
    await rematch(meanings.runtime)
    match = await meanings.match()
    assert (match.outcome, match.degraded, match.demand_version) == ("matched", (), 2)
