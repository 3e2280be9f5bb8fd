import pytest


async def _submitted(agency, provider, make, **changes):
    answer = await agency.post("/v1/offerings", json=make.offering(provider["id"], **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_offering_is_published_paused_resumed_retired(platform, agency, staff, provider, make):
    made = await _submitted(agency, provider, make)
    assert made["state"] == "in_review"
    assert made["division"] == "150203"  # its provider's
    url = f"/v1/offerings/{made['id']}"
    assert (await agency.post(f"{url}/review", json={"decision": "publish"})).status_code == 403
    assert (await agency.post(f"{url}/pause")).json()["code"] == "offering-state"
    assert (await staff.post(f"{url}/review", json={"decision": "publish"})).json()["state"] == "published"
    assert (await agency.post(f"{url}/pause", json={"reason": "检修"})).json()["state_reason"] == "检修"
    assert (await agency.post(f"{url}/resumption")).json()["state"] == "published"
    assert (await agency.post(f"{url}/retirement")).json()["state"] == "retired"
    for step in ("pause", "resumption", "retirement"):
        assert (await agency.post(f"{url}/{step}")).status_code == 409
    said = await platform.said("offering.%")
    assert [e["type"].split(".")[1] for e in said] == [
        "submitted",
        "published",
        "paused",
        "published",
        "retired",
    ]
    assert [e["entityversion"] for e in said] == [1, 2, 3, 4, 5]


async def test_nothing_is_published_for_a_provider_that_is_not_active(agency, staff, make):
    waiting = (await agency.post("/v1/providers", json=make.registration())).json()
    made = await _submitted(agency, waiting, make)
    answer = await staff.post(f"/v1/offerings/{made['id']}/review", json={"decision": "publish"})
    assert (answer.status_code, answer.json()["code"]) == (409, "provider-not-active")


async def test_a_return_needs_a_reason_and_an_edit_resubmits(agency, staff, provider, make):
    made = await _submitted(agency, provider, make)
    url = f"/v1/offerings/{made['id']}"
    assert (await staff.post(f"{url}/review", json={"decision": "return"})).json()["code"] == "reason-needed"
    back = await staff.post(f"{url}/review", json={"decision": "return", "reason": "写明标准"})
    again = await agency.patch(url, json={"summary": "GB/T"}, headers={"If-Match": back.headers["ETag"]})
    assert again.json()["state"] == "in_review"


async def test_every_edit_of_a_published_one_is_a_version(platform, agency, staff, provider, make):
    made = await _submitted(agency, provider, make, lead_days=5)
    url = f"/v1/offerings/{made['id']}"
    tag = (await staff.post(f"{url}/review", json={"decision": "publish"})).headers["ETag"]
    change = {
        "price": {"from_cents": 150, "to_cents": 300},
        "lead_days": None,
        "service_area": ["1502", "1502"],
    }
    done = await agency.patch(url, json=change, headers={"If-Match": tag})
    assert (done.json()["version"], done.json()["state"], done.json()["lead_days"]) == (3, "published", None)
    assert done.json()["service_area"] == ["1502"]
    assert (await platform.said("offering.changed.v1"))[0]["data"]["price"]["from_cents"] == 150
    stale = await agency.patch(url, json=change, headers={"If-Match": tag})
    assert stale.status_code == 412


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"category": "no.such"}, "unknown-category", "category"),
        ({"division": "999999"}, "unknown-division", "division"),
        ({"service_area": ["1502", "1599"]}, "unknown-division", "service_area.1"),
        ({"price": {"from_cents": 5, "to_cents": 4}}, "price-range", "price.to_cents"),
        ({"price": {"from_cents": -1}}, "invalid-input", None),
        ({"price": {"from_cents": 1.5}}, "invalid-input", None),
        ({"price": {"from_cents": 10**15}}, "invalid-input", None),
        ({"lead_days": 99999}, "invalid-input", None),
        (
            {"attributes": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {}}}}}}}}}}},
            "invalid-input",
            None,
        ),
        ({"attributes": {f"k{n}": "字" * 1000 for n in range(30)}}, "attributes-too-large", "attributes"),
        ({"kind": "gift"}, "invalid-input", None),
    ],
)
async def test_wrong_offerings_name_the_field(agency, provider, make, changes, code, field):
    answer = await agency.post("/v1/offerings", json=make.offering(provider["id"], **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    if field:
        assert answer.json()["field"] == field


async def test_nobody_offers_for_anothers_provider(agency, other, provider, make):
    assert (await other.post("/v1/offerings", json=make.offering(provider["id"]))).status_code == 404
    made = await _submitted(agency, provider, make)
    assert (await other.get(f"/v1/offerings/{made['id']}")).status_code == 404
    assert (await other.post(f"/v1/offerings/{made['id']}/retirement")).status_code == 404
    assert (await other.get("/v1/offerings")).json()["items"] == []


async def test_markup_and_sql_stay_text(agency, provider, make):
    title = "<script>alert(1)</script>'; DROP TABLE offerings;--"
    assert (await _submitted(agency, provider, make, title=title))["title"] == title


async def test_a_retired_provider_takes_its_offerings_with_it(platform, agency, staff, provider, make):
    made = await _submitted(agency, provider, make)
    done = await agency.post(f"/v1/providers/{provider['id']}/retirement", json={"reason": "停业"})
    assert done.json()["state"] == "retired"
    assert (await agency.get(f"/v1/offerings/{made['id']}")).json()["state"] == "retired"
    assert len(await platform.said("offering.retired.v1")) == 1
    answer = await agency.post("/v1/offerings", json=make.offering(provider["id"]))
    assert answer.json()["code"] == "provider-gone"
    assert (await agency.post(f"/v1/providers/{provider['id']}/retirement")).json()[
        "code"
    ] == "provider-state"
