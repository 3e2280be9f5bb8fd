"""Who may say what to whom. What is refused has no effect and is kept as a dead letter."""

from uuid import uuid4

import pytest
from common.inbox import Raw, Verdict

DONE, PARKED = Verdict.DONE, Verdict.PARKED


async def owed(world):
    rows = await world.rows("SELECT feed, type FROM outbox ORDER BY id")
    return [(row["feed"], row["type"]) for row in rows]


async def reasons(world):
    return [row["reason"] for row in await world.rows("SELECT reason FROM dead_letters ORDER BY received_at")]


async def test_a_demand_goes_to_matchmaking_and_into_the_register(world, facts):
    demand = uuid4()
    assert await world.say("hohhot", facts.demand(demand)) == [DONE]
    assert await owed(world) == [("matchmaking", "demand.submitted.v1")]
    (case,) = await world.rows("SELECT owner, state FROM cases")
    assert (case["owner"], case["state"]) == ("hohhot", "submitted")


async def test_what_is_addressed_goes_to_its_recipient_once_under_its_own_id(world, facts):
    demand, id = uuid4(), uuid4()
    await world.say("hohhot", facts.demand(demand))
    invitation = facts.invitation(demand, window="hohhot", platform="baotou")
    assert await world.say("hohhot", invitation, to="baotou", id=id) == [DONE]
    assert await world.say("hohhot", invitation, to="baotou", id=id) == [DONE]
    forwarded = await world.rows(
        "SELECT feed, message_id, envelope FROM outbox WHERE type LIKE 'invitation%' ORDER BY feed"
    )
    assert [(row["feed"], row["message_id"]) for row in forwarded] == [("baotou", id), ("matchmaking", id)]
    assert '"source":"hohhot"' in forwarded[0]["envelope"]


async def test_what_a_window_tells_itself_is_not_sent_back(world, facts):
    demand = uuid4()
    await world.say("hohhot", facts.demand(demand))
    at_home = facts.invitation(demand, window="hohhot", platform="hohhot")
    assert await world.say("hohhot", at_home, to="hohhot") == [DONE]
    assert await owed(world) == [
        ("matchmaking", "demand.submitted.v1"),
        ("matchmaking", "invitation.issued.v1"),
    ]


async def test_a_rating_goes_to_matchmaking_and_the_platform(world, facts):
    demand = uuid4()
    await world.say("hohhot", facts.demand(demand), facts.rating(demand, platform="baotou"), to="baotou")
    feeds = [feed for feed, type in await owed(world) if type.startswith("rating")]
    assert feeds == ["matchmaking", "baotou"]


@pytest.mark.parametrize(
    "source, make",
    [
        ("hohhot-dairy", lambda f: f.demand(uuid4())),
        ("hohhot-dairy", lambda f: f.rating(uuid4(), platform="baotou")),
        ("hohhot-dairy", lambda f: f.match(uuid4())),
        ("hohhot", lambda f: f.match(uuid4())),
        ("matchmaking", lambda f: f.offering(uuid4(), uuid4())),
        ("matchmaking", lambda f: f.demand(uuid4())),
        ("hub", lambda f: f.demand(uuid4())),
    ],
)
async def test_a_noun_of_others_is_refused(world, facts, source, make):
    assert await world.say(source, make(facts)) == [PARKED]
    assert await reasons(world) == ["noun-not-allowed"]
    assert await owed(world) == []
    assert await world.rows("SELECT 1 FROM cases UNION ALL SELECT 1 FROM catalogue_offerings") == []
    assert await world.rows("SELECT 1 FROM case_events") == []


async def test_a_recipient_outside_the_network_is_refused(world, facts):
    demand = uuid4()
    invitation = facts.invitation(demand, window="hohhot", platform="atlantis")
    assert await world.say("hohhot", invitation, to="atlantis") == [PARKED]
    assert await reasons(world) == ["unknown-recipient"]


