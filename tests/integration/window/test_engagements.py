"""From the award to the closing: reports, acceptance, rating."""

import random
from uuid import uuid4

PLAN = [{"title": "首次取样"}, {"title": "出具报告"}]


async def engagement_now(window, engagement, who):
    return (await window.get(f"/v1/engagements/{engagement['id']}", who)).json()


async def delivered(window, who):
    demand, engagement = await window.awarded(who)
    for step in ("confirmed", "delivered"):
        assert await window.report(engagement, step) == "done"
    return demand, engagement


async def accepted(window, who):
    demand, engagement = await delivered(window, who)
    window.made(await window.post(f"/v1/engagements/{engagement['id']}/acceptance", who, {}))
    return demand, engagement


async def test_reports_move_the_engagement_and_its_demand(window):
    who = window.sme()
    demand, engagement = await window.awarded(who, milestones=PLAN)
    steps = [
        ("confirmed", {}, "confirmed", "in_service"),
        ("milestone", {"milestone": 2}, "in_progress", "in_service"),
        ("milestone", {"milestone": 1}, "in_progress", "in_service"),
        ("delivered", {"note": "报告已寄出"}, "delivered", "delivered"),
    ]
    for step, more, state, demand_state in steps:
        assert await window.report(engagement, step, **more) == "done"
        now = await engagement_now(window, engagement, who)
        assert (now["state"], await window.state(demand, who)) == (state, demand_state)
    assert all(m["done_at"] for m in now["milestones"]) and now["delivery_note"] == "报告已寄出"
    platform = engagement["platform"]
    assert (await window.told(demand["id"]))[-6:] == [
        ("engagement.confirmed.v1", platform), ("demand.progressed.v1", None),
        ("engagement.progressed.v1", platform), ("engagement.progressed.v1", platform),
        ("engagement.delivered.v1", platform), ("demand.progressed.v1", None),
    ]  # fmt: skip


async def test_reports_in_any_order_and_twice_end_the_same(window):
    who = window.sme()
    _, engagement = await window.awarded(who, milestones=PLAN)
    reports = [("confirmed", None), ("milestone", 1), ("milestone", 2), ("delivered", None)]
    random.shuffle(reports)
    for step, milestone in reports:
        assert await window.report(engagement, step, milestone=milestone) == "done"
    now = await engagement_now(window, engagement, who)
    assert (
        now["state"] == "delivered" and now["confirmed_at"] and all(m["done_at"] for m in now["milestones"])
    )
    for step, milestone in reports:
        assert await window.report(engagement, step, milestone=milestone) == "parked"
    assert await engagement_now(window, engagement, who) == now


async def test_a_report_counts_only_from_the_provider_at_its_platform(window):
    who = window.sme()
    demand, engagement = await window.awarded(who)
    before = len(await window.parked())
    assert await window.report(engagement, "confirmed", source="wuhai") == "parked"
    assert await window.report(engagement, "confirmed", provider_id=uuid4()) == "parked"
    assert await window.report(engagement, "confirmed", demand_id=uuid4()) == "parked"
    assert await window.report(engagement, "confirmed", engagement_id=uuid4()) == "parked"
    assert await window.report(engagement, "milestone", milestone=7) == "parked"
    assert await window.report(engagement, "milestone") == "parked"
    assert (await window.parked())[before:] == ["foreign-report"] * 3 + ["not-found"] + [
        "milestone-unknown"
    ] * 2
    assert await window.state(demand, who) == "awarded"


async def test_only_what_is_delivered_is_accepted_once_and_by_the_owner(window):
    who = window.sme()
    demand, engagement = await window.awarded(who)
    path = f"/v1/engagements/{engagement['id']}/acceptance"
    window.refused(await window.post(path, who, {}), 409, "not-delivered")
    await window.report(engagement, "delivered")
    for other in (window.sme(), window.staff()):
        window.refused(await window.post(path, other, {}), 404, "not-found")
    done = window.made(await window.http.post(path, headers=who))
    assert done["state"] == "accepted" and done["accepted_at"]
    window.refused(await window.post(path, who, {}), 409, "engagement-over")
    assert await window.state(demand, who) == "accepted"


