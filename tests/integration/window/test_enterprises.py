"""Registering an enterprise: what is checked, who sees it, how its size follows."""

import asyncio
import json
from uuid import uuid4

import pytest


async def test_its_size_class_comes_with_the_reason(window):
    who = window.sme()
    made = await window.enterprise(who)
    assert made["size_class"] == "small"
    assert "小型" in made["size_reason_zh"] and "small" in made["size_reason_en"]
    assert made["size_standard"] == "2011/2017"
    read = await window.get(f"/v1/enterprises/{made['id']}", who)
    assert read.json() == made and read.headers["etag"] == '"1.1"'


async def test_money_is_counted_in_ten_thousand_yuan_to_the_cent(window):
    who = window.sme()
    exact = await window.enterprise(who, employees=20, revenue_cents=300_000_000)
    short = await window.enterprise(who, employees=20, revenue_cents=299_999_999)
    assert (exact["size_class"], short["size_class"]) == ("small", "micro")


@pytest.mark.parametrize(
    "other, code, field",
    [
        ({"credit_code": "91150100MA0N000014"}, "credit-code-check-digit", "credit_code"),
        ({"credit_code": "9115"}, "credit-code-length", "credit_code"),
        ({"credit_code": "91150100MI0N000013"}, "credit-code-alphabet", "credit_code"),
        ({"division": "159999"}, "division-unknown", "division"),
        ({"division": "110105"}, "division-unknown", "division"),
        ({"division": "150000"}, "division-too-coarse", "division"),
        ({"industry": "9999"}, "industry-unknown", "industry"),
        ({"example": True}, "example-staff-only", "example"),
    ],
)
async def test_a_wrong_figure_names_its_field_and_rule(window, other, code, field):
    answer = await window.post("/v1/enterprises", window.sme(), window.profile(**other))
    window.refused(answer, 422, code, field)


@pytest.mark.parametrize(
    "other, field, rule",
    [
        ({"revenue_cents": -1}, "revenue_cents", "greater_than_equal"),
        ({"revenue_cents": 10**19}, "revenue_cents", "less_than_equal"),
        ({"revenue_cents": 1.5}, "revenue_cents", "int_type"),
        ({"total_assets_cents": True}, "total_assets_cents", "int_type"),
        ({"employees": -3}, "employees", "greater_than_equal"),
        ({"name": "  "}, "name", "text_blank"),
        ({"name": "a\u0000b"}, "name", "text_control"),
        ({"contact_phone": "call me"}, "contact_phone", "string_pattern_mismatch"),
        ({"contact_email": "nobody"}, "contact_email", "string_pattern_mismatch"),
        ({"division": "1501"}, "division", "string_pattern_mismatch"),
        ({"owner_subject": "somebody"}, "owner_subject", "extra_forbidden"),
        ({"size_class": "micro"}, "size_class", "extra_forbidden"),
    ],
)
async def test_a_malformed_figure_names_its_field_and_rule(window, other, field, rule):
    answer = await window.post("/v1/enterprises", window.sme(), window.profile(**other))
    problem = window.refused(answer, 422, "invalid-input", field)
    assert problem["errors"][0]["rule"] == rule


async def test_a_place_of_another_window_is_sent_there(window):
    for division, right in (
        ("150203", "Baotou window (baotou)"),
        ("150781", "(manzhouli)"),
        ("150702", "(hulunbuir)"),
    ):
        answer = await window.post("/v1/enterprises", window.sme(), window.profile(division=division))
        problem = window.refused(answer, 422, "division-of-another-window", "division")
        assert right in problem["detail"]


async def test_a_credit_code_is_registered_once(window):
    who, profile = window.sme(), window.profile()
    first = window.made(await window.post("/v1/enterprises", who, profile))
    again = await window.post(
        "/v1/enterprises", who, profile | {"credit_code": f" {profile['credit_code'].lower()}"}
    )
    assert first["id"] in window.refused(again, 409, "enterprise-known", "credit_code")["detail"]
    foreign = await window.post("/v1/enterprises", window.sme(), profile)
    assert first["id"] not in window.refused(foreign, 409, "enterprise-known", "credit_code")["detail"]


