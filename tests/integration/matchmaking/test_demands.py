"""A demand gets exactly one honest answer for each version."""

import asyncio

import pytest
from common.contracts import demands
from common.inbox import Verdict
from matchmaking.demands.consumers import Rematch

from tests.integration.matchmaking import results
from tests.integration.matchmaking.network import demand, offering, provider, raw

ORDERS = {"platform": "baotou", "provider": provider().id}


async def test_a_demand_is_answered_to_its_own_window(network):
    await network.say(provider(), offering())
    assert await network.say(demand(), source="hohhot") == [Verdict.DONE]
    [(recipient, match)] = await network.answers()
    assert (recipient, match.outcome, match.demand_version, match.version) == ("hohhot", "matched", 1, 1)
    [candidate] = match.candidates
    assert candidate.platform == "baotou"
    assert sum(part.score for part in candidate.components) == candidate.score
    assert {"牛奶", "化验"} <= set(candidate.matched_words)
    assert {one.word for one in candidate.matched} == set(candidate.matched_words)
    assert match.considered == 1
    assert match.versions.keys() == {"engine", "words", "lexicon", "weights", "model", "catalogue"}
    assert match.widened == () and match.degraded == ("semantic-off",)


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
    assert [match.similar for _, match in answers] == [(), ()]


async def test_nothing_offered_is_said(network):
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert (match.outcome, match.candidates, match.near_misses, match.considered) == ("no_match", (), (), 0)


async def test_a_near_miss_names_what_it_fails(network):
    await network.say(provider(state="suspended"), offering(service_area=("1502",), capacity=0))
    await network.say(demand(budget={"to_cents": 10_000}))
    [(_, match)] = await network.answers()
    assert match.outcome == "no_match"
    assert match.near_misses[0].failed == ("provider-active", "capacity", "service-area", "budget")


async def test_drafts_and_unverified_providers_are_nobodys_near_miss(network):
    await network.say(provider(state="submitted"), offering(), offering("draft", state="draft"))
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert match.near_misses == ()


async def test_the_thousandth_offering_is_found_when_the_nearer_ones_do_not_fit(network):
    await network.say(provider(), *(offering(f"far{n}", service_area=("1507",)) for n in range(300)))
    await network.say(offering("fits", title="检测", summary="牛奶蛋白质菌落"))
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert [candidate.title for candidate in match.candidates] == ["检测"]


async def test_what_a_category_holds_is_found_beside_a_flood_of_others(network):
    flood = [offering(f"n{n}", category="legal.contracts_labour") for n in range(300)]
    await network.say(provider(), *flood, offering("fits", title="乳品检测", summary="牛奶"))
    await network.say(demand(category="technology_quality"))
    assert [candidate.title for candidate in (await network.match()).candidates] == ["乳品检测"]


CARRIED = {"division": "150102", "category": "technology_quality.testing"}


async def test_what_no_one_near_offers_is_sought_further_and_said(network):
    await network.say(provider())
    found = []
    for name, changes in (
        ("accounts", {"category": "management_consulting.accounting"}),
        ("far", {"division": "152201", "service_area": ("1522",)}),
        ("near", {"division": "150203", "service_area": ("1502",)}),
        ("own", {}),
    ):
        await network.say(offering(name, **changes))
        await network.say(demand(name, **CARRIED))
        match = await network.match()
        steps = [(step.step, step.found) for step in match.widened]
        found.append((steps, [(c.offering_id, c.relaxed) for c in match.candidates]))
        assert all(("先询问" in c.reason_zh) == ("service-area" in c.relaxed) for c in match.candidates)
    assert found == [
        ([("neighbours", 0), ("region", 0), ("category", 1)], [(offering("accounts").id, ("category",))]),
        ([("neighbours", 0), ("region", 1)], [(offering("far").id, ("service-area",))]),
        ([("neighbours", 1)], [(offering("near").id, ("service-area",))]),
        ([], [(offering("own").id, ())]),
    ]


async def test_what_does_not_hold_a_hard_condition_is_shown_as_no_candidate_however_wide(network):
    await network.say(provider(state="suspended"), offering(service_area=("1522",)))
    await network.say(demand(**CARRIED))
    match = await network.match()
    assert [step.step for step in match.widened] == ["neighbours", "region", "category"]
    assert match.outcome == "no_match" and match.candidates == ()
    assert match.near_misses[0].failed == ("provider-active", "service-area")


