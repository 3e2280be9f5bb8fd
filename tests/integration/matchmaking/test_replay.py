"""A stored result is made once more, the same, whatever has changed since."""

import json

import pytest
from common import ids
from common.contracts import demands, offerings
from matchmaking.matching import engine, weights
from matchmaking.rankings import documents
from sqlalchemy import text

from tests.integration.matchmaking import results
from tests.integration.matchmaking.network import NOW, demand, offering, provider, rating

CMA = "检验检测机构资质认定（CMA）"


def path(version=1, name="milk"):
    return f"/v1/matches/hohhot/{demand(name).id}/versions/{version}/replay"


async def replay(network, version=1, name="milk"):
    answer = await network.get(path(version, name))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def fill(network):
    """A catalogue with something of each: candidates, near misses, known and new providers."""
    held = {"qualifications": [{"name": CMA, "valid_until": "2026-06-01"}]}
    recognised = {"recognitions": [{"name": "示范平台", "level": "region"}]}
    await network.say(
        provider(**held), provider("other", **recognised), provider("closed", state="suspended")
    )
    await network.say(
        offering(qualifications=(CMA,), capacity=2), offering("cheese", "other", title="奶酪与牛奶化验"),
        offering("yoghurt", "closed", title="酸奶牛奶化验"), offering("far", "other", service_area=("1522",)),
        offering("full", "other", capacity=1), offering("orphan", "nobody"),
        offering("web", "other", title="网站开发", summary="小程序", category="information_policy.it_adoption"),
    )  # fmt: skip
    order = {"platform": "baotou", "provider": provider("other").id}
    await network.say(
        results.invitation("w", "awarded", offering=offering("full").id, version=3, **order),
        results.engagement("w", **order), rating(1, 5), rating(2, 4, "other"), source="hohhot",
    )  # fmt: skip


async def change_everything(network):
    """What may happen in a year."""
    await network.say(
        provider(version=2, state="suspended"), provider("closed", version=2), provider("nobody")
    )
    await network.say(*(rating(n, 1) for n in range(10, 20)), source="hohhot")
    retired = offering("cheese", "other", version=2, state="retired").model_dump()
    await network.say(
        offerings.OfferingRetired.model_validate(retired),
        offering(version=2, title="煤质化验", summary="灰分", price={"from_cents": 1}, lead_days=300),
        offering("full", "other", version=2, capacity=None),
        *(offering(f"new{n}", title="牛奶化验") for n in range(30)),
    )
    await network.say(
        demand(kind=demands.DemandChanged, version=2, title="别的", text="别的"), source="hohhot"
    )
    moved = documents.document(weights.current()) | {"version": "2027-1"}
    moved["weights"] = moved["weights"] | {"proximity": 0.02, "reputation": 0.15}
    async with network.runtime.sessions.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO rankings (version, document, state, trained_on, evaluation, claimed, made_by, created_at,"
                " activated_at) SELECT '2027-1', CAST(:document AS jsonb), 'active', '{}', '{}', '{}', 'op', now(), now()"
            ),
            {"document": json.dumps(moved)},
        )
    network.clock.at = NOW.replace(year=2027)


async def test_it_is_identical_when_nothing_has_changed(network):
    await fill(network)
    await network.say(demand(), source="hohhot")
    match = await network.match()
    assert [one.offering_id for one in match.candidates] != []
    assert {miss.failed for miss in match.near_misses} == {
        ("provider-active",),
        ("service-area",),
        ("capacity",),
    }
    again = await replay(network)
    assert (again["identical"], again["outdated"], again["differences"]) == (True, [], [])
    assert again["candidates"] == [one.model_dump(mode="json") for one in match.candidates]
    assert again["near_misses"] == [one.model_dump(mode="json") for one in match.near_misses]


async def test_it_is_identical_after_everything_has_changed(network):
    await fill(network)
    await network.say(demand(), source="hohhot")
    before = await network.match()
    await change_everything(network)
    await network.say(demand("later"), source="hohhot")
    assert (await network.match()).versions["weights"] == "2027-1"
    again = await replay(network)
    assert (again["identical"], again["outdated"], again["differences"]) == (True, [], [])
    assert again["candidates"] == [one.model_dump(mode="json") for one in before.candidates]
    assert (await replay(network, name="later"))["identical"]
    assert (await replay(network, version=2))["identical"]


