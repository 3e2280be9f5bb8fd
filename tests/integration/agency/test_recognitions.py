"""Official recognitions: entered by staff of the platform, never by the agency itself."""

import json

import pytest

REGION = {"name": "自治区中小企业公共服务示范平台", "level": "region", "valid_until": "2030-12-31"}


def body(*recognitions):
    return {"recognitions": list(recognitions)}


async def tag_of(caller, url):
    return {"If-Match": (await caller.get(url)).headers["ETag"]}


async def test_staff_set_them_and_the_network_is_told(platform, agency, staff, provider):
    url = f"/v1/providers/{provider['id']}"
    assert provider["recognitions"] == []
    done = await staff.put(f"{url}/recognitions", json=body(REGION), headers=await tag_of(staff, url))
    assert (done.status_code, done.json()["recognitions"]) == (200, [REGION]), done.text
    assert done.json()["version"] == provider["version"] + 1
    assert (await agency.get(url)).json()["recognitions"] == [REGION]
    (said,) = await platform.said("provider.changed.v1")
    assert (said["data"]["recognitions"], said["data"]["state"]) == ([REGION], "active")
    # Set once more they are the same, and nothing is to be told.
    again = await staff.put(
        f"{url}/recognitions", json=body(REGION), headers={"If-Match": done.headers["ETag"]}
    )
    assert again.headers["ETag"] == done.headers["ETag"]
    none = await staff.put(f"{url}/recognitions", json=body(), headers={"If-Match": done.headers["ETag"]})
    assert none.json()["recognitions"] == []
    assert len(await platform.said("provider.changed.v1")) == 2


async def test_an_agency_cannot_recognise_itself(platform, agency, staff, provider, make):
    url = f"/v1/providers/{provider['id']}"
    tag = await tag_of(agency, url)
    refused = await agency.put(f"{url}/recognitions", json=body(REGION), headers=tag)
    assert (refused.status_code, refused.json()["code"]) == (403, "role-needed")
    smuggled = await agency.patch(url, json=body(REGION), headers=tag)
    assert (smuggled.status_code, smuggled.json()["field"]) == (422, "recognitions")
    registered = await agency.post("/v1/providers", json=make.registration(recognitions=[REGION]))
    assert (registered.status_code, registered.json()["field"]) == (422, "recognitions")
    foreign = platform.caller("staff-9", "window_staff", home="wuhai")
    assert (await foreign.put(f"{url}/recognitions", json=body(REGION), headers=tag)).status_code == 403
    assert (await staff.get(url)).json()["recognitions"] == []


async def test_an_edit_of_the_agency_leaves_them_and_does_not_resubmit_it(agency, staff, make):
    made = (await agency.post("/v1/providers", json=make.registration())).json()
    url = f"/v1/providers/{made['id']}"
    await staff.post(f"{url}/verification", json={"decision": "return", "reason": "补资质"})
    done = await staff.put(f"{url}/recognitions", json=body(REGION), headers=await tag_of(staff, url))
    assert (done.json()["state"], done.json()["state_reason"]) == ("returned", "补资质")
    edited = await agency.patch(url, json={"profile": "新"}, headers={"If-Match": done.headers["ETag"]})
    assert (edited.json()["state"], edited.json()["recognitions"]) == ("submitted", [REGION])


@pytest.mark.parametrize(
    "wrong",
    [
        body(REGION | {"level": "world"}), body(REGION | {"name": " "}), body(REGION | {"by": "me"}),
        body(*[REGION] * 21), {}, {"recognitions": None},
    ],
)  # fmt: skip
async def test_what_is_no_recognition_is_refused(staff, provider, wrong):
    url = f"/v1/providers/{provider['id']}"
    answer = await staff.put(f"{url}/recognitions", json=wrong, headers=await tag_of(staff, url))
    assert answer.status_code == 422


async def test_it_needs_the_version_that_was_read_and_a_provider_that_is_there(staff, provider):
    url = f"/v1/providers/{provider['id']}"
    assert (await staff.put(f"{url}/recognitions", json=body())).status_code == 428
    stale = await staff.put(f"{url}/recognitions", json=body(), headers={"If-Match": '"1.1"'})
    assert stale.status_code == 412
    tag = await tag_of(staff, url)
    await staff.post(f"{url}/retirement")
    gone = await staff.put(f"{url}/recognitions", json=body(REGION), headers=await tag_of(staff, url))
    assert (gone.status_code, gone.json()["code"]) == (409, "provider-state")
    nobody = url.replace(provider["id"][-4:], "0000")
    assert (await staff.put(f"{nobody}/recognitions", json=body(), headers=tag)).status_code == 404


async def test_an_import_carries_them_and_one_without_leaves_them(staff, make):
    code = make.code()

    async def load(**provider):
        named = {"name": "示例·站", "credit_code": code, "division": "150203"} | provider
        row = {"provider": named, "offering": {"external_ref": "A", "title": "事项", "category": "legal"}}
        answer = await staff.post(
            "/v1/offerings/import", content=json.dumps(row, ensure_ascii=False).encode()
        )
        assert answer.status_code == 200, answer.text
        (found,) = (await staff.get("/v1/providers")).json()["items"]
        return found["version"], found["recognitions"]

    assert await load(recognitions=[REGION]) == (1, [REGION])
    assert await load(recognitions=[REGION]) == (1, [REGION])
    assert await load() == (1, [REGION])
    assert await load(profile="新") == (2, [REGION])
    assert await load(recognitions=[]) == (3, [])
