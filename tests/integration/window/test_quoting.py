"""Inviting providers, hearing their quotations, comparing them."""

import random
from datetime import timedelta
from uuid import uuid4

from common.contracts.quotations import (
    QuotationDeclined,
    QuotationSubmitted,
    QuotationViewed,
    QuotationWithdrawn,
)


def respond_by(window, **ahead):
    return (window.watch.at + timedelta(**ahead)).isoformat()


async def states(window, demand, who):
    found = (await window.get(f"/v1/demands/{demand['id']}/invitations", who)).json()["items"]
    return [invitation["state"] for invitation in found]


async def test_each_invitation_goes_to_the_providers_platform(window):
    who = window.sme()
    demand, invitations = await window.invited(who)
    assert {invitation["state"] for invitation in invitations} == {"issued"}
    told = await window.told(demand["id"])
    assert [one for one in told if one[0] == "invitation.issued.v1"] == [
        ("invitation.issued.v1", platform) for platform in ("hohhot", "baotou", "baotou-rare-earth")
    ]
    assert ("demand.opened.v1", None) in told
    own = await window.rows(
        "SELECT type FROM outbox WHERE feed = 'self' AND entity = $1", invitations[0]["id"]
    )
    assert [row["type"] for row in own] == ["invitation.issued.v1"]
    read = (await window.get(f"/v1/demands/{demand['id']}/invitations", who)).json()["items"]
    assert read == invitations


async def test_whom_one_may_invite_and_until_when(window):
    who = window.sme()
    demand = await window.demand(who)
    path = f"/v1/demands/{demand['id']}/invitations"
    body = {"offering_ids": [str(uuid4())], "respond_by": respond_by(window, days=7)}
    window.refused(await window.post(path, who, body), 409, "demand-state")
    match = window.match(demand)
    await window.hear(match, "matchmaking")
    window.refused(await window.post(path, who, body), 422, "offering-not-matched", "offering_ids.0")
    fitting = [str(candidate.offering_id) for candidate in match.candidates]
    for bad in (respond_by(window, seconds=0), respond_by(window, days=-1), respond_by(window, days=91)):
        answer = await window.post(path, who, {"offering_ids": fitting[:1], "respond_by": bad})
        window.refused(answer, 422, "respond-by-range", "respond_by")
    for ids, rule in (([], "too_short"), ([str(uuid4()) for _ in range(11)], "too_long")):
        problem = window.refused(
            await window.post(path, who, body | {"offering_ids": ids}),
            422,
            "invalid-input",
            "offering_ids",
        )
        assert problem["errors"][0]["rule"] == rule
    naive = await window.post(path, who, {"offering_ids": fitting[:1], "respond_by": "2030-01-01T00:00:00"})
    window.refused(naive, 422, "invalid-input", "respond_by")
    twice = await window.post(path, who, body | {"offering_ids": [fitting[0], fitting[0]]})
    window.refused(twice, 409, "already-invited", "offering_ids.1")
    for other in (window.sme(), window.staff()):
        window.refused(await window.post(path, other, body | {"offering_ids": fitting[:1]}), 404, "not-found")
    assert await window.state(demand, who) == "matched"
    window.made(await window.post(path, who, body | {"offering_ids": fitting[:1]}))
    again = await window.post(path, who, body | {"offering_ids": [fitting[1], fitting[0]]})
    window.refused(again, 409, "already-invited", "offering_ids.1")
    window.made(await window.post(path, who, body | {"offering_ids": fitting[1:2]}))
    assert await states(window, demand, who) == ["issued", "issued"]


async def test_when_all_have_answered_it_is_evaluating(window):
    who = window.sme()
    demand, (first, second, third) = await window.invited(who)
    await window.hear(window.quotation(QuotationViewed, first, version=1, revision=0), first["platform"])
    assert await states(window, demand, who) == ["issued"] * 3
    await window.quote(first, price_cents=4_000_000, lead_days=10)
    await window.quote(second, price_cents=6_000_000, lead_days=90)
    assert await window.state(demand, who) == "quoting"
    declined = window.quotation(
        QuotationDeclined, third, price_cents=None, lead_days=None, valid_until=None, state_reason="档期已满"
    )
    await window.hear(declined, third["platform"])
    assert await window.state(demand, who) == "evaluating"
    assert await states(window, demand, who) == ["quoted", "quoted", "declined"]
    compared = (await window.get(f"/v1/demands/{demand['id']}/quotations", who)).json()["items"]
    assert [(q["price_cents"], q["over_budget"], q["in_time"], q["stands"]) for q in compared] == [
        (4_000_000, False, True, True), (6_000_000, True, False, True), (None, None, None, False),
    ]  # fmt: skip
    assert compared[2]["state_reason"] == "档期已满"


