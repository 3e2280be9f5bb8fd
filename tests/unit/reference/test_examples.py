import re
from collections import Counter
from decimal import Decimal

import pytest
from reference import categories, clusters, credit_code, divisions, examples, forms, industries, size_standard

SERVICES = examples.government_services()
PROVIDERS = examples.example_providers()
ENTERPRISES = {enterprise["external_ref"]: enterprise for enterprise in examples.example_enterprises()}
DEMANDS = examples.example_demands()
OFFERINGS = {offering["external_ref"]: offering for p in PROVIDERS for offering in p["offerings"]}
WINDOWS = {place.code for place in divisions.everything() if place.window}
UNITS = {"case", "hour", "day", "sample", "month", "year", "person", "percent", "square_metre"}


def window(code):
    found = divisions.window_of(code)
    assert found
    return found.code


def assert_offering(offering):
    assert offering["example"] is True
    assert 0 < len(offering["title"]) <= 200 and offering["summary"]
    assert len(offering["external_ref"]) <= 100
    assert categories.get(offering["category"]).parent is not None
    for area in offering["service_area"]:
        assert divisions.prefix_of(area) == area and area.startswith("15")
    low, high = offering["price"]["from_cents"], offering["price"]["to_cents"]
    assert (low is None) == (high is None)
    if low is not None and high is not None:
        assert 0 <= low <= high
    assert offering["price"]["unit"] in UNITS


def test_all_real_items_are_there_once_and_valid():
    assert len(SERVICES) == 1135
    assert len({service["offering"]["external_ref"] for service in SERVICES}) == 1135
    for service in SERVICES:
        assert_offering(service["offering"])
        assert service["offering"]["price"] == {"from_cents": 0, "to_cents": 0, "unit": "case"}


def test_real_items_say_that_they_come_from_elsewhere():
    for service in SERVICES:
        provider = service["provider"]
        assert provider["example"] is True
        assert provider["name"].startswith("示例·广安") and "四川省外地样本" in provider["name"]
        assert "四川省" in service["offering"]["summary"]
        assert "广安广安" not in provider["name"]


def test_offices_are_one_record_a_code_and_the_window_serves_them():
    offices = {}
    for service in SERVICES:
        provider = service["provider"]
        credit_code.check(provider["credit_code"])
        assert offices.setdefault(provider["credit_code"], provider) == provider
        assert provider["division"] in WINDOWS
        assert service["offering"]["service_area"] == [divisions.prefix_of(provider["division"])]
    assert len({office["name"] for office in offices.values()}) == len(offices) >= 34


def test_every_window_gets_about_the_same_number():
    counts = Counter(service["provider"]["division"] for service in SERVICES)
    assert set(counts) == WINDOWS
    assert max(counts.values()) - min(counts.values()) <= 10


def test_a_code_is_the_office_s_own_or_generated():
    in_links: dict[str, set[str]] = {}
    for service in SERVICES:
        dept = re.search(r"deptCode=([^&]+)", service["offering"]["attributes"]["source_link"])
        assert dept
        in_links.setdefault(service["provider"]["credit_code"], set()).add(dept[1].upper())
    own = [code for code, found in in_links.items() if code in found]
    assert len(own) == 10
    assert all(code in own or code[8:11] == "EXG" for code in in_links)


@pytest.mark.parametrize(
    "title, category",
    [
        ("创业担保贷款申请", "financing.microcredit"),
        ("劳动人事争议仲裁申请", "legal.contracts_labour"),
        ("代开发票作废（县级行使）", "management_consulting.accounting"),
        ("取水申请批准文件", "technology_quality.energy_environment"),
    ],
)
def test_real_items_are_sorted_by_what_they_say(title, category):
    found = [s["offering"]["category"] for s in SERVICES if s["offering"]["title"] == title]
    assert found == [category]


