"""Submitting, reading, changing and withdrawing a demand."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest


async def test_a_receipt_number_and_the_fact_come_of_a_submission(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    answer = await window.post("/v1/demands", who, window.draft(enterprise["id"]))
    made = window.made(answer)
    assert re.fullmatch(r"XQ-HOHHOT-\d{8}-\d{6}", made["number"])
    assert answer.headers["etag"] == '"1.1"'
    assert (made["state"], made["industry"], made["division"], made["size_class"]) == (
        "submitted", enterprise["industry"], enterprise["division"], enterprise["size_class"],
    )  # fmt: skip
    assert made["enterprise_name"] == enterprise["name"]
    (row,) = await window.rows("SELECT * FROM outbox WHERE entity = $1", made["id"])
    told = json.loads(row["envelope"])
    assert (row["feed"], told["type"], told["source"], told["correlationid"]) == (
        "hub", "demand.submitted.v1", "hohhot", made["id"],
    )  # fmt: skip
    assert told["data"]["number"] == made["number"]
    assert not {"owner_subject", "enterprise_id", "legal_name", "timeline"} & set(told["data"])
    audit = await window.rows("SELECT action FROM audit WHERE object_id = $1", made["id"])
    assert [row["action"] for row in audit] == ["demand.submitted.v1"]


async def test_the_number_carries_the_date_in_china(window):
    who, now = window.sme(), window.watch.at
    enterprise = await window.enterprise(who)
    try:
        window.watch.at = datetime(2030, 5, 1, 16, 30, tzinfo=UTC)  # half past midnight in Hohhot
        made = window.made(await window.post("/v1/demands", who, window.draft(enterprise["id"])))
        assert made["number"].startswith("XQ-HOHHOT-20300502-")
        yesterday = window.draft(enterprise["id"], needed_by="2030-05-01")
        window.refused(await window.post("/v1/demands", who, yesterday), 422, "needed-by-past", "needed_by")
    finally:
        window.watch.at = now


async def test_numbers_are_never_given_twice(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    answers = await asyncio.gather(
        *(window.post("/v1/demands", who, window.draft(enterprise["id"])) for _ in range(20))
    )
    assert len({window.made(answer)["number"] for answer in answers}) == 20


@pytest.mark.parametrize(
    "other, code, field",
    [
        ({"category": "witchcraft"}, "category-unknown", "category"),
        ({"industry": "0000"}, "industry-unknown", "industry"),
        ({"division": "999999"}, "division-unknown", "division"),
        ({"budget": {"from_cents": 2, "to_cents": 1}}, "budget-upside-down", "budget.to_cents"),
        ({"needed_by": "2020-01-01"}, "needed-by-past", "needed_by"),
        ({"example": True}, "example-staff-only", "example"),
        ({"enterprise_id": str(uuid4())}, None, None),
    ],
)
async def test_a_wrong_figure_names_its_field_and_rule(window, other, code, field):
    who = window.sme()
    enterprise = await window.enterprise(who)
    answer = await window.post("/v1/demands", who, window.draft(enterprise["id"]) | other)
    window.refused(answer, *((422, code, field) if code else (404, "not-found")))


@pytest.mark.parametrize(
    "other, field, rule",
    [
        ({"budget": {"from_cents": -1}}, "budget.from_cents", "greater_than_equal"),
        ({"budget": {"to_cents": 9_223_372_036_854_775_808}}, "budget.to_cents", "less_than_equal"),
        ({"budget": {"to_cent": 1}}, "budget.to_cent", "extra_forbidden"),
        ({"title": "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace") * 300}, "title", "string_too_long"),
        ({"text": ""}, "text", "text_blank"),
        ({"text": "a\u202eb"}, "text", "text_control"),
        ({"must_haves": ["x"] * 21}, "must_haves", "too_long"),
        ({"needed_by": "31.12.2030"}, "needed_by", "date_from_datetime_parsing"),
        ({"state": "awarded"}, "state", "extra_forbidden"),
        ({"number": "XQ-1"}, "number", "extra_forbidden"),
    ],
)  # fmt: skip
async def test_a_malformed_figure_names_its_field_and_rule(window, other, field, rule):
    who = window.sme()
    enterprise = await window.enterprise(who)
    answer = await window.post("/v1/demands", who, window.draft(enterprise["id"]) | other)
    problem = window.refused(answer, 422, "invalid-input", field)
    assert problem["errors"][0]["rule"] == rule


async def test_markup_and_sql_stay_text(window):
    text = "<script>alert(1)</script>'; DROP TABLE demands; --"
    made = await window.demand(window.sme(), title=text, text=text)
    assert (made["title"], made["text"]) == (text, text)


async def test_one_submits_for_ones_own_enterprise_only(window):
    enterprise = await window.enterprise(window.sme())
    for other in (window.sme(), window.staff()):
        answer = await window.post("/v1/demands", other, window.draft(enterprise["id"]))
        window.refused(answer, 404, "not-found")
    for other in (window.token("a", "agency"), window.staff("baotou")):
        answer = await window.post("/v1/demands", other, window.draft(enterprise["id"]))
        window.refused(answer, 403, "role-needed")


async def test_a_demand_of_an_example_enterprise_is_an_example(window):
    staff = window.staff()
    enterprise = await window.enterprise(staff, example=True)
    made = window.made(await window.post("/v1/demands", staff, window.draft(enterprise["id"])))
    assert made["example"] is True


async def test_a_confidential_demand_hides_the_name_from_the_network(window):
    who = window.sme()
    made = await window.demand(who, confidential=True)
    (row,) = await window.rows("SELECT envelope FROM outbox WHERE entity = $1", made["id"])
    assert made["enterprise_name"] is None and "青城乳品" not in row["envelope"]
    shown = await window.patch(f"/v1/demands/{made['id']}", who, {"confidential": False}, '"1.1"')
    assert shown.json()["enterprise_name"] == "青城乳品有限公司"


async def test_the_owner_and_this_windows_staff_read_it_and_nobody_else(window):
    who = window.sme()
    made = await window.demand(who)
    paths = [f"/v1/demands/{made['id']}{tail}" for tail in ("", "/matches", "/invitations", "/quotations")]
    for reader in (who, window.staff(), window.token("o", "operator")):
        assert [(await window.get(path, reader)).status_code for path in paths] == [200] * 4
    for reader in (window.sme(), window.staff("baotou"), window.token("a", "agency")):
        for path in paths:
            window.refused(await window.get(path, reader), 404, "not-found")
        assert (await window.get("/v1/demands", reader)).json()["items"] == []


async def test_the_list_is_filtered_and_pages(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    made = [
        window.made(await window.post("/v1/demands", who, window.draft(enterprise["id"]))) for _ in range(3)
    ]
    await window.post(f"/v1/demands/{made[1]['id']}/withdrawal", who, {"reason": "不再需要"})
    first = (await window.get("/v1/demands?state=submitted&limit=1", who)).json()
    second = (
        await window.get(f"/v1/demands?state=submitted&limit=1&after={first['next_cursor']}", who)
    ).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [made[2]["id"], made[0]["id"]]
    window.refused(await window.get("/v1/demands?state=lost", who), 422, "invalid-input", "query.state")
    window.refused(await window.get("/v1/demands?limit=0", who), 422, "invalid-input", "query.limit")
    window.refused(await window.get("/v1/demands/not-an-id", who), 422, "invalid-input", "path.id")


async def test_a_change_starts_matching_anew(window):
    who = window.sme()
    made = await window.demand(who)
    assert await window.hear(window.match(made), "matchmaking") == "done"
    path = f"/v1/demands/{made['id']}"
    changed = await window.patch(
        path, who, {"budget": {"to_cents": 900}, "must_haves": [], "category": "financing"}, '"1.2"'
    )
    value = changed.json()
    assert (value["state"], value["version"], value["budget"], value["must_haves"], value["title"]) == (
        "submitted", 3, {"from_cents": None, "to_cents": 900}, [], made["title"],
    )  # fmt: skip
    assert [fact for fact, _ in await window.told(made["id"])] == [
        "demand.submitted.v1", "demand.matched.v1", "demand.changed.v1",
    ]  # fmt: skip
    assert (await window.get(f"{path}/matches", who)).json()["outcome"] == "pending"
    window.refused(await window.patch(path, who, {"title": "x"}, '"1.2"'), 412, "stale-version", "If-Match")
    window.refused(await window.patch(path, who, {"title": "x"}, None), 428, "if-match-needed", "If-Match")
    window.refused(await window.patch(path, who, {"title": None}, '"1.3"'), 422, "invalid-input", "title")
    window.refused(await window.patch(path, window.sme(), {"title": "x"}, '"1.3"'), 404, "not-found")
    window.refused(
        await window.patch(path, who, {"category": "magic"}, '"1.3"'), 422, "category-unknown", "category"
    )
    window.refused(
        await window.patch(path, who, {"industry": "0000"}, '"1.3"'), 422, "industry-unknown", "industry"
    )
    assert await window.state(made, who) == "submitted"


async def test_two_changes_at_once_on_one_version_are_one_change(window):
    who = window.sme()
    made = await window.demand(who)
    answers = await asyncio.gather(
        *(window.patch(f"/v1/demands/{made['id']}", who, {"title": f"第{n}次"}, '"1.1"') for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_after_invitations_it_is_changed_no_more(window):
    who = window.sme()
    demand, _ = await window.invited(who)
    tag = (await window.get(f"/v1/demands/{demand['id']}", who)).headers["etag"]
    window.refused(
        await window.patch(f"/v1/demands/{demand['id']}", who, {"title": "x"}, tag), 409, "demand-state"
    )


async def test_a_withdrawal_tells_who_was_invited_and_is_final(window):
    who = window.sme()
    demand, invitations = await window.invited(who)
    path = f"/v1/demands/{demand['id']}/withdrawal"
    window.refused(await window.post(path, window.sme(), {"reason": "x"}), 404, "not-found")
    window.refused(await window.post(path, who, {"reason": " "}), 422, "invalid-input", "reason")
    gone = window.made(await window.post(path, who, {"reason": "项目取消"}))
    assert (gone["state"], gone["reason"]) == ("withdrawn", "项目取消")
    told = await window.told(demand["id"])
    assert [one for one in told if one[0] == "invitation.lost.v1"] == [
        ("invitation.lost.v1", invitation["platform"]) for invitation in invitations
    ]
    window.refused(await window.post(path, who, {"reason": "again"}), 409, "demand-state")
    before = len(await window.told(demand["id"]))
    await window.quote(invitations[0])  # under way when it was withdrawn: kept, without effect
    assert await window.state(demand, who) == "withdrawn"
    assert len(await window.told(demand["id"])) == before


async def test_the_timeline_tells_what_happened(window):
    who = window.sme()
    demand, _ = await window.invited(who)
    timeline = (await window.get(f"/v1/demands/{demand['id']}", who)).json()["timeline"]
    assert [(step["fact"], step["state"]) for step in timeline] == [
        ("demand.submitted.v1", "submitted"), ("demand.matched.v1", "matched"), ("demand.opened.v1", "quoting"),
    ]  # fmt: skip


async def test_the_same_key_is_one_demand_also_at_once(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    draft, key = window.draft(enterprise["id"]), str(uuid4())
    answers = await asyncio.gather(
        *(window.post("/v1/demands", who, draft, Idempotency_Key=key) for _ in range(6))
    )
    assert len({window.made(answer)["id"] for answer in answers}) == 1
    last = await window.post("/v1/demands", who, draft, Idempotency_Key=key)
    assert last.status_code == 201 and last.headers["idempotency-replayed"] == "true"
    assert len((await window.get("/v1/demands", who)).json()["items"]) == 1
    changed = await window.post("/v1/demands", who, draft | {"title": "另一需求"}, Idempotency_Key=key)
    window.refused(changed, 422, "idempotency-key-reused", "Idempotency-Key")


async def test_nothing_is_left_of_a_refused_submission(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    (before,) = await window.rows("SELECT count(*) FROM outbox")
    draft = window.draft(enterprise["id"], needed_by=str(window.watch.at.date() - timedelta(days=2)))
    window.refused(await window.post("/v1/demands", who, draft), 422, "needed-by-past", "needed_by")
    (after,) = await window.rows("SELECT count(*) FROM outbox")
    assert before == after and (await window.get("/v1/demands", who)).json()["items"] == []