async def test_of_ten_registrations_at_once_one_succeeds(window):
    who, profile = window.sme(), window.profile()
    answers = await asyncio.gather(*(window.post("/v1/enterprises", who, profile) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_the_owner_and_this_windows_staff_see_it_and_nobody_else(window):
    who = window.sme()
    path = f"/v1/enterprises/{(await window.enterprise(who))['id']}"
    for reader in (who, window.staff()):
        assert (await window.get(path, reader)).json()["contact_phone"] == window.person["contact_phone"]
    operator = await window.get(path, window.token("operator", "operator"))
    assert operator.status_code == 200
    for value in window.person.values():
        assert value not in operator.text
    foreign = (
        window.sme(),
        window.staff("baotou"),
        window.token("x", "agency"),
        window.token("d", "department"),
    )
    for reader in foreign:
        window.refused(await window.get(path, reader), 404, "not-found")
        assert (await window.get("/v1/enterprises", reader)).json()["items"] == []


async def test_the_list_pages_by_cursor(window):
    who = window.sme()
    ids = [(await window.enterprise(who))["id"] for _ in range(3)]
    first = (await window.get("/v1/enterprises?limit=2", who)).json()
    second = (await window.get(f"/v1/enterprises?limit=2&after={first['next_cursor']}", who)).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


async def test_a_change_computes_the_size_anew_and_needs_the_version_read(window):
    who = window.sme()
    made = await window.enterprise(who)
    path = f"/v1/enterprises/{made['id']}"
    changed = await window.patch(path, who, {"employees": 12, "contact_phone": None}, '"1.1"')
    assert changed.json() | {"changed_at": ""} == made | {
        "version": 2, "employees": 12, "contact_phone": None, "size_class": "micro", "changed_at": "",
        "size_reason_zh": changed.json()["size_reason_zh"], "size_reason_en": changed.json()["size_reason_en"],
    }  # fmt: skip
    assert changed.headers["etag"] == '"1.2"'
    window.refused(
        await window.patch(path, who, {"employees": 13}, '"1.1"'), 412, "stale-version", "If-Match"
    )
    window.refused(await window.patch(path, who, {"employees": 13}, None), 428, "if-match-needed", "If-Match")
    window.refused(
        await window.patch(path, who, {"division": "150203"}, '"1.2"'),
        422,
        "division-of-another-window",
        "division",
    )
    window.refused(await window.patch(path, who, {"name": None}, '"1.2"'), 422, "invalid-input", "name")
    window.refused(
        await window.patch(path, who, {"credit_code": "x"}, '"1.2"'), 422, "invalid-input", "credit_code"
    )
    for other in (window.sme(), window.staff()):
        window.refused(await window.patch(path, other, {"employees": 13}, '"1.2"'), 404, "not-found")


async def test_only_enterprises_and_this_windows_staff_register(window):
    for who in (window.token("a", "agency"), window.staff("baotou"), window.token("o", "operator")):
        window.refused(await window.post("/v1/enterprises", who, window.profile()), 403, "role-needed")
    anonymous = await window.http.post("/v1/enterprises", json=window.profile())
    window.refused(anonymous, 401, "no-token", "Authorization")


async def test_the_same_key_gives_the_same_answer_and_takes_no_other_body(window):
    who, profile, key = window.sme(), window.profile(), str(uuid4())
    first = await window.post("/v1/enterprises", who, profile, Idempotency_Key=key)
    again = await window.post("/v1/enterprises", who, profile, Idempotency_Key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = await window.post("/v1/enterprises", who, window.profile(), Idempotency_Key=key)
    window.refused(other, 422, "idempotency-key-reused", "Idempotency-Key")


async def test_a_person_leaves_no_trace_in_the_audit(window):
    who = window.sme()
    made = await window.enterprise(who)
    await window.patch(f"/v1/enterprises/{made['id']}", who, {"contact_name": "巴特尔"}, '"1.1"')
    rows = await window.rows(
        "SELECT action, detail::text FROM audit WHERE object_id = $1 ORDER BY id", made["id"]
    )
    assert [row["action"] for row in rows] == ["enterprise.registered", "enterprise.changed"]
    assert json.loads(rows[1]["detail"]) == {"version": 2, "fields": ["contact_name"]}
