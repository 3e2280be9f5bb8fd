"""The award: one transaction, one winner, and the losers are told."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

from common.contracts.providers import ProviderRestored, ProviderRetired, ProviderSuspended
from common.contracts.quotations import QuotationWithdrawn


async def quoted(window, who, **other):
    """A demand with three quotations, and the way to award one."""
    demand, invitations = await window.invited(who)
    quotations = [await window.quote(invitation, **other) for invitation in invitations]

    def award(quotation, by=who, **more):
        body = {"quotation_id": str(quotation.id), "reason": "价格与工期最优", **more}
        return window.post(f"/v1/demands/{demand['id']}/award", by, body)

    return demand, invitations, quotations, award


async def test_the_winner_gets_an_engagement_and_the_losers_a_reason(window):
    who = window.sme()
    demand, _, quotations, award = await quoted(window, who)
    due = str(window.watch.at.date() + timedelta(days=10))
    won = window.made(
        await award(quotations[1], milestones=[{"title": "首次取样", "due": due}, {"title": "出具报告"}])
    )
    assert (won["platform"], won["price_cents"], won["told_lost"]) == ("baotou", 3_000_000, 2)
    assert [m["number"] for m in won["milestones"]] == [1, 2]
    read = (await window.get(f"/v1/demands/{demand['id']}", who)).json()
    assert (read["state"], read["engagement_id"]) == ("awarded", won["engagement_id"])
    assert read["state_reason"] == "价格与工期最优"
    engagement = (await window.get(f"/v1/engagements/{won['engagement_id']}", who)).json()
    assert (engagement["state"], engagement["quotation_id"], engagement["enterprise_name"]) == (
        "created", str(quotations[1].id), "青城乳品有限公司",
    )  # fmt: skip
    found = (await window.get(f"/v1/demands/{demand['id']}/invitations", who)).json()["items"]
    assert [(i["state"], bool(i["state_reason"])) for i in found] == [
        ("lost", True),
        ("awarded", False),
        ("lost", True),
    ]
    assert (await window.told(demand["id"]))[-5:] == [
        ("engagement.created.v1", "baotou"), ("invitation.lost.v1", "hohhot"), ("invitation.awarded.v1", "baotou"),
        ("invitation.lost.v1", "baotou-rare-earth"), ("demand.awarded.v1", None),
    ]  # fmt: skip


async def test_of_twenty_awards_at_once_exactly_one_wins(window):
    who = window.sme()
    demand, _, quotations, award = await quoted(window, who)
    answers = await asyncio.gather(*(award(quotations[n % 3]) for n in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already-awarded"}
    engagements = await window.rows("SELECT 1 FROM engagements WHERE demand_id = $1", demand["id"])
    told = [fact for fact, _ in await window.told(demand["id"])]
    assert len(engagements) == 1
    assert [
        told.count(f"{what}.v1") for what in ("invitation.awarded", "invitation.lost", "demand.awarded")
    ] == [1, 2, 1]


async def test_a_confidential_name_is_shown_to_the_winner_alone(window):
    other = window.sme()
    hidden = await window.demand(other, confidential=True)
    match = window.match(hidden)
    await window.hear(match, "matchmaking")
    body = {
        "offering_ids": [str(c.offering_id) for c in match.candidates],
        "respond_by": (window.watch.at + timedelta(days=7)).isoformat(),
    }
    invitations = window.made(await window.post(f"/v1/demands/{hidden['id']}/invitations", other, body))[
        "items"
    ]
    quotation = await window.quote(invitations[0])
    await window.quote(invitations[1])
    said = "SELECT type, envelope FROM outbox WHERE feed = 'hub' AND envelope::jsonb->>'correlationid' = $1"
    assert all("青城" not in row["envelope"] for row in await window.rows(said, hidden["id"]))
    window.made(
        await window.post(
            f"/v1/demands/{hidden['id']}/award", other, {"quotation_id": str(quotation.id), "reason": "最优"}
        )
    )
    named = {row["type"] for row in await window.rows(said, hidden["id"]) if "青城" in row["envelope"]}
    assert named == {"invitation.awarded.v1", "engagement.created.v1", "demand.awarded.v1"}


async def test_only_the_owner_awards_and_only_a_quotation_of_the_demand(window):
    who = window.sme()
    demand, _, quotations, award = await quoted(window, who)
    for other in (window.sme(), window.staff()):
        window.refused(await award(quotations[0], by=other), 404, "not-found")
    for other in (window.token("a", "agency"), window.staff("baotou")):
        window.refused(await award(quotations[0], by=other), 403, "role-needed")
    _, _, foreign, _ = await quoted(window, window.sme())
    window.refused(await award(foreign[0]), 404, "not-found")
    _, _, own, _ = await quoted(window, who)  # also one of the same enterprise's account, for another demand
    window.refused(await award(own[0]), 404, "not-found")
    assert await window.state(demand, who) == "evaluating"


async def test_a_quotation_wins_through_its_last_day_and_not_after(window):
    who, now = window.sme(), window.watch.at
    last = (now + timedelta(hours=8)).date()  # today in China
    demand, _, quotations, award = await quoted(window, who, valid_until=last)
    try:
        window.watch.forward(days=1)
        window.refused(await award(quotations[0]), 409, "quotation-expired", "quotation_id")
        compared = (await window.get(f"/v1/demands/{demand['id']}/quotations", who)).json()["items"]
        assert {item["stands"] for item in compared} == {False}
    finally:
        window.watch.at = now
    window.made(await award(quotations[0]))


async def test_a_withdrawn_quotation_cannot_win(window):
    who = window.sme()
    _, invitations, quotations, award = await quoted(window, who)
    await window.hear(
        window.quotation(QuotationWithdrawn, invitations[0], version=3), invitations[0]["platform"]
    )
    window.refused(await award(quotations[0]), 409, "quotation-not-submitted", "quotation_id")
    window.made(await award(quotations[1]))


async def test_a_suspended_provider_cannot_win_until_it_is_restored(window):
    who = window.sme()
    _, invitations, quotations, award = await quoted(window, who)
    said = {
        "id": invitations[1]["provider_id"], "name": "检测机构2", "credit_code": "91150200MA0N000019",
        "division": "150203",
    }  # fmt: skip
    suspended = ProviderSuspended.model_validate(said | {"version": 3, "state": "suspended"})
    assert await window.hear(suspended, "hohhot") == "done"  # another platform's word about it does not count
    assert await window.hear(suspended, "baotou") == "done"
    window.refused(await award(quotations[1]), 409, "provider-barred", "quotation_id")
    await window.hear(ProviderRestored.model_validate(said | {"version": 4, "state": "active"}), "baotou")
    await window.hear(suspended, "baotou")
    window.made(await award(quotations[1]))


async def test_a_suspended_provider_is_not_invited_until_it_is_restored(window):
    who = window.sme()
    demand = await window.demand(who)
    match = window.match(demand)
    await window.hear(match, "matchmaking")
    said = {
        "id": match.candidates[1].provider_id, "name": "检测机构2", "credit_code": "91150200MA0N000019",
        "division": "150203",
    }  # fmt: skip
    suspended = ProviderSuspended.model_validate(said | {"version": 3, "state": "suspended"})
    assert await window.hear(suspended, "baotou") == "done"
    body = {
        "offering_ids": [str(candidate.offering_id) for candidate in match.candidates],
        "respond_by": (window.watch.at + timedelta(days=7)).isoformat(),
    }
    path = f"/v1/demands/{demand['id']}/invitations"
    window.refused(await window.post(path, who, body), 409, "provider-barred", "offering_ids.1")
    assert (await window.get(path, who)).json()["items"] == []
    assert await window.state(demand, who) == "matched"
    await window.hear(ProviderRestored.model_validate(said | {"version": 4, "state": "active"}), "baotou")
    window.made(await window.post(path, who, body))
    retired = ProviderRetired.model_validate(said | {"version": 5, "state": "retired"})
    await window.hear(retired, "baotou")
    (_, second, _) = (await window.get(path, who)).json()["items"]
    quotation = await window.quote(second)
    award = {"quotation_id": str(quotation.id), "reason": "最优"}
    answer = await window.post(f"/v1/demands/{demand['id']}/award", who, award)
    window.refused(answer, 409, "provider-barred", "quotation_id")


async def test_before_any_quotation_there_is_nothing_to_award(window):
    who = window.sme()
    demand = await window.demand(who)
    body = {"quotation_id": str(uuid4()), "reason": "x"}
    window.refused(await window.post(f"/v1/demands/{demand['id']}/award", who, body), 404, "not-found")


async def test_milestones_follow_each_other(window):
    who = window.sme()
    demand, _, quotations, award = await quoted(window, who)
    day = window.watch.at.date()
    backwards = [
        {"title": "二", "due": str(day + timedelta(days=9))},
        {"title": "一", "due": str(day + timedelta(days=5))},
    ]
    window.refused(
        await award(quotations[0], milestones=backwards), 422, "milestone-order", "milestones.1.due"
    )
    past = [{"title": "早", "due": str(day - timedelta(days=2))}]
    window.refused(await award(quotations[0], milestones=past), 422, "milestone-order", "milestones.0.due")
    assert await window.state(demand, who) == "evaluating"


async def test_the_same_key_awards_once_and_answers_twice(window):
    who = window.sme()
    demand, _, quotations, _ = await quoted(window, who)
    body, key = {"quotation_id": str(quotations[0].id), "reason": "最优"}, str(uuid4())
    path = f"/v1/demands/{demand['id']}/award"
    first = await window.post(path, who, body, Idempotency_Key=key)
    again = await window.post(path, who, body, Idempotency_Key=key)
    assert window.made(first) == window.made(again)
    other = await window.post(path, who, body | {"reason": "别的"}, Idempotency_Key=key)
    window.refused(other, 422, "idempotency-key-reused", "Idempotency-Key")


async def test_an_award_with_a_quotation_still_open_tells_who_did_not_answer(window):
    who = window.sme()
    demand, invitations = await window.invited(who)
    quotation = await window.quote(invitations[0])
    body = {"quotation_id": str(quotation.id), "reason": "急用"}
    won = window.made(await window.post(f"/v1/demands/{demand['id']}/award", who, body))
    assert won["told_lost"] == 2
    (row,) = await window.rows(
        "SELECT envelope FROM outbox WHERE feed = 'hub' AND entity = $1 AND type = 'invitation.lost.v1'",
        invitations[1]["id"],
    )
    assert json.loads(row["envelope"])["data"]["state_reason"]