async def test_the_same_need_said_again_in_the_same_window_is_named(network):
    await network.say(demand("first", number="NM-1"), source="hohhot")
    await network.say(demand("elsewhere", number="NM-2"), source="baotou")
    await network.say(demand("other", number="NM-3", title="想申请商标", text="商标被抢注"), source="hohhot")
    await network.say(demand("gone", number="NM-4", state="submitted"), source="hohhot")
    withdrawn = demand("gone", demands.DemandWithdrawn, version=2, state="withdrawn", number="NM-4")
    await network.say(withdrawn, source="hohhot")
    await network.say(demand("again", number="NM-5"), source="hohhot")
    match = await network.match()
    assert [(one.demand_id, one.number) for one in match.similar] == [(demand("first").id, "NM-1")]
    assert match.similar[0].similarity > 0.9


async def test_ones_own_window_is_named_beside_many_others_that_say_the_same(network):
    others = [demand(f"n{n}", number=f"NM-B{n}") for n in range(120)]
    await network.say(*others[:60], source="baotou")
    await network.say(demand("first", number="NM-1"), source="hohhot")
    await network.say(*others[60:], source="baotou")
    await network.say(demand("again", number="NM-2"), source="hohhot")
    assert [one.number for one in (await network.match()).similar] == ["NM-1"]


async def test_each_time_a_provider_is_shown_is_counted(network):
    await network.say(provider(), offering(), offering("cheese", title="牛奶和奶酪化验"))
    counted = f'match_exposures_total{{platform="baotou",provider="{provider().id}"}}'
    assert counted not in (await network.get("/metrics")).text
    await network.say(demand("one"))
    await network.say(demand("two"))
    assert f"{counted} 4.0" in (await network.get("/metrics")).text


async def test_a_newcomer_has_a_chance_until_it_is_known(network):
    """By demand and provider: of so many demands some, and the same ones each time."""
    await network.say(provider(), offering())
    needs = [demand(f"n{n}") for n in range(40)]
    await network.say(*needs)
    lucky = [match.demand_id for _, match in await network.answers() if match.candidates[0].newcomer]
    assert 0 < len(lucky) < 40
    await network.say(*(demand(f"n{n}", demands.DemandChanged, version=2) for n in range(40)))
    again = [match.demand_id for _, match in (await network.answers())[40:] if match.candidates[0].newcomer]
    assert again == lucky
    asked = [results.invitation(f"a{n}", "issued", **ORDERS) for n in range(3)]
    await network.say(*asked, source="hohhot")
    await network.say(*(demand(f"n{n}", demands.DemandChanged, version=3) for n in range(40)))
    assert not any(match.candidates[0].newcomer for _, match in (await network.answers())[80:])


@pytest.mark.parametrize("first", ["offering", "provider"])
async def test_an_open_demand_is_matched_when_something_fitting_comes(
    network, opened, matchmaking_settings, first
):
    known, missing = provider(), offering()
    if first == "offering":
        known, missing = missing, known
    await network.say(known)
    await network.say(demand())
    await network.say(demand(kind=demands.DemandUnmatched, version=2, state="no_match"))
    async with network.app.router.lifespan_context(network.app):
        await network.say(missing)
        async with asyncio.timeout(60):
            while len(await network.answers()) < 2:
                await asyncio.sleep(0.05)
    # A whole further pass, as after a restart, must not answer again.
    later = opened(matchmaking_settings)
    await Rematch(later.matchmaker)(later.runtime)
    answers = [(m.outcome, m.demand_version, m.version) for _, m in await later.answers()]
    assert answers == [("no_match", 1, 1), ("matched", 2, 2)]


async def test_what_came_between_the_answer_and_its_echo_is_not_missed(network):
    await network.say(demand())
    await network.say(provider(), offering())
    await network.say(demand(kind=demands.DemandUnmatched, version=2, state="no_match"))
    assert [match.outcome for _, match in await network.answers()] == ["no_match", "matched"]


async def test_two_processes_match_one_demand_once(network, opened, matchmaking_settings):
    other = opened(matchmaking_settings)
    await network.say(provider(), offering())
    one, two = raw(demand(), "hohhot"), raw(demand(), "hohhot")
    await asyncio.gather(network.deliver([one]), other.deliver([two]))
    assert len(await network.answers()) == 1


async def test_two_processes_match_an_open_demand_again_once(network, opened, matchmaking_settings):
    other = opened(matchmaking_settings)
    await network.say(demand())
    await network.say(demand(kind=demands.DemandUnmatched, version=2, state="no_match"))
    await network.say(provider(), offering())
    await asyncio.gather(*(Rematch(one.matchmaker)(one.runtime) for one in (network, other)))
    assert [match.outcome for _, match in await network.answers()] == ["no_match", "matched"]
