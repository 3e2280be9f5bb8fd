import asyncio

import pytest


async def test_an_agency_registers_and_is_verified(platform, agency, staff, make):
    body = make.registration()
    made = await agency.post("/v1/providers", json=body)
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1.1"'
    assert made.json()["state"] == "submitted"
    assert made.json()["contact_phone"] == body["contact_phone"]
    done = await staff.post(f"/v1/providers/{made.json()['id']}/verification", json={"decision": "approve"})
    assert done.status_code == 200
    assert done.json()["state"] == "active"
    assert [e["type"] for e in await platform.said()] == ["provider.registered.v1", "provider.verified.v1"]


async def test_contacts_are_masked_for_staff_and_travel_nowhere(platform, agency, staff, make):
    body = make.registration()
    made = (await agency.post("/v1/providers", json=body)).json()
    seen = (await staff.get(f"/v1/providers/{made['id']}")).json()
    assert seen["contact_name"] == "张*"
    assert "13800138" not in seen["contact_phone"]
    assert "secret.person" not in seen["contact_email"]
    assert "owner_subject" not in seen
    changed = await agency.patch(
        f"/v1/providers/{made['id']}", json={"contact_phone": "13900139000"}, headers={"If-Match": '"1.1"'}
    )
    assert changed.json()["version"] == 2
    traces = await platform.rows("SELECT envelope AS t FROM outbox UNION ALL SELECT detail::text FROM audit")
    text = "\n".join(row["t"] for row in traces)
    for secret in ("张三丰", "13800138000", "13900139000", "secret.person", "agency-1"):
        assert secret not in text
    assert await platform.rows(
        "SELECT 1 FROM audit WHERE action = 'provider.changed.v1' AND actor = 'agency-1'"
    )


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"credit_code": "91150203MA0N1A2B3X"}, "credit-code-check-digit", "credit_code"),
        ({"credit_code": "9115"}, "credit-code-length", "credit_code"),
        ({"credit_code": "IIIIIIIIIIIIIIIIII"}, "credit-code-alphabet", "credit_code"),
        ({"division": "110101"}, "unknown-division", "division"),
        ({"categories": ["legal", "no.such"]}, "unknown-category", "categories.1"),
        ({"contact_email": "nobody"}, "invalid-input", None),
        ({"contact_phone": "call me"}, "invalid-input", None),
        ({"owner_subject": "me"}, "invalid-input", None),
        ({"name": "a\u0000b"}, "invalid-input", None),
    ],
)
async def test_wrong_registrations_name_the_field(agency, make, changes, code, field):
    answer = await agency.post("/v1/providers", json=make.registration(**changes))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == code
    if field:
        assert answer.json()["field"] == field


async def test_one_provider_per_credit_code_even_at_once(platform, agency, other, make):
    body = make.registration()
    answers = await asyncio.gather(
        *(caller.post("/v1/providers", json=body) for caller in (agency, other) for _ in range(5))
    )
    assert sorted(a.status_code for a in answers) == [201] + [409] * 9
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"provider-known"}
    assert len(await platform.said()) == 1


async def test_a_rejected_code_is_free_again(agency, other, staff, make):
    body = make.registration()
    made = (await agency.post("/v1/providers", json=body)).json()
    url = f"/v1/providers/{made['id']}/verification"
    assert (await staff.post(url, json={"decision": "reject"})).json()["code"] == "reason-needed"
    assert (await staff.post(url, json={"decision": "reject", "reason": "冒用"})).status_code == 200
    assert (await other.post("/v1/providers", json=body)).status_code == 201


async def test_another_agency_sees_nothing(other, provider):
    url = f"/v1/providers/{provider['id']}"
    assert (await other.get(url)).status_code == 404
    assert (await other.get("/v1/providers")).json()["items"] == []
    answer = await other.patch(url, json={"profile": "x"}, headers={"If-Match": '"1.2"'})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await other.post(f"{url}/retirement")).status_code == 404


async def test_staff_of_another_platform_are_not_staff_here(platform, provider):
    stranger = platform.caller("staff-9", "window_staff", home="hohhot")
    url = f"/v1/providers/{provider['id']}"
    assert (await stranger.get(url)).status_code == 403
    assert (await stranger.post(f"{url}/suspension", json={"reason": "x"})).status_code == 403
    both = platform.caller("staff-8", "window_staff", "agency", home="hohhot")
    assert (await both.get(url)).status_code == 404
    operator = platform.caller("op", "operator")
    assert (await operator.get(url)).status_code == 200


