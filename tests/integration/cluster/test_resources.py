import pytest


async def test_a_published_resource_is_an_instrument_in_the_catalogue(platform, lab, staff, resource):
    (published,) = await platform.said("offering.%")
    data = published["data"]
    assert (published["type"], data["kind"], data["state"]) == (
        "offering.published.v1",
        "instrument",
        "published",
    )
    assert data["price"] == {"from_cents": 40000, "to_cents": 40000, "unit": "hour"}
    assert data["attributes"]["resource_id"] == resource["id"]
    assert data["attributes"]["specification_model"] == "JSM-7800F"
    url = f"/v1/resources/{resource['id']}"
    tag = (await lab.get(url)).headers["ETag"]
    changed = await lab.patch(url, json={"hourly_occupancy_fee_cents": 45000}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    quiet = await lab.patch(
        url, json={"contact_number": "0472-1111111"}, headers={"If-Match": changed.headers["ETag"]}
    )
    assert quiet.status_code == 200
    said = await platform.said("offering.%")
    assert [e["type"].split(".")[1] for e in said] == ["published", "changed"]
    assert said[1]["data"]["price"]["from_cents"] == 45000
    done = await lab.post(f"{url}/retirement")
    assert done.json()["state"] == "retired"
    assert (await platform.said("offering.%"))[-1]["type"] == "offering.retired.v1"
    assert (await lab.post(f"{url}/retirement")).json()["code"] == "resource-state"


async def test_its_offering_is_not_edited_by_itself(lab, staff, resource):
    (mirrored,) = (await lab.get("/v1/offerings")).json()["items"]
    assert mirrored["source_id"] == resource["id"]
    url = f"/v1/offerings/{mirrored['id']}"
    assert (await lab.post(f"{url}/retirement")).json()["code"] == "offering-mirrored"
    patch = await lab.patch(url, json={"title": "x"}, headers={"If-Match": '"1.1"'})
    assert patch.json()["code"] == "offering-mirrored"


async def test_contacts_stay_here(platform, lab, sme, staff, resource):
    assert (await lab.get(f"/v1/resources/{resource['id']}")).json()["contact_person"] == "李四"
    for caller in (sme, staff):
        assert (await caller.get(f"/v1/resources/{resource['id']}")).json()["contact_person"] is None
    traces = await platform.rows("SELECT envelope AS t FROM outbox UNION ALL SELECT detail::text FROM audit")
    text = "\n".join(row["t"] for row in traces)
    for secret in ("李四", "0472-5200000", "sem@example.com", "lab@example.com", "lab-1"):
        assert secret not in text


async def test_unpublished_ones_are_for_the_lab_and_staff(platform, lab, sme, staff, provider, resource_form):
    made = (await lab.post("/v1/resources", json=resource_form(provider["id"]))).json()
    url = f"/v1/resources/{made['id']}"
    assert (await sme.get(url)).status_code == 404
    assert (await sme.get("/v1/resources")).json()["items"] == []
    assert (await sme.get(f"{url}/calendar", params=NEXT_WEEK)).status_code == 404
    assert len((await lab.get("/v1/resources?mine=true")).json()["items"]) == 1
    foreign = platform.caller("lab-2", "agency")
    assert (await foreign.get(url)).status_code == 404
    stranger = platform.caller("s", "cluster_staff", home="hohhot")
    assert (await stranger.post(f"{url}/review", json={"decision": "publish"})).status_code == 403
    assert (await lab.post(f"{url}/review", json={"decision": "publish"})).status_code == 403
    back = await staff.post(f"{url}/review", json={"decision": "return", "reason": "补充指标"})
    again = await lab.patch(
        url, json={"technical_index": "0.8 nm"}, headers={"If-Match": back.headers["ETag"]}
    )
    assert again.json()["state"] == "in_review"
    assert (await staff.post(f"{url}/review", json={"decision": "publish"})).json()["state"] == "published"
    assert (await staff.post(f"{url}/review", json={"decision": "publish"})).json()[
        "code"
    ] == "resource-state"
    assert (await sme.get(url)).status_code == 200
    body = {"introduction": "x"}
    assert (await foreign.patch(url, json=body, headers={"If-Match": '"1.1"'})).status_code == 404
    assert (await foreign.post(f"{url}/retirement")).status_code == 404


NEXT_WEEK = {"from": "2026-11-30T00:00:00+08:00", "to": "2026-12-07T00:00:00+08:00"}


async def test_only_an_active_providers_lab_shares(platform, lab, staff, provider, resource_form):
    foreign = platform.caller("lab-2", "agency")
    assert (await foreign.post("/v1/resources", json=resource_form(provider["id"]))).status_code == 404
    await staff.post(f"/v1/providers/{provider['id']}/suspension", json={"reason": "x"})
    answer = await lab.post("/v1/resources", json=resource_form(provider["id"]))
    assert (answer.status_code, answer.json()["code"]) == (409, "provider-not-active")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"area": "110101"}, "unknown-division", "area"),
        ({"category": "no.such"}, "unknown-category", "category"),
        ({"external_sharing_hours": 2000}, "sharing-hours", "external_sharing_hours"),
        ({"effective_hours_per_year": 9000}, "invalid-input", None),
        ({"hourly_occupancy_fee_cents": -1}, "invalid-input", None),
        ({"opening_hours": [{"weekday": 1, "opens": "18:00", "closes": "08:00"}]}, "invalid-input", None),
        ({"opening_hours": [{"weekday": 8, "opens": "08:00", "closes": "18:00"}]}, "invalid-input", None),
        ({"opening_hours": [{"weekday": 1, "opens": "25:00", "closes": "26:00"}]}, "invalid-input", None),
    ],
)
async def test_wrong_forms_name_the_field(lab, provider, resource_form, changes, code, field):
    answer = await lab.post("/v1/resources", json=resource_form(provider["id"], **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    if field:
        assert answer.json()["field"] == field