async def test_when_all_decline_there_is_no_quotation_and_one_may_ask_others(window):
    who = window.sme()
    demand = await window.demand(who)
    match = window.match(demand)
    await window.hear(match, "matchmaking")
    path = f"/v1/demands/{demand['id']}/invitations"
    body = {"offering_ids": [str(match.candidates[0].offering_id)], "respond_by": respond_by(window, days=3)}
    (only,) = window.made(await window.post(path, who, body))["items"]
    await window.hear(window.quotation(QuotationDeclined, only, price_cents=None), only["platform"])
    assert await window.state(demand, who) == "no_quotation"
    window.made(await window.post(path, who, body | {"offering_ids": [str(match.candidates[1].offering_id)]}))
    assert await window.state(demand, who) == "quoting"


async def test_a_withdrawn_quotation_no_longer_counts_and_may_come_again(window):
    who = window.sme()
    demand, (only,) = await window.invited(who, 1)
    await window.quote(only)
    assert await window.state(demand, who) == "evaluating"
    await window.hear(window.quotation(QuotationWithdrawn, only, version=3), only["platform"])
    assert await window.state(demand, who) == "no_quotation"
    await window.quote(only, version=4, revision=2, price_cents=2_000_000)
    assert await window.state(demand, who) == "evaluating"
    (item,) = (await window.get(f"/v1/demands/{demand['id']}/quotations", who)).json()["items"]
    assert (item["revision"], item["price_cents"]) == (2, 2_000_000)


async def test_doubled_and_shuffled_facts_end_like_the_newest_alone(window):
    who = window.sme()
    demand, (first, second) = await window.invited(who, 2)
    facts = []
    for invitation in (first, second):
        facts += [
            (window.quotation(QuotationViewed, invitation, version=1, revision=0), invitation["platform"]),
            *(
                (window.quotation(QuotationSubmitted, invitation, version=n, revision=n, price_cents=n * 1000), invitation["platform"])
                for n in (2, 3, 4)
            ),
        ]  # fmt: skip
    facts *= 2
    random.shuffle(facts)
    for fact, source in facts:
        assert await window.hear(fact, source) == "done"
    assert await states(window, demand, who) == ["quoted", "quoted"]
    items = (await window.get(f"/v1/demands/{demand['id']}/quotations", who)).json()["items"]
    assert [item["price_cents"] for item in items] == [4000, 4000]
    evaluated = [fact for fact, _ in await window.told(demand["id"]) if fact == "demand.evaluated.v1"]
    assert len(evaluated) == 1


async def test_a_quotation_of_somebody_not_invited_is_refused(window):
    who = window.sme()
    demand, (first, second, _) = await window.invited(who)
    before = len(await window.parked())
    for other, source in (
        ({}, second["platform"]),  # another platform speaks for the invited provider
        ({"platform": second["platform"]}, second["platform"]),
        ({"provider_id": uuid4()}, first["platform"]),
        ({"invitation_id": uuid4()}, first["platform"]),
        ({"demand_id": uuid4()}, first["platform"]),
        ({"price_cents": None}, first["platform"]),
        ({"answered_at": window.watch.at + timedelta(days=8)}, first["platform"]),
    ):
        fact = window.quotation(QuotationSubmitted, first, **other)
        assert await window.hear(fact, source) == "parked"
    assert (await window.parked())[before:] == [
        "foreign-quotation", "foreign-quotation", "foreign-quotation", "not-found", "not-found",
        "quotation-without-price", "answered-late",
    ]  # fmt: skip
    assert await states(window, demand, who) == ["issued"] * 3
    assert (await window.get(f"/v1/demands/{demand['id']}/quotations", who)).json()["items"] == []
