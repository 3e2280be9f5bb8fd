"""Example records for trying the network: real service items of another region, and invented agencies.

Everything here says example=True and its names start with 示例; nothing of it is a real offer.
"""

import json
import re
from functools import cache
from typing import Any, Literal, NotRequired, TypedDict

from reference.divisions import prefix_of
from reference.packaged import document, text

Kind = Literal["service", "instrument", "technology_achievement", "finance_product", "training", "space"]


class Price(TypedDict):
    """A range; both ends None means by agreement, both zero free of charge."""

    from_cents: int | None
    to_cents: int | None
    unit: str


class Offering(TypedDict):
    external_ref: str
    kind: Kind
    title: str
    summary: str
    category: str
    service_area: list[str]
    price: Price
    lead_days: int | None
    attributes: dict[str, Any]
    finance: NotRequired[dict[str, Any]]
    achievement: NotRequired[dict[str, Any]]
    example: Literal[True]


class GovernmentProvider(TypedDict):
    name: str
    credit_code: str
    division: str
    note: str
    example: Literal[True]


class GovernmentService(TypedDict):
    provider: GovernmentProvider
    offering: Offering


class Qualification(TypedDict):
    name: str
    number: str
    valid_until: str


class Resource(TypedDict):
    """A shared instrument or room, in the fields of the instrument form."""

    external_ref: str
    kind: Literal["instrument", "laboratory", "pilot_line"]
    equipment_name: str
    specification_model: str
    instrument_classification: str
    manufacturer: str
    production_country: str
    placement_address: str
    hourly_occupancy_fee_cents: int
    effective_hours_per_year: int
    external_sharing_hours: int
    technical_index: str
    functions: str
    introduction: str
    main_accessories: str
    capacity: int
    example: Literal[True]


class Provider(TypedDict):
    """An agency. `cluster` is the platform that keeps it; None: the window of its division."""

    external_ref: str
    cluster: str | None
    name: str
    credit_code: str
    division: str
    profile: str
    qualifications: list[Qualification]
    example: Literal[True]
    offerings: list[Offering]
    resources: list[Resource]


class Enterprise(TypedDict):
    """An enterprise. Revenue and assets are decimal numbers as text, in 10,000 yuan."""

    external_ref: str
    name: str
    credit_code: str
    division: str
    industry: str
    employees: int
    revenue_10k_cny: str
    total_assets_10k_cny: str
    profile: str
    example: Literal[True]


class Budget(TypedDict):
    from_cents: int | None
    to_cents: int | None


class Demand(TypedDict):
    """A need of the enterprise with that external_ref; a good match finds `suitable_offerings`."""

    external_ref: str
    enterprise: str
    enterprise_credit_code: str
    division: str
    industry: str
    title: str
    text: str
    category: str | None
    budget: Budget
    needed_within_days: int
    must_haves: list[str]
    nice_to_haves: list[str]
    name_hidden: bool
    suitable_offerings: list[str]
    example: Literal[True]


NOTE = "四川省广安市广安区公开的政务服务事项，作为外地样本用于演示，不代表内蒙古自治区的办事指南。"


@cache
def government_services() -> tuple[GovernmentService, ...]:
    """Return 1,135 real service items of Guang'an (Sichuan), dealt out over the 14 windows."""
    plan = document("examples/government.json")
    departments = {entry["department"]: entry for entry in plan["departments"]}
    seen: dict[str, int] = {}
    services: list[GovernmentService] = []
    for line in text("examples/gov_service_items.jsonl").splitlines():
        item = json.loads(line)
        department = departments[item["department"]]
        turn = seen[item["department"]] = seen.get(item["department"], -1) + 1
        place = turn % len(department["placed"])
        services.append(
            {
                "provider": _office(department, place),
                "offering": _offering(item, department, department["placed"][place], plan["category_rules"]),
            }
        )
    return tuple(services)


def _office(department: dict[str, Any], place: int) -> GovernmentProvider:
    placed = department["placed"][place]
    name = department["department"]
    # One department shown in several windows is several providers, so their names must differ.
    part = f"·分样{place + 1}" if len(department["placed"]) > 1 else ""
    return {
        "name": f"示例·{name if name.startswith('广安') else f'广安{name}'}（四川省外地样本{part}）",
        "credit_code": placed["credit_code"],
        "division": placed["division"],
        "note": NOTE,
        "example": True,
    }


def _offering(
    item: dict[str, str], department: dict[str, Any], placed: dict[str, str], rules: list[dict[str, Any]]
) -> Offering:
    heading = "" if item["main_item"] == "未分类" else item["main_item"]
    words = f"{item['name']} {heading}"
    fitting = (rule["category"] for rule in rules if any(word in words for word in rule["words"]))
    code = re.search(r"itemCode=([^&]+)", item["link"])
    assert code is not None, item["link"]
    under = f"，属“{heading}”" if heading else ""
    return {
        "external_ref": code[1],
        "kind": "service",
        "title": item["name"],
        "summary": f"示例（外地样本，来自四川省广安市广安区）：{item['department']}办理“{item['name']}”{under}。示例中按免费列出。",
        "category": next(fitting, department["category"]),
        "service_area": [prefix_of(placed["division"])],
        "price": {"from_cents": 0, "to_cents": 0, "unit": "case"},
        "lead_days": None,
        "attributes": {"source_region": "511602", "source_link": item["link"]},
        "example": True,
    }


def example_providers() -> tuple[Provider, ...]:
    """Return invented agencies with their offerings and shared instruments."""
    return tuple(document("examples/providers.json")["providers"])


def example_enterprises() -> tuple[Enterprise, ...]:
    return tuple(document("examples/demands.json")["enterprises"])


def example_demands() -> tuple[Demand, ...]:
    """Return everyday demands of the example enterprises."""
    return tuple(document("examples/demands.json")["demands"])
