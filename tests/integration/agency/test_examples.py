"""What the documentation shows can be pasted."""


async def test_every_example_body_is_accepted(platform, agency, staff):
    document = (await agency.get("/openapi.json")).json()
    bodies = {
        name: schema["examples"][0]
        for name, schema in document["components"]["schemas"].items()
        if schema.get("examples")
    }
    assert set(bodies) >= {"ProviderIn", "OfferingIn", "SubmissionIn", "ReportIn"}
    made = await agency.post("/v1/providers", json=bodies["ProviderIn"])
    assert made.status_code == 201, made.text
    url = f"/v1/providers/{made.json()['id']}"
    assert (await staff.post(f"{url}/verification", json=bodies["VerificationIn"])).status_code == 200
    tag = (await agency.get(url)).headers["ETag"]
    assert (
        await agency.patch(url, json=bodies["ProviderPatch"], headers={"If-Match": tag})
    ).status_code == 200
    tag = (await staff.get(url)).headers["ETag"]
    assert (
        await staff.put(f"{url}/recognitions", json=bodies["RecognitionsIn"], headers={"If-Match": tag})
    ).status_code == 200
    offerings = document["components"]["schemas"]["OfferingIn"]["examples"]
    assert [body["kind"] for body in offerings] == ["service", "finance_product", "technology_achievement"]
    for body in reversed(offerings):
        offered = await agency.post("/v1/offerings", json=body | {"provider_id": made.json()["id"]})
        assert offered.status_code == 201, offered.text
    at = f"/v1/offerings/{offered.json()['id']}"
    assert (await staff.post(f"{at}/review", json=bodies["ReviewIn"])).status_code == 200
    tag = (await agency.get(at)).headers["ETag"]
    assert (
        await agency.patch(at, json=bodies["OfferingPatch"], headers={"If-Match": tag})
    ).status_code == 200
    assert (await agency.post(f"{at}/pause", json=bodies["ReasonIn"])).status_code == 200
    assert (await staff.post(f"{url}/suspension", json=bodies["SuspensionIn"])).status_code == 200
    assert (await agency.post(f"{url}/retirement", json=bodies["RetirementIn"])).status_code == 200