async def test_a_rating_closes_the_case(window):
    who = window.sme()
    demand, engagement = await accepted(window, who)
    rating = window.made(
        await window.post(f"/v1/engagements/{engagement['id']}/rating", who, {"grade": 5, "text": "响应快"})
    )
    assert rating["grade"] == 5
    assert (await engagement_now(window, engagement, who))["state"] == "closed"
    read = (await window.get(f"/v1/demands/{demand['id']}", who)).json()
    assert read["state"] == "closed"
    assert [step["state"] for step in read["timeline"]] == [
        "submitted", "matched", "quoting", "awarded", "in_service", "delivered", "accepted", "rated", "closed",
    ]  # fmt: skip
    platform = engagement["platform"]
    assert (await window.told(demand["id"]))[-4:] == [
        ("rating.given.v1", platform), ("engagement.closed.v1", platform),
        ("demand.progressed.v1", None), ("demand.progressed.v1", None),
    ]  # fmt: skip


async def test_one_rates_once_and_only_after_acceptance(window):
    who = window.sme()
    _, engagement = await delivered(window, who)
    path = f"/v1/engagements/{engagement['id']}/rating"
    window.refused(await window.post(path, who, {"grade": 5}), 409, "not-accepted-yet")
    window.made(await window.post(f"/v1/engagements/{engagement['id']}/acceptance", who, {}))
    for grade in (0, 6, 4.5, "5", None):
        answer = await window.post(path, who, {"grade": grade})
        window.refused(answer, 422, "invalid-input", "grade")
    for other in (window.sme(), window.staff()):
        window.refused(await window.post(path, other, {"grade": 1}), 404, "not-found")
    window.refused(await window.get(path, who), 404, "not-found")
    window.made(await window.post(path, who, {"grade": 2}))
    window.refused(await window.post(path, who, {"grade": 5}), 409, "already-rated")


async def test_a_rating_can_be_changed_for_seven_days(window):
    who, now = window.sme(), window.watch.at
    _, engagement = await accepted(window, who)
    path = f"/v1/engagements/{engagement['id']}/rating"
    window.made(await window.post(path, who, {"grade": 2, "text": "慢"}))
    tag = (await window.get(path, who)).headers["etag"]
    window.refused(await window.patch(path, who, {"grade": 3}, None), 428, "if-match-needed", "If-Match")
    window.refused(await window.patch(path, window.sme(), {"grade": 3}, tag), 404, "not-found")
    try:
        window.watch.forward(days=7)
        changed = await window.patch(path, who, {"grade": 4}, tag)
        assert (changed.json()["grade"], changed.json()["text"], changed.json()["version"]) == (4, "慢", 2)
        window.refused(await window.patch(path, who, {"grade": 1}, tag), 412, "stale-version", "If-Match")
        window.watch.forward(seconds=1)
        window.refused(
            await window.patch(path, who, {"grade": 1}, changed.headers["etag"]), 409, "rating-final"
        )
    finally:
        window.watch.at = now
    (row,) = await window.rows(
        "SELECT envelope::jsonb->>'recipient' AS recipient FROM outbox"
        " WHERE feed = 'hub' AND type = 'rating.changed.v1' AND envelope::jsonb->'data'->>'engagement_id' = $1",
        engagement["id"],
    )
    assert row["recipient"] == engagement["platform"]


async def test_after_the_closing_a_report_is_refused(window):
    who = window.sme()
    _, engagement = await accepted(window, who)
    await window.post(f"/v1/engagements/{engagement['id']}/rating", who, {"grade": 5})
    assert await window.report(engagement, "delivered") == "parked"
    assert (await window.parked())[-1] == "engagement-over"


async def test_the_owner_and_this_windows_staff_read_it_and_nobody_else(window):
    who = window.sme()
    _, engagement = await accepted(window, who)
    await window.post(f"/v1/engagements/{engagement['id']}/rating", who, {"grade": 5})
    paths = (f"/v1/engagements/{engagement['id']}", f"/v1/engagements/{engagement['id']}/rating")
    for path in paths:
        for reader in (who, window.staff()):
            assert (await window.get(path, reader)).status_code == 200
        for reader in (window.sme(), window.staff("baotou"), window.token("a", "agency")):
            window.refused(await window.get(path, reader), 404, "not-found")
    listed = (await window.get("/v1/engagements?state=closed", who)).json()["items"]
    assert [item["id"] for item in listed] == [engagement["id"]]
    assert (await window.get("/v1/engagements", window.sme())).json()["items"] == []