async def test_roles_open_routes(platform, agency, provider, make):
    sme = platform.caller("sme-1", "sme")
    assert (await sme.post("/v1/providers", json=make.registration())).status_code == 403
    verification = f"/v1/providers/{provider['id']}/verification"
    assert (await agency.post(verification, json={"decision": "approve"})).status_code == 403
    assert (await agency.get("/v1/providers", headers={"Authorization": ""})).status_code == 401


async def test_edits_need_the_version_they_are_based_on(agency, provider):
    url = f"/v1/providers/{provider['id']}"
    assert (await agency.patch(url, json={"profile": "x"})).status_code == 428
    assert (await agency.patch(url, json={"profile": "x"}, headers={"If-Match": '"1.1"'})).status_code == 412
    tag = (await agency.get(url)).headers["ETag"]
    changed = await agency.patch(url, json={"profile": "新", "division": None}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert changed.json()["profile"] == "新"
    assert changed.json()["division"] == "150203"
    renamed = await agency.patch(url, json={"name": "别名"}, headers={"If-Match": changed.headers["ETag"]})
    assert renamed.json()["code"] == "name-verified"


async def test_a_returned_one_is_submitted_again_by_its_edit(agency, staff, make):
    made = (await agency.post("/v1/providers", json=make.registration())).json()
    url = f"/v1/providers/{made['id']}"
    back = await staff.post(f"{url}/verification", json={"decision": "return", "reason": "补充资质"})
    assert (back.json()["state"], back.json()["state_reason"]) == ("returned", "补充资质")
    again = await agency.patch(url, json={"profile": "补充"}, headers={"If-Match": back.headers["ETag"]})
    assert (again.json()["state"], again.json()["state_reason"]) == ("submitted", None)


async def test_the_same_key_answers_the_same(platform, agency, make):
    body, headers = make.registration(), {"Idempotency-Key": "k1"}
    first = await agency.post("/v1/providers", json=body, headers=headers)
    second = await agency.post("/v1/providers", json=body, headers=headers)
    assert second.status_code == 201
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json() == first.json()
    third = await agency.post("/v1/providers", json=make.registration(), headers=headers)
    assert (third.status_code, third.json()["code"]) == (422, "idempotency-key-reused")
    assert len(await platform.said()) == 1


async def test_suspension_ends_by_staff_or_by_the_clock(platform, staff, provider):
    from agency import jobs

    url = f"/v1/providers/{provider['id']}"
    past = await staff.post(f"{url}/suspension", json={"reason": "x", "until": "2026-01-01T00:00:00Z"})
    assert past.json()["code"] == "until-in-past"
    assert (await staff.post(f"{url}/restoration")).json()["code"] == "provider-state"
    until = "2026-11-24T02:00:00Z"
    assert (await staff.post(f"{url}/suspension", json={"reason": "x", "until": until})).status_code == 200
    again = await staff.post(f"{url}/suspension", json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "provider-state")
    await jobs.restore_due(platform.runtime)
    assert (await staff.get(url)).json()["state"] == "suspended"
    platform.clock.forward(hours=25)
    await asyncio.gather(*(jobs.restore_due(platform.runtime) for _ in range(4)))
    assert (await staff.get(url)).json()["state"] == "active"
    assert len(await platform.said("provider.restored.v1")) == 1


async def test_lists_page_by_cursor(agency, staff, make):
    for _ in range(5):
        await agency.post("/v1/providers", json=make.registration())
    first = (await staff.get("/v1/providers?limit=3&state=submitted")).json()
    rest = (await staff.get(f"/v1/providers?limit=3&after={first['next_cursor']}")).json()
    assert len(first["items"]) == 3
    assert len(rest["items"]) == 2
    assert rest["next_cursor"] is None
    assert not {i["id"] for i in first["items"]} & {i["id"] for i in rest["items"]}


async def test_a_retirement_lets_no_publication_slip_through(agency, staff, provider, make):
    ids = [
        (await agency.post("/v1/offerings", json=make.offering(provider["id"]))).json()["id"]
        for _ in range(6)
    ]
    answers = await asyncio.gather(
        *(staff.post(f"/v1/offerings/{id}/review", json={"decision": "publish"}) for id in ids[:3]),
        agency.post(f"/v1/providers/{provider['id']}/retirement"),
        *(staff.post(f"/v1/offerings/{id}/review", json={"decision": "publish"}) for id in ids[3:]),
    )
    assert {a.status_code for a in answers} <= {200, 409}, [a.text for a in answers]
    assert {o["state"] for o in (await staff.get("/v1/offerings")).json()["items"]} == {"retired"}
