"""Example agencies that register themselves: the agency submits, the platform's staff verify and publish."""

from collections import Counter
from typing import Any

from localnet.api import OPERATOR, Api
from localnet.examples import Agency

Outcome = Counter[str]
CONTACT = {
    "contact_name": "示例联系人",
    "contact_phone": "0471-5200000",
    "contact_email": "contact@example.com",
}
WORKDAYS = (1, 2, 3, 4, 5)
FORM = (
    "equipment_name", "specification_model", "instrument_classification", "manufacturer", "production_country",
    "placement_address", "hourly_occupancy_fee_cents", "effective_hours_per_year", "external_sharing_hours",
    "technical_index", "functions", "introduction", "main_accessories", "example",
)  # fmt: skip


async def establish(api: Api, agency: Agency, run: str) -> Outcome:
    """Make the agency, its offerings and its instruments be there and published; what that took.

    Shape: found by credit code, by title and by model, so that a second run changes nothing. Staff see
    all of it, so nobody signs in unless something is missing.
    """
    name = agency.owner.username
    outcome: Outcome = Counter()
    provider = await _provider(api, agency, f"{run}-{name}")
    offerings = {
        (item["title"], item["kind"]): item
        async for item in api.all(agency.node, "/v1/offerings", OPERATOR, provider_id=provider["id"])
        if item["state"] != "retired"
    }
    for said in agency.provider["offerings"]:
        item = offerings.get((said["title"], said["kind"]))
        draft = {k: v for k, v in said.items() if k != "external_ref"} | {"provider_id": provider["id"]}
        outcome[await _publish(api, agency, "offerings", item, draft, f"{run}-{said['external_ref']}")] += 1
    if not agency.provider["resources"]:
        return outcome
    resources = {
        (item["provider_id"], item["equipment_name"], item["specification_model"]): item
        async for item in api.all(agency.node, "/v1/resources", OPERATOR)
        if item["state"] != "retired"
    }
    for resource in agency.provider["resources"]:
        item = resources.get((provider["id"], resource["equipment_name"], resource["specification_model"]))
        form = {field: resource[field] for field in FORM} | {
            "provider_id": provider["id"],
            "owner": agency.provider["name"],
            "area": agency.provider["division"],
            "opening_hours": [{"weekday": day, "opens": "08:30", "closes": "17:30"} for day in WORKDAYS],
            "contact_person": CONTACT["contact_name"],
            "contact_number": CONTACT["contact_phone"],
            "email": CONTACT["contact_email"],
        }
        outcome[
            await _publish(api, agency, "resources", item, form, f"{run}-{resource['external_ref']}")
        ] += 1
    return outcome


async def find(api: Api, agency: Agency) -> dict[str, Any] | None:
    """The provider as its platform holds it, read by staff."""
    code = agency.provider["credit_code"]
    async for item in api.all(agency.node, "/v1/providers", OPERATOR):
        if item["credit_code"] == code and item["state"] not in ("rejected", "retired"):
            return item
    return None


async def _provider(api: Api, agency: Agency, key: str) -> dict[str, Any]:
    held = await find(api, agency)
    if held is None:
        told = ("name", "credit_code", "division", "profile", "qualifications", "example")
        categories = sorted({offering["category"] for offering in agency.provider["offerings"]})
        body = {name: agency.provider[name] for name in told} | CONTACT | {"categories": categories}
        held = await api.post(
            agency.node, "/v1/providers", body, who=agency.owner.username, key=f"{key}-register"
        )
    if held["state"] in ("submitted", "verifying"):
        held = await api.post(
            agency.node, f"/v1/providers/{held['id']}/verification", {"decision": "approve"}, who=OPERATOR,
            key=f"{key}-verify",
        )  # fmt: skip
    return held


async def _publish(
    api: Api, agency: Agency, noun: str, held: dict[str, Any] | None, draft: dict[str, Any], key: str
) -> str:
    """Submit it unless it is there, publish it if it waits for review; what that made of it."""
    item: dict[str, Any] = held or await api.post(
        agency.node, f"/v1/{noun}", draft, who=agency.owner.username, key=f"{key}-submit"
    )
    if item["state"] == "in_review":
        await api.post(
            agency.node, f"/v1/{noun}/{item['id']}/review", {"decision": "publish"}, who=OPERATOR,
            key=f"{key}-review",
        )  # fmt: skip
        return "created"
    return "unchanged"
