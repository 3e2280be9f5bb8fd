"""Both parties at home in one window: they deal with each other while hub and bus are away."""

from datetime import timedelta
from uuid import UUID

from reference import credit_code


async def active_provider(window, who, number):
    body = {
        "name": f"青城检测技术有限公司{number}",
        "credit_code": credit_code.complete(f"91150102{number:09d}"),
        "division": "150102",
        "categories": ["technology_quality.testing"],
        **window.person,
    }
    provider = window.made(await window.post("/v1/providers", who, body))
    path = f"/v1/providers/{provider['id']}/verification"
    window.made(await window.post(path, window.staff(), {"decision": "approve"}))
    return provider


async def test_a_demand_is_won_done_and_rated_without_the_network(window):
    sme, winner, loser = window.sme(), window.token("agency-1", "agency"), window.token("agency-2", "agency")
    providers = [await active_provider(window, winner, 1), await active_provider(window, loser, 2)]
    demand = await window.demand(sme)
    match = window.match(demand, candidates=2)
    ours = tuple(
        c.model_copy(update={"platform": "hohhot", "provider_id": UUID(p["id"]), "provider_name": p["name"]})
        for c, p in zip(match.candidates, providers, strict=True)
    )
    assert await window.hear(match.model_copy(update={"candidates": ours}), "matchmaking") == "done"
    body = {
        "offering_ids": [str(c.offering_id) for c in ours],
        "respond_by": (window.watch.at + timedelta(days=5)).isoformat(),
    }
    window.made(await window.post(f"/v1/demands/{demand['id']}/invitations", sme, body))
    await window.hear_ourselves()
    for who, price in ((winner, 2_600_000), (loser, 2_900_000)):
        (asked,) = (await window.get("/v1/quotations?state=invited", who)).json()["items"]
        offer = {"price_cents": price, "lead_days": 10, "valid_until": "2099-12-31"}
        window.made(await window.post(f"/v1/quotations/{asked['id']}/submission", who, offer))
    await window.hear_ourselves()
    assert await window.state(demand, sme) == "evaluating"
    best, *_ = (await window.get(f"/v1/demands/{demand['id']}/quotations", sme)).json()["items"]
    award = {"quotation_id": best["id"], "reason": "价格最低", "milestones": [{"title": "取样"}]}
    won = window.made(await window.post(f"/v1/demands/{demand['id']}/award", sme, award))
    await window.hear_ourselves()
    states = [(await window.get("/v1/quotations", who)).json()["items"][0] for who in (winner, loser)]
    assert [(q["state"], bool(q["state_reason"])) for q in states] == [
        ("accepted", False),
        ("rejected", True),
    ]
    assert (await window.get("/v1/assignments", loser)).json()["items"] == []
    for report in ({"step": "confirmed"}, {"step": "milestone", "milestone": 1}, {"step": "delivered"}):
        window.made(await window.post(f"/v1/assignments/{won['engagement_id']}/reports", winner, report))
        await window.hear_ourselves()
    window.made(await window.post(f"/v1/engagements/{won['engagement_id']}/acceptance", sme, {}))
    window.made(await window.post(f"/v1/engagements/{won['engagement_id']}/rating", sme, {"grade": 5}))
    await window.hear_ourselves()
    assert await window.state(demand, sme) == "closed"
    assignment = await window.get(f"/v1/assignments/{won['engagement_id']}", winner)
    assert assignment.json()["state"] == "closed"


async def test_a_provider_suspended_here_cannot_win(window):
    sme, who = window.sme(), window.token("agency-3", "agency")
    provider = await active_provider(window, who, 3)
    demand, (invitation,) = await window.invited(sme, 1, provider_id=UUID(provider["id"]))
    quotation = await window.quote(invitation)
    path = f"/v1/providers/{provider['id']}/suspension"
    window.made(await window.post(path, window.staff(), {"reason": "资质待补"}))
    award = {"quotation_id": str(quotation.id), "reason": "最优"}
    answer = await window.post(f"/v1/demands/{demand['id']}/award", sme, award)
    window.refused(answer, 409, "provider-barred", "quotation_id")
    window.made(await window.post(f"/v1/providers/{provider['id']}/restoration", window.staff(), {}))
    window.made(await window.post(f"/v1/demands/{demand['id']}/award", sme, award))
