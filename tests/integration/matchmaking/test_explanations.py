"""Why an offering is, or is not, in a result; which demands say the same; and who may ask."""

from uuid import uuid4

import pytest
from common.contracts import offerings
from common.contracts.demands import DemandWithdrawn

from tests.integration.matchmaking.network import demand, offering, provider

DEMAND = f"/v1/matches/hohhot/{demand().id}"


def path(name="milk", platform="baotou"):
    return f"{DEMAND}/why-not/{platform}/{offering(name).id}"


async def why_not(network, name="milk"):
    answer = await network.get(path(name))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_is_in_the_result_is_said_to_be_there(network):
    await network.say(provider(), offering(), offering("cheese", title="奶酪化验"))
    await network.say(demand(), source="hohhot")
    match = await network.match()
    for candidate in match.candidates:
        said = (await network.get(f"{DEMAND}/why-not/baotou/{candidate.offering_id}")).json()
        assert (said["verdict"], said["place"], said["failed"]) == ("candidate", candidate.rank, [])
        assert said["score"] == candidate.score
        assert {c["name"]: c["score"] for c in said["components"]} == {
            c.name: c.score for c in candidate.components
        }
        assert said["answered"] == list(candidate.matched_words)
        assert said["reason_zh"] == f"在结果中，排第 {candidate.rank}：{candidate.reason_zh}"
        assert said["gap"] is None and said["semantic"] is None


@pytest.mark.parametrize(
    ("changes", "failed", "zh", "en"),
    [
        ({"state": "paused"}, ["published"], "已暂停或约满", "paused or full"),
        ({"capacity": 0, "lead_days": 400}, ["capacity", "needed-by"], "承接量已满；", "no capacity left; "),
        ({"service_area": ("1507",)}, ["service-area"], "服务范围不含", "does not serve the demand's place"),
    ],
)
async def test_what_fails_conditions_has_them_named(network, changes, failed, zh, en):
    await network.say(provider(), offering("fits"), offering(**changes))
    await network.say(demand(needed_by="2026-06-01"), source="hohhot")
    said = await why_not(network)
    assert (said["verdict"], said["failed"]) == ("fails-conditions", failed)
    assert (
        said["reason_zh"].startswith("不符合条件：") and zh in said["reason_zh"] and en in said["reason_en"]
    )
    assert (said["score"], said["place"], said["gap"]) == (None, None, None)
    assert said["relevance"] >= said["least_relevance"]


async def test_every_condition_has_its_sentence():
    from matchmaking.explanations import domain
    from matchmaking.matching import eligibility

    assert domain._CONDITIONS.keys() == eligibility.CONDITIONS.keys()


async def test_what_is_not_to_the_point_has_its_distance_named(network):
    await network.say(provider(), offering("fits"))
    other = {"title": "网站开发", "summary": "小程序", "category": "information_policy.it_adoption"}
    await network.say(offering(**other))
    await network.say(demand(), source="hohhot")
    said = await why_not(network)
    assert said["verdict"] == "not-relevant" and said["relevance"] < said["least_relevance"]
    assert "低于入选下限" in said["reason_zh"] and "below the" in said["reason_en"]


async def test_what_comes_behind_the_last_has_its_place_and_gap_named(network):
    await network.say(provider(), *(offering(f"n{n}") for n in range(25)))
    await network.say(offering(division="150702", lead_days=300))
    await network.say(demand(), source="hohhot")
    said = await why_not(network)
    assert (said["verdict"], said["place"]) == ("beyond-the-last", 26)
    assert said["gap"] == said["last_shown_score"] - said["score"] > 0
    assert "排第 26" in said["reason_zh"] and "ranks 26" in said["reason_en"]
    shown = {candidate.offering_id for candidate in (await network.match()).candidates}
    verdicts = {n: (await why_not(network, f"n{n}"))["verdict"] for n in range(25)}
    assert {n for n, one in verdicts.items() if one == "candidate"} == {
        n for n in range(25) if offering(f"n{n}").id in shown
    }, "equal ones are told apart as the result tells them"


async def test_what_was_let_in_by_relaxing_is_in_the_result(network):
    await network.say(provider(), offering(service_area=("1507",)))
    await network.say(demand(), source="hohhot")
    [candidate] = (await network.match()).candidates
    said = await why_not(network)
    assert (said["verdict"], said["place"], said["failed"]) == ("candidate", 1, ["service-area"])
    assert said["score"] == candidate.score and candidate.reason_zh in said["reason_zh"]


