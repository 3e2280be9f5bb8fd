"""A withdrawal that crosses the award undoes it: one living engagement at most, and the decision is open again."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

from common.contracts.quotations import QuotationSettled, QuotationWithdrawn


def relapsed(window, invitation, **other):
    said = {"version": 4, "state_reason": "award-of-withdrawn", **other}
    return window.quotation(QuotationSettled, invitation, **said)


async def crossed(window, who, **demand):
    """An awarded demand whose winner has withdrawn: demand, invitations, quotations, award."""
    made, invitations = await window.invited(who)
    quotations = [await window.quote(invitation) for invitation in invitations]
    body = {"quotation_id": str(quotations[0].id), "reason": "价格最低"}
    won = window.made(await window.post(f"/v1/demands/{made['id']}/award", who, body))
    withdrawn = window.quotation(QuotationWithdrawn, invitations[0], version=3)
    assert await window.hear(withdrawn, invitations[0]["platform"]) == "done"
    return made, invitations, quotations, won


async def test_the_engagement_is_cancelled_and_the_demand_open_again(window):
    who = window.sme()
    demand, invitations, _, won = await crossed(window, who)
    assert await window.state(demand, who) == "awarded"
    for _ in range(2):  # the second is without effect
        assert await window.hear(relapsed(window, invitations[0]), invitations[0]["platform"]) == "done"
    engagement = (await window.get(f"/v1/engagements/{won['engagement_id']}", who)).json()
    assert (engagement["state"], engagement["state_reason"]) == ("cancelled", "quotation-withdrawn")
    read = (await window.get(f"/v1/demands/{demand['id']}", who)).json()
    assert (read["state"], read["state_reason"], read["engagement_id"]) == (
        "evaluating", "quotation-withdrawn", None,
    )  # fmt: skip
    found = (await window.get(f"/v1/demands/{demand['id']}/invitations", who)).json()["items"]
    assert [one["state"] for one in found] == ["withdrawn", "lost", "lost"]
    assert (await window.told(demand["id"]))[-3:] == [
        ("engagement.cancelled.v1", invitations[0]["platform"]), ("demand.evaluated.v1", None),
        ("invitation.answered.v1", None),
    ]  # fmt: skip
    assert await window.report(engagement, "confirmed") == "parked"
    assert (await window.parked())[-1] == "engagement-over"
    assert await window.state(demand, who) == "evaluating"


async def test_who_lost_is_invited_again_and_can_win(window):
    who = window.sme()
    demand, invitations, quotations, _ = await crossed(window, who)
    await window.hear(relapsed(window, invitations[0]), invitations[0]["platform"])
    award, path = f"/v1/demands/{demand['id']}/award", f"/v1/demands/{demand['id']}/invitations"
    lapsed = {"quotation_id": str(quotations[1].id), "reason": "第二名"}
    window.refused(await window.post(award, who, lapsed), 409, "quotation-lapsed", "quotation_id")
    body = {"respond_by": (window.watch.at + timedelta(days=3)).isoformat()}
    winner = body | {"offering_ids": [invitations[0]["offering_id"]]}
    window.refused(await window.post(path, who, winner), 409, "already-invited", "offering_ids.0")
    loser = body | {"offering_ids": [invitations[1]["offering_id"]]}
    (again,) = window.made(await window.post(path, who, loser))["items"]
    window.refused(await window.post(path, who, loser), 409, "already-invited", "offering_ids.0")
    assert await window.state(demand, who) == "quoting"
    renewed = await window.quote(again, price_cents=3_300_000)
    choice = {"quotation_id": str(renewed.id), "reason": "第二名重新报价"}
    answers = await asyncio.gather(*(window.post(award, who, choice) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
    rows = await window.rows(
        "SELECT id, state FROM engagements WHERE demand_id = $1 ORDER BY id", demand["id"]
    )
    assert [row["state"] for row in rows] == ["cancelled", "created"]
    # The old word once more, as another message: it rests on the cancelled one.
    assert (
        await window.hear(relapsed(window, invitations[0], version=5), invitations[0]["platform"]) == "done"
    )
    assert await window.state(demand, who) == "awarded"


async def test_only_the_winners_platform_can_undo_an_award(window):
    who = window.sme()
    demand, invitations, _, _ = await crossed(window, who)
    before = len(await window.parked())
    assert await window.hear(relapsed(window, invitations[0]), "wuhai") == "parked"
    other = relapsed(window, invitations[0], provider_id=uuid4())
    assert await window.hear(other, invitations[0]["platform"]) == "parked"
    assert (await window.parked())[before:] == ["foreign-quotation"] * 2
    assert await window.state(demand, who) == "awarded"


async def test_what_was_delivered_is_not_undone(window):
    who = window.sme()
    demand, engagement = await window.awarded(who)
    for step in ("confirmed", "delivered"):
        await window.report(engagement, step)
    (first, *_) = (await window.get(f"/v1/demands/{demand['id']}/invitations", who)).json()["items"]
    assert await window.hear(relapsed(window, first), first["platform"]) == "parked"
    assert (await window.parked())[-1] == "engagement-over"
    assert await window.state(demand, who) == "delivered"


async def test_the_name_is_hidden_again_and_the_account_taken_back(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    demand = window.made(
        await window.post("/v1/demands", who, window.draft(enterprise["id"], confidential=True))
    )
    match = window.match(demand, candidates=1)
    await window.hear(match, "matchmaking")
    body = {
        "offering_ids": [str(match.candidates[0].offering_id)],
        "respond_by": (window.watch.at + timedelta(days=7)).isoformat(),
    }
    (only,) = window.made(await window.post(f"/v1/demands/{demand['id']}/invitations", who, body))["items"]
    quotation = await window.quote(only)
    award = {"quotation_id": str(quotation.id), "reason": "唯一"}
    window.made(await window.post(f"/v1/demands/{demand['id']}/award", who, award))
    await window.hear(relapsed(window, only), only["platform"])
    rows = await window.rows(
        "SELECT type, envelope FROM outbox WHERE feed = 'hub' AND envelope::jsonb->>'correlationid' = $1 ORDER BY id",
        demand["id"],
    )
    said = {row["type"]: json.loads(row["envelope"])["data"] for row in rows}  # the last of each
    assert said["invitation.awarded.v1"]["enterprise_subject"]
    assert said["invitation.answered.v1"]["enterprise_subject"] is None
    assert said["demand.evaluated.v1"]["enterprise_name"] is None
