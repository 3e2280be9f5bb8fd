"""Both parties at home in one window: they deal with each other while hub and bus are away."""

from datetime import timedelta
from uuid import UUID

from reference import credit_code
from window import jobs


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
    assignment = (await window.get(f"/v1/assignments/{won['engagement_id']}", winner)).json()
    assert (assignment["state"], assignment["rating"]["grade"]) == ("closed", 5)
    theirs = await window.get(f"/v1/quotations/{best['id']}/contact", sme)
    ours = await window.get(f"/v1/engagements/{won['engagement_id']}/contact", winner)
    for answer in (theirs, ours):
        assert {name: answer.json()[name] for name in window.person} == window.person
    for path in (theirs, ours):
        assert (await window.get(str(path.url), loser)).status_code == 404


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


async def test_a_withdrawal_crosses_the_award_and_another_wins(window):
    sme = window.sme()
    first, second = window.token("agency-4", "agency"), window.token("agency-5", "agency")
    providers = [await active_provider(window, first, 4), await active_provider(window, second, 5)]
    demand = await window.demand(sme)
    match = window.match(demand, candidates=2)
    ours = tuple(
        c.model_copy(update={"platform": "hohhot", "provider_id": UUID(p["id"]), "provider_name": p["name"]})
        for c, p in zip(match.candidates, providers, strict=True)
    )
    await window.hear(match.model_copy(update={"candidates": ours}), "matchmaking")
    deadline = (window.watch.at + timedelta(days=5)).isoformat()
    path = f"/v1/demands/{demand['id']}"

    async def invite(*candidates):
        body = {"offering_ids": [str(c.offering_id) for c in candidates], "respond_by": deadline}
        window.made(await window.post(f"{path}/invitations", sme, body))
        await window.hear_ourselves()

    async def quote(who):
        (asked,) = (await window.get("/v1/quotations?state=invited", who)).json()["items"]
        offer = {"price_cents": 2_600_000, "lead_days": 10, "valid_until": "2099-12-31"}
        window.made(await window.post(f"/v1/quotations/{asked['id']}/submission", who, offer))
        await window.hear_ourselves()
        return asked["id"]

    async def award(id):
        body = {"quotation_id": id, "reason": "最优"}
        return window.made(await window.post(f"{path}/award", sme, body))["engagement_id"]

    await invite(*ours)
    quoted, _ = await quote(first), await quote(second)
    undone = await award(quoted)
    window.made(await window.post(f"/v1/quotations/{quoted}/withdrawal", first, {"reason": "设备故障"}))
    parked = await window.parked()
    await window.hear_ourselves()
    assert await window.parked() == parked
    assert await window.state(demand, sme) == "evaluating"
    copy = (await window.get(f"/v1/assignments/{undone}", first)).json()
    assert (copy["state"], copy["state_reason"]) == ("cancelled", "quotation-withdrawn")
    answer = await window.post(f"/v1/assignments/{undone}/reports", first, {"step": "confirmed"})
    window.refused(answer, 409, "assignment-over")
    await invite(ours[1])
    engagement = await award(await quote(second))
    await window.hear_ourselves()
    window.made(await window.post(f"/v1/assignments/{engagement}/reports", second, {"step": "confirmed"}))
    await window.hear_ourselves()
    assert await window.state(demand, sme) == "in_service"


async def test_a_deadline_reaches_the_provider_next_door(window):
    sme, who = window.sme(), window.token("agency-6", "agency")
    provider = await active_provider(window, who, 6)
    demand, _ = await window.invited(sme, 1, provider_id=UUID(provider["id"]))
    await window.hear_ourselves()
    began = window.watch.at
    try:
        window.watch.forward(days=8)
        await jobs.expire_invitations(window.app.state.runtime)
        await window.hear_ourselves()
        (asked,) = (await window.get("/v1/quotations", who)).json()["items"]
        assert asked["state"] == "expired"
        assert await window.state(demand, sme) == "no_quotation"
    finally:
        window.watch.at = began