@pytest.mark.parametrize("state", ["submitted", "rejected", None])
async def test_what_is_not_public_is_never_matched_and_that_is_said(network, state):
    await network.say(offering())
    if state is not None:
        await network.say(provider(state=state))
    await network.say(demand(), source="hohhot")
    said = await why_not(network)
    assert said["verdict"] == "not-public" and "未公开" in said["reason_zh"]


async def test_it_is_judged_by_the_catalogue_of_now(network):
    await network.say(demand(), source="hohhot")
    await network.say(provider(), offering())
    assert (await network.match()).outcome == "no_match"
    assert (await why_not(network))["verdict"] == "candidate"


@pytest.mark.parametrize("state", ["draft", "retired", "unheard of"])
async def test_an_offering_that_is_not_searched_is_not_there(network, state):
    await network.say(provider())
    if state == "draft":
        await network.say(offering(state="draft"))
    if state == "retired":
        gone = offering(version=2, state="retired").model_dump()
        await network.say(offering(), offerings.OfferingRetired.model_validate(gone))
    await network.say(demand(), source="hohhot")
    answer = await network.get(path())
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_demand_that_is_not_there_has_no_reasons(network):
    await network.say(provider(), offering())
    assert (await network.get(path())).status_code == 404
    assert (await network.get(f"{DEMAND}/similar")).status_code == 404
    assert (await network.get(f"/v1/matches/hohhot/{uuid4()}/similar")).status_code == 404
    assert (await network.get(f"/v1/matches/hohhot/1/why-not/baotou/{uuid4()}")).status_code == 422


@pytest.mark.parametrize(
    ("role", "home", "status"),
    [
        ("operator", None, 200),
        ("window_staff", "hohhot", 200),
        ("window_staff", "baotou", 404),
        ("window_staff", None, 403),
        ("cluster_staff", "hohhot", 403),
        ("sme", "hohhot", 403),
        ("agency", "baotou", 403),
        ("department", None, 403),
    ],
)
async def test_only_operators_and_the_demands_own_window_ask(network, role, home, status):
    await network.say(provider(), offering())
    await network.say(demand(), source="hohhot")
    for asked in (path(), f"{DEMAND}/similar"):
        assert (await network.get(asked, role, home)).status_code == status, asked


async def similar(network, role="operator", home=None):
    answer = await network.get(f"{DEMAND}/similar", role, home)
    return [(one["window"], one["number"]) for one in answer.json()["items"]]


async def test_operators_see_alike_demands_everywhere_and_window_staff_their_own(network):
    for window in ("hohhot", "baotou"):
        said = [demand(f"{window}{n}", number=f"NM-{window}-{n}") for n in range(2)]
        await network.say(*said, source=window)
    gone = demand("hohhot1", DemandWithdrawn, version=2, number="NM-hohhot-1", state="withdrawn")
    await network.say(demand(), source="hohhot")
    await network.say(gone, source="hohhot")
    await network.say(demand("far", title="想申请商标", text="商标被抢注", number="NM-T"), source="hohhot")
    everywhere = {("hohhot", "NM-hohhot-0"), ("baotou", "NM-baotou-0"), ("baotou", "NM-baotou-1")}
    assert set((await similar(network))[:3]) == everywhere
    own = await similar(network, "window_staff", "hohhot")
    assert own[0] == ("hohhot", "NM-hohhot-0")
    assert {window for window, _ in own} == {"hohhot"}


async def test_window_staff_see_their_own_beside_a_flood_of_others(network):
    others = [demand(f"n{n}", number=f"NM-B-{n}") for n in range(60)]
    await network.say(*others[:50], source="baotou")
    await network.say(demand("own", number="NM-H"), demand(), source="hohhot")
    await network.say(*others[50:], source="baotou")
    assert await similar(network, "window_staff", "hohhot") == [("hohhot", "NM-H")]
    assert len(await similar(network)) == 20


async def test_asking_why_changes_nothing(network):
    await network.say(provider(), offering())
    await network.say(demand(), source="hohhot")
    counts = "SELECT (SELECT count(*) FROM matches) AS m, (SELECT count(*) FROM outbox) AS o"
    before = await network.rows(counts)
    await why_not(network)
    await similar(network)
    assert await network.rows(counts) == before
