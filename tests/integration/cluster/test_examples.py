"""What the documentation shows can be pasted."""


async def test_every_example_body_is_accepted(platform, lab, sme, staff, provider):
    document = (await lab.get("/openapi.json")).json()
    bodies = {
        name: schema["examples"][0]
        for name, schema in document["components"]["schemas"].items()
        if schema.get("examples")
    }
    made = await lab.post("/v1/resources", json=bodies["ResourceIn"] | {"provider_id": provider["id"]})
    assert made.status_code == 201, made.text
    url = f"/v1/resources/{made.json()['id']}"
    tag = (await lab.get(url)).headers["ETag"]
    assert (await lab.patch(url, json=bodies["ResourcePatch"], headers={"If-Match": tag})).status_code == 200
    review = bodies["ResourceReviewIn"]
    assert (await staff.post(f"{url}/review", json=review)).status_code == 200
    booked = await sme.post(f"{url}/bookings", json=bodies["BookingIn"])
    assert booked.status_code == 201, booked.text
    at = f"/v1/bookings/{booked.json()['id']}"
    assert (await lab.post(f"{at}/confirmation")).status_code == 200
    early = await lab.post(f"{at}/completion", json=bodies["CompletionIn"])
    assert early.json()["code"] == "not-begun"
    assert (await sme.post(f"{at}/cancellation", json=bodies["CancellationIn"])).status_code == 200
    assert (await lab.post(f"{url}/retirement", json=bodies["ResourceRetirementIn"])).status_code == 200


async def test_the_moving_parts_start_and_stop_without_a_bus(platform, sme):
    async with platform.app.router.lifespan_context(platform.app):
        ready = await sme.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