async def test_nobody_speaks_for_anothers_record(world, facts):
    demand, provider, offering = uuid4(), uuid4(), uuid4()
    await world.say("hohhot", facts.demand(demand))
    await world.say("baotou", facts.provider(provider), facts.offering(offering, provider))
    engagement = facts.engagement(demand, window="hohhot", platform="baotou")
    await world.say("hohhot", engagement, to="baotou")
    before = len(await owed(world))
    foreign = [
        ("wuhai", facts.demand(demand, 2, "matched"), None, "not-owner"),
        ("wuhai", facts.offering(offering, provider, 9), None, "not-owner"),
        ("wuhai", facts.provider(provider, 9), None, "not-owner"),
        ("wuhai", facts.invitation(demand, window="hohhot", platform="baotou"), "baotou", "not-owner"),
        ("wuhai", facts.invitation(demand, window="wuhai", platform="baotou"), "baotou", "not-owner"),
        ("wuhai", facts.quotation(demand, window="hohhot", platform="baotou"), "hohhot", "not-owner"),
        ("wuhai", facts.engagement(demand, window="hohhot", platform="wuhai"), "wuhai", "not-owner"),
        ("wuhai", facts.progress(demand, engagement.id, window="hohhot"), "hohhot", "not-owner"),
        ("wuhai", facts.rating(demand, platform="baotou"), "baotou", "not-owner"),
        ("baotou", facts.quotation(demand, window="hohhot", platform="baotou"), "wuhai", "wrong-recipient"),
        ("baotou", facts.quotation(demand, window="wuhai", platform="baotou"), "wuhai", "wrong-recipient"),
        ("baotou", facts.progress(demand, engagement.id, window="hohhot"), "wuhai", "wrong-recipient"),
        ("hohhot", facts.invitation(demand, window="hohhot", platform="baotou"), "wuhai", "wrong-recipient"),
        ("matchmaking", facts.match(demand), "baotou", "wrong-recipient"),
    ]
    for source, fact, to, reason in foreign:
        assert await world.say(source, fact, to=to) == [PARKED], (source, fact.type)
        assert (await reasons(world))[-1] == reason, (source, fact.type)
    assert len(await owed(world)) == before
    # The rightful ones pass.
    rightful = [
        ("baotou", facts.progress(demand, engagement.id, window="hohhot"), "hohhot"),
        ("baotou", facts.quotation(demand, window="hohhot", platform="baotou"), "hohhot"),
        ("matchmaking", facts.match(demand), "hohhot"),
    ]
    for source, fact, to in rightful:
        assert await world.say(source, fact, to=to) == [DONE], fact.type


async def test_one_poisoned_message_never_holds_the_others(world, facts):
    good, bad, later = uuid4(), uuid4(), uuid4()
    batch = [
        world.raw("hohhot", facts.demand(good), seq=1),
        Raw(b"\xff not json", "hohhot", "UP_hohhot:2"),
        world.raw("hohhot", facts.match(bad), seq=2),
        world.raw("hohhot", facts.demand(later), seq=3),
    ]
    assert await world.app.state.runtime.inbox.deliver(batch) == [DONE, PARKED, PARKED, DONE]
    assert {row["id"] for row in await world.rows("SELECT id FROM cases")} == {good, later}
    (feed,) = await world.rows("SELECT applied_seq FROM feeds_in WHERE source = 'hohhot'")
    assert feed["applied_seq"] == 3
    listed = await world.http.get("/v1/dead-letters?source=hohhot", headers=await world.operator())
    assert [letter["reason"] for letter in listed.json()["items"]] == ["noun-not-allowed", "not-json"]
    assert (await world.http.get("/v1/dead-letters")).status_code == 401
    sme = await world.person("some-sme", "sme")
    assert (await world.http.get("/v1/dead-letters", headers=sme)).status_code == 403


async def test_a_node_that_speaks_as_another_is_not_believed(world, facts):
    raw = world.raw("hohhot", facts.demand(uuid4()))
    assert await world.app.state.runtime.inbox.deliver([Raw(raw.data, "baotou", raw.key)]) == [PARKED]
    assert await reasons(world) == ["foreign-source"]