def test_agencies_are_valid_and_unmistakably_examples():
    assert len(PROVIDERS) >= 40
    assert len({provider["name"] for provider in PROVIDERS}) == len(PROVIDERS)
    for provider in PROVIDERS:
        assert provider["example"] is True and provider["name"].startswith("示例·")
        assert "虚构" in provider["profile"]
        divisions.get(provider["division"])
        assert provider["offerings"]
        for offering in provider["offerings"]:
            assert_offering(offering)


def test_credit_codes_are_right_and_used_once():
    codes = [p["credit_code"] for p in PROVIDERS]
    codes += [enterprise["credit_code"] for enterprise in ENTERPRISES.values()]
    codes += sorted({service["provider"]["credit_code"] for service in SERVICES})
    for code in codes:
        credit_code.check(code)
    assert len(set(codes)) == len(codes)


def test_every_window_and_every_cluster_has_agencies():
    assert {window(p["division"]) for p in PROVIDERS if not p["cluster"]} == WINDOWS
    assert {p["cluster"] for p in PROVIDERS if p["cluster"]} == {c.id for c in clusters.everything()}


def test_cluster_laboratories_stand_at_a_seat():
    for provider in PROVIDERS:
        if provider["cluster"]:
            seats = clusters.get(provider["cluster"]).seats
            assert any(divisions.is_within(provider["division"], seat) for seat in seats)


def test_every_kind_of_service_is_offered_somewhere():
    offered = {offering["category"] for offering in OFFERINGS.values()}
    assert offered == {category.id for category in categories.all() if category.parent}
    assert {offering["kind"] for offering in OFFERINGS.values()} == {
        "service",
        "instrument",
        "technology_achievement",
        "finance_product",
        "training",
        "space",
    }


def test_shared_instruments_use_the_fields_of_the_form():
    known = {field.id for field in forms.fields("instrument")}
    ours = {"external_ref", "kind", "hourly_occupancy_fee_cents", "capacity", "example"}
    resources = [(p, resource) for p in PROVIDERS for resource in p["resources"]]
    assert {p["cluster"] for p, _ in resources} == {c.id for c in clusters.everything()}
    assert len({resource["external_ref"] for _, resource in resources}) == len(resources)
    for _, resource in resources:
        assert set(resource) - known == ours
        assert resource["hourly_occupancy_fee_cents"] > 0 and resource["capacity"] >= 1
        assert resource["external_sharing_hours"] <= resource["effective_hours_per_year"]


def test_enterprises_can_be_classified():
    for enterprise in ENTERPRISES.values():
        assert enterprise["example"] is True and enterprise["name"].startswith("示例·")
        industries.get(enterprise["industry"])
        divisions.get(enterprise["division"])
        size = size_standard.classify(
            enterprise["industry"],
            enterprise["employees"],
            Decimal(enterprise["revenue_10k_cny"]),
            Decimal(enterprise["total_assets_10k_cny"]),
        ).size
        assert size in ("medium", "small", "micro"), enterprise["name"]


def test_demands_belong_to_an_enterprise_and_can_be_met():
    assert len(DEMANDS) == 12
    for demand in DEMANDS:
        enterprise = ENTERPRISES[demand["enterprise"]]
        for field in ("division", "industry"):
            assert demand[field] == enterprise[field]
        assert demand["enterprise_credit_code"] == enterprise["credit_code"]
        assert demand["suitable_offerings"]
        for ref in demand["suitable_offerings"]:
            offering = OFFERINGS[ref]
            assert any(divisions.is_within(demand["division"], area) for area in offering["service_area"])
        if demand["category"]:
            assert any(
                OFFERINGS[ref]["category"] == demand["category"] for ref in demand["suitable_offerings"]
            )
    assert any(demand["category"] is None for demand in DEMANDS)


def test_the_milk_story_reaches_home_neighbours_and_the_cluster():
    demand = next(d for d in DEMANDS if "生鲜乳" in d["title"])
    homes = {
        p["cluster"] or window(p["division"])
        for p in PROVIDERS
        for offering in p["offerings"]
        if offering["external_ref"] in demand["suitable_offerings"]
    }
    assert window(demand["division"]) == "150100"
    assert {"150200", "150900", "hohhot-dairy"} <= homes
