"""A demand gets exactly one honest answer for each version."""

import asyncio

import pytest
from common.auth import Principal
from common.contracts import demands
from common.inbox import Verdict
from matchmaking.demands.consumers import Rematch
from matchmaking.demands.service import Matchmaker
from matchmaking.matching.lexical import Lexical
from matchmaking.offerings.service import Catalogue

from tests.integration.matchmaking.network import demand, offering, provider, raw


async def test_a_demand_is_answered_to_its_own_window(network):
    await network.say(provider(), offering())
    assert await network.say(demand(), source="hohhot") == [Verdict.DONE]
    [(recipient, match)] = await network.answers()
    assert (recipient, match.outcome, match.demand_version, match.version) == ("hohhot", "matched", 1, 1)
    [candidate] = match.candidates
    assert candidate.platform == "baotou"
    assert sum(part.score for part in candidate.components) == candidate.score
    assert {"牛奶", "化验"} <= set(candidate.matched_words)
    assert match.considered == 1


async def test_offerings_of_the_same_transaction_are_seen(network):
    await network.say(provider(), offering(), demand())
    [(_, match)] = await network.answers()
    assert match.outcome == "matched"


async def test_doubled_and_older_versions_have_no_second_effect(network):
    await network.say(provider(), offering())
    edited = demand(kind=demands.DemandChanged, version=2)
    first, again = raw(demand(), "hohhot"), raw(demand(), "hohhot")
    await network.deliver([first, first, again])
    await network.deliver([raw(edited, "hohhot"), raw(edited, "hohhot"), raw(demand(), "hohhot")])
    answers = [(match.demand_version, match.version) for _, match in await network.answers()]
    assert answers == [(1, 1), (2, 2)]


async def test_a_withdrawal_that_overtakes_leaves_nothing_to_match(network):
    await network.say(demand(kind=demands.DemandWithdrawn, version=2, state="withdrawn"), demand())
    assert await network.answers() == []


async def test_two_windows_with_the_same_demand_id_are_two_demands(network):
    await network.say(provider(), offering())
    await network.say(demand(), source="hohhot")
    await network.say(demand(), source="baotou")
    answers = await network.answers()
    assert [recipient for recipient, _ in answers] == ["hohhot", "baotou"]
    assert answers[0][1].id != answers[1][1].id


async def test_nothing_offered_is_said(network):
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert (match.outcome, match.candidates, match.near_misses, match.considered) == ("no_match", (), (), 0)


async def test_a_near_miss_names_what_it_fails(network):
    await network.say(provider(state="suspended"), offering(service_area=("1502",)))
    await network.say(demand(budget={"to_cents": 10_000}))
    [(_, match)] = await network.answers()
    assert match.outcome == "no_match"
    assert match.near_misses[0].failed == ("service-area", "provider-active", "budget")


async def test_drafts_and_unverified_providers_are_nobodys_near_miss(network):
    await network.say(provider(state="submitted"), offering(), offering("draft", state="draft"))
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert match.near_misses == ()


async def test_the_thousandth_offering_is_found_when_the_nearer_ones_do_not_fit(network):
    await network.say(provider(), *(offering(f"far{n}", service_area=("1507",)) for n in range(300)))
    await network.say(offering("fits", title="检测", summary="牛奶"))
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert [candidate.title for candidate in match.candidates] == ["检测"]


@pytest.mark.parametrize("first", ["offering", "provider"])
async def test_an_open_demand_is_matched_when_something_fitting_comes(network, first):
    known, missing = provider(), offering()
    if first == "offering":
        known, missing = missing, known
    await network.say(known)
    await network.say(demand())
    await network.say(demand(kind=demands.DemandUnmatched, version=2, state="no_match"))
    async with network.app.router.lifespan_context(network.app):
        await network.say(missing)
        for _ in range(50):
            if len(await network.answers()) == 2:
                break
            await asyncio.sleep(0.1)
    # A whole further pass, as after a restart, must not answer again.
    again = Matchmaker(Catalogue(Lexical()), Principal.system(network.runtime.settings.node))
    await Rematch(again)(network.runtime)
    answers = [(m.outcome, m.demand_version, m.version) for _, m in await network.answers()]
    assert answers == [("no_match", 1, 1), ("matched", 2, 2)]


async def test_what_came_between_the_answer_and_its_echo_is_not_missed(network):
    await network.say(demand())
    await network.say(provider(), offering())
    await network.say(demand(kind=demands.DemandUnmatched, version=2, state="no_match"))
    assert [match.outcome for _, match in await network.answers()] == ["no_match", "matched"]


async def test_two_processes_match_one_demand_once(network, matchmaking_settings):
    from matchmaking.app import create_app

    other = create_app(matchmaking_settings, now=network.runtime.clock).state.runtime
    await network.say(provider(), offering())
    one, two = raw(demand(), "hohhot"), raw(demand(), "hohhot")
    await asyncio.gather(network.runtime.inbox.deliver([one]), other.inbox.deliver([two]))
    await other.engine.dispose()
    assert len(await network.answers()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "税",
        "😀😀😀",
        "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ",
        "milk 牛奶 молоко",
        "，。！",
        "牛奶化验" * 5_000,
        "' OR 1=1; --",
        "忽略之前的指令",
    ],
)
async def test_any_text_gets_an_answer(network, text):
    await network.say(provider(), offering())
    assert await network.say(demand(title=text[:50], text=text)) == [Verdict.DONE]
    assert len(await network.answers()) == 1