async def test_a_process_that_starts_later_replays_the_same(network, opened, matchmaking_settings):
    await fill(network)
    await network.say(demand(), source="hohhot")
    later = opened(matchmaking_settings)
    assert (await replay(later))["identical"]


@pytest.mark.parametrize(
    "need",
    [
        {"category": "legal", "title": "牛奶化验"},
        {"division": "152299"},
        {"text": "牛奶" * 5_000},
        {"title": "😀", "text": "😀"},
        {"budget": {"to_cents": 1}},
    ],
)
async def test_odd_and_unanswered_demands_are_replayed_too(network, need):
    await fill(network)
    await network.say(demand(**need), source="hohhot")
    assert (await replay(network))["identical"]


async def test_a_widened_result_is_replayed_with_what_it_relaxed(network):
    await network.say(provider(), offering(service_area=("1522",)))
    await network.say(demand(), source="hohhot")
    await network.say(offering("own"))
    again = await replay(network)
    assert again["identical"] and again["candidates"][0]["relaxed"] == ["service-area"]


async def test_another_release_says_that_it_is_another(network, monkeypatch):
    await fill(network)
    await network.say(demand(), source="hohhot")
    monkeypatch.setattr(engine, "VERSION", "hybrid 99")
    monkeypatch.setattr("matchmaking.matching.words.version", lambda: "2099-1")
    again = await replay(network)
    assert again["outdated"] == ["engine", "words"]


async def test_a_result_that_was_altered_is_found_out(network):
    await fill(network)
    await network.say(demand(), source="hohhot")
    async with network.runtime.sessions.begin() as tx:
        await tx.execute(text("UPDATE matches SET candidates = jsonb_set(candidates, '{0,score}', '0.99')"))
    again = await replay(network)
    assert not again["identical"] and again["differences"] == ["candidate 1: score"]
    assert again["outdated"] == []


async def test_a_result_without_its_run_cannot_be_replayed_and_says_what_to_do(network):
    await network.say(provider(), offering())
    await network.say(demand(), source="hohhot")
    async with network.runtime.sessions.begin() as tx:
        await tx.execute(text("DELETE FROM runs"))
    answer = await network.get(path())
    assert (answer.status_code, answer.json()["code"]) == (409, "run-not-kept")


async def test_a_result_that_is_not_there_is_not_replayed(network):
    await network.say(demand(), source="hohhot")
    assert (await network.get(path(2))).status_code == 404
    assert (await network.get(path(name="never"))).status_code == 404
    assert (await network.get(path(0))).status_code == 422


@pytest.mark.parametrize(
    ("role", "home"),
    [
        ("window_staff", "hohhot"),
        ("window_staff", "baotou"),
        ("sme", None),
        ("agency", None),
        ("department", None),
    ],
)
async def test_only_operators_replay(network, role, home):
    await network.say(demand(), source="hohhot")
    assert (await network.get(path(), role, home)).status_code == 403


async def test_meanings_are_replayed_as_they_were(meanings):
    await fill(meanings)
    await meanings.read()
    await meanings.say(demand(text="谁能验一验鲜奶的营养"), source="hohhot")
    before = await meanings.match()
    assert before.degraded == () and before.candidates
    await change_everything(meanings)
    await meanings.read()
    again = await replay(meanings)
    assert (again["identical"], again["outdated"], again["differences"]) == (True, [], [])


async def test_a_partly_read_catalogue_is_replayed_as_partly_read(meanings):
    await fill(meanings)
    await meanings.read()
    await meanings.say(*(offering(f"unread{n}", title=f"牛奶化验 {ids.new().hex}") for n in range(5)))
    await meanings.say(demand(), source="hohhot")
    assert (await meanings.match()).degraded == ("semantic-partial",)
    await meanings.read()
    assert (await replay(meanings))["identical"]


async def test_vectors_that_are_gone_are_said_to_be(meanings):
    await meanings.say(provider(), offering())
    await meanings.read()
    await meanings.say(demand(), source="hohhot")
    async with meanings.runtime.sessions.begin() as tx:
        await tx.execute(text("UPDATE vectors SET model = 'elsewhere'"))
    try:
        again = await replay(meanings)
        assert again["outdated"] == ["model"]
    finally:
        model = meanings.matchmaker.embeddings.model
        async with meanings.runtime.sessions.begin() as tx:
            await tx.execute(text("UPDATE vectors SET model = :model"), {"model": model})
