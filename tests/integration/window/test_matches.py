"""What matchmaking says of a demand: the newest counts, the rest is harmless."""

import random
from uuid import uuid4

from common.contracts.matches import MatchComputed, Matched, SimilarDemand, Widening


async def test_candidates_come_with_scores_reasons_and_near_misses(window):
    who = window.sme()
    demand = await window.demand(who)
    path = f"/v1/demands/{demand['id']}/matches"
    assert (await window.get(path, who)).json() == {
        "demand_id": demand["id"], "demand_state": "submitted", "outcome": "pending", "engine": None,
        "considered": None, "computed_at": None, "candidates": [], "near_misses": [], "widened": [],
        "similar": [], "versions": {}, "degraded": [],
    }  # fmt: skip
    match = window.match(demand)
    assert await window.hear(match, "matchmaking") == "done"
    found = (await window.get(path, who)).json()
    assert (found["outcome"], found["demand_state"], found["considered"]) == ("matched", "matched", 40)
    best = found["candidates"][0]
    assert sum(part["score"] for part in best["components"]) == best["score"]
    assert (best["reason_zh"], best["reason_en"]) == ("词语相符", "words fit")
    assert found["near_misses"][0]["failed"] == ["service-area"]
    assert [fact for fact, _ in await window.told(demand["id"])] == [
        "demand.submitted.v1",
        "demand.matched.v1",
    ]


async def test_no_candidate_is_no_match_until_one_appears(window):
    who = window.sme()
    demand = await window.demand(who)
    await window.hear(window.match(demand, candidates=0), "matchmaking")
    assert await window.state(demand, who) == "no_match"
    await window.hear(window.match(demand, version=2), "matchmaking")
    assert await window.state(demand, who) == "matched"
    await window.hear(window.match(demand, version=3, candidates=0), "matchmaking")
    assert await window.state(demand, who) == "no_match"


async def test_a_newer_result_of_the_same_kind_says_nothing_new_to_the_network(window):
    who = window.sme()
    demand = await window.demand(who)
    await window.hear(window.match(demand), "matchmaking")
    newer = window.match(demand, version=2, candidates=2, demand_version=2)
    await window.hear(newer, "matchmaking")
    assert len(await window.told(demand["id"])) == 2
    found = (await window.get(f"/v1/demands/{demand['id']}/matches", who)).json()
    assert [c["offering_id"] for c in found["candidates"]] == [str(c.offering_id) for c in newer.candidates]


async def test_doubled_and_shuffled_results_end_like_the_newest_alone(window):
    who = window.sme()
    demand = await window.demand(who)
    results = [window.match(demand, version=n, candidates=n) for n in range(1, 6)]
    heard = results * 2
    random.shuffle(heard)
    for result in heard:
        assert await window.hear(result, "matchmaking") == "done"
    found = (await window.get(f"/v1/demands/{demand['id']}/matches", who)).json()
    assert len(found["candidates"]) == 5
    assert len(await window.told(demand["id"])) == 2


async def test_the_same_message_twice_has_one_effect(window):
    who = window.sme()
    demand = await window.demand(who)
    match, id = window.match(demand), uuid4()
    assert [await window.hear(match, "matchmaking", id=id) for _ in range(2)] == ["done", "done"]
    assert (await window.get(f"/v1/demands/{demand['id']}", who)).json()["version"] == 2


async def test_a_result_for_what_the_demand_said_before_is_ignored(window):
    who = window.sme()
    demand = await window.demand(who)
    await window.patch(f"/v1/demands/{demand['id']}", who, {"title": "改了"}, '"1.1"')
    assert await window.hear(window.match(demand), "matchmaking") == "done"
    assert await window.state(demand, who) == "submitted"
    for ahead in (9, 10**6):
        assert (
            await window.hear(window.match(demand, version=ahead, demand_version=ahead), "matchmaking")
            == "done"
        )
    assert await window.state(demand, who) == "submitted"
    await window.hear(window.match(demand, version=2, demand_version=2), "matchmaking")
    assert await window.state(demand, who) == "matched"


async def test_a_demand_that_no_longer_waits_keeps_its_state(window):
    who = window.sme()
    demand, _ = await window.invited(who)
    assert await window.hear(window.match(demand, version=2, candidates=0), "matchmaking") == "done"
    assert await window.state(demand, who) == "quoting"
    assert len((await window.get(f"/v1/demands/{demand['id']}/matches", who)).json()["candidates"]) == 3


async def test_only_matchmaking_matches_and_only_our_demands(window):
    who = window.sme()
    demand = await window.demand(who)
    assert await window.hear(window.match(demand), "baotou") == "parked"
    stray = window.match(demand).model_dump() | {"demand_id": uuid4()}
    assert await window.hear(MatchComputed.model_validate(stray), "matchmaking") == "parked"
    assert {"foreign-match", "not-found"} <= set(await window.parked())
    assert await window.state(demand, who) == "submitted"


async def test_what_was_relaxed_and_what_decided_is_shown(window):
    who = window.sme()
    demand = await window.demand(who)
    match = window.match(demand, candidates=2)
    first, second = match.candidates
    words = (Matched(word="检验", field="title"), Matched(word="乳制品", field="text"))
    said = match.model_copy(
        update={
            "candidates": (
                first.model_copy(update={"matched": words, "relaxed": ("service-area",)}),
                second.model_copy(update={"newcomer": True}),
            ),
            "widened": (Widening(step="neighbours", relaxed=("service-area",), found=2),),
            "versions": {"engine": "2", "weights": "2026-11"},
            "degraded": ("semantic-away",),
        }
    )
    assert await window.hear(said, "matchmaking") == "done"
    found = (await window.get(f"/v1/demands/{demand['id']}/matches", who)).json()
    best, newcomer = found["candidates"]
    assert best["matched"] == [{"word": "检验", "field": "title"}, {"word": "乳制品", "field": "text"}]
    assert (best["relaxed"], best["newcomer"]) == (["service-area"], False)
    assert (newcomer["relaxed"], newcomer["newcomer"]) == ([], True)
    assert found["widened"] == [{"step": "neighbours", "relaxed": ["service-area"], "found": 2}]
    assert found["versions"] == {"engine": "2", "weights": "2026-11"}
    assert found["degraded"] == ["semantic-away"]


async def test_similar_demands_are_shown_to_their_owner_and_to_staff_alone(window):
    who, neighbour = window.sme(), window.sme()
    demand, own, foreign = await window.demand(who), await window.demand(who), await window.demand(neighbour)
    elsewhere = uuid4()
    similar = tuple(
        SimilarDemand(demand_id=id, number=number, similarity=0.9)
        for id, number in (
            (own["id"], own["number"]), (foreign["id"], foreign["number"]), (elsewhere, "XQ-BAOTOU-1"),
        )
    )  # fmt: skip
    assert await window.hear(window.match(demand, similar=similar), "matchmaking") == "done"
    path = f"/v1/demands/{demand['id']}/matches"

    async def seen(caller):
        return [one["number"] for one in (await window.get(path, caller)).json()["similar"]]

    assert await seen(who) == [own["number"]]
    assert await seen(window.staff()) == [own["number"], foreign["number"]]
    assert (await window.get(path, neighbour)).status_code == 404
    assert (await window.get(path, window.staff("baotou"))).status_code == 404
