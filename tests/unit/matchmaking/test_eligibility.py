"""Each hard condition alone: it fails where it should, and its edge holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from common.contracts.demands import Budget
from common.contracts.finance import FinanceNeed, FinanceTerms
from common.contracts.offerings import Price
from common.contracts.providers import Qualification
from common.contracts.technology import Achievement, TechnologyNeed
from matchmaking.matching import eligibility
from matchmaking.matching.listing import Presence, Supplier

from tests.unit.matchmaking.builders import ACTIVE, TODAY, demand, offer

CMA = "检验检测机构资质认定（CMA）"
YUAN = 100


def supplier(*held, state="active"):
    return replace(ACTIVE, state=state, qualifications=held)


def finance(amount=1_000_000 * YUAN, **changes):
    return {"finance": FinanceNeed(amount_cents=amount, **changes)}


def terms(**changes):
    return {"finance": FinanceTerms(**changes)}


def technology(**changes):
    said = {"main_problem": "a", "key_technology": "b", "expected_goal": "c", "keywords": ("d",)}
    return {"technology": TechnologyNeed(**said | changes)}


def achievement(maturity=6, **changes):
    return {"achievement": Achievement(owner="某大学", maturity=maturity, **changes)}


def failed(need, offered):
    """Of all conditions, and of those the need can fail by: the same."""
    found = eligibility.failed(need, offered, TODAY)
    assert eligibility.failed(need, offered, TODAY, eligibility.of(need)) == found
    return found


@pytest.mark.parametrize(
    ("condition", "need", "offered"),
    [
        ("provider-active", {}, {"supplier": supplier(state="suspended")}),
        ("provider-active", {}, {"supplier": supplier(state="submitted")}),
        ("provider-active", {}, {"supplier": Supplier()}),
        ("published", {}, {"state": "paused"}),
        ("published", {}, {"state": "full"}),
        ("published", {}, {"state": "draft"}),
        ("capacity", {}, {"capacity": 0}),
        ("capacity", {}, {"capacity": 2, "open_engagements": 2}),
        ("capacity", {}, {"capacity": 2, "open_engagements": 3}),
        ("qualification", {}, {"qualifications": (CMA,)}),
        ("qualification", {"qualifications": ("CMA",)}, {}),
        (
            "qualification",
            {"qualifications": ("CMA",)},
            {"supplier": supplier(Qualification(name=CMA, valid_until=TODAY - timedelta(1)))},
        ),
        (
            "qualification",
            {"qualifications": ("CMA", "CNAS")},
            {"supplier": supplier(Qualification(name=CMA))},
        ),
        (
            "qualification",
            {},
            {"qualifications": (CMA, "甲级"), "supplier": supplier(Qualification(name=CMA))},
        ),
        ("category", {"category": "legal"}, {}),
        ("category", {"category": "technology_quality.intellectual_property"}, {}),
        ("category", {"category": "technology_quality.testing"}, {"category": "technology_quality"}),
        ("category", {"category": "unheard.of"}, {}),
        ("category", {"category": "legal"}, {"category": "unheard.of"}),
        ("service-area", {}, {"service_area": ("1502", "150781")}),
        ("service-area", {"division": "150000"}, {"service_area": ("1501",)}),
        ("service-area", {"division": "110000"}, {"service_area": ("15",)}),
        ("size-class", {"size_class": "large"}, {"size_classes": ("small", "micro")}),
        ("budget", {"budget": Budget(to_cents=9_999)}, {}),
        ("budget", {"budget": Budget(to_cents=0)}, {}),
        ("needed-by", {"needed_by": TODAY + timedelta(days=4)}, {}),
        ("needed-by", {"needed_by": TODAY - timedelta(days=1)}, {"lead_days": None}),
        ("finance-amount", finance(), terms(amount_from_cents=1_000_000 * YUAN + 1)),
        ("finance-amount", finance(), terms(amount_to_cents=1_000_000 * YUAN - 1)),
        ("finance-term", finance(term_months=12), terms(term_from_months=13)),
        ("finance-term", finance(term_months=12), terms(term_to_months=11)),
        ("collateral", finance(), terms(collateral=("real_estate",))),
        ("collateral", finance(collateral=("vehicle",)), terms(collateral=("real_estate", "land_use"))),
        ("guarantee", finance(), terms(guarantees=("company",))),
        ("guarantee", finance(guarantees=("person",)), terms(guarantees=("company",))),
        ("maturity", technology(least_maturity=7), achievement()),
        (
            "cooperation",
            technology(cooperation=("transfer", "licence")),
            achievement(cooperation=("consulting",)),
        ),
        ("platform-away", {}, {"presence": Presence(away=True)}),
    ],
)  # fmt: skip
def test_each_condition_fails_alone(condition, need, offered):
    assert failed(demand(**need), offer(**offered)) == (condition,)


@pytest.mark.parametrize(
    ("need", "offered"),
    [
        ({}, {"presence": Presence(as_of=datetime(2026, 11, 23, tzinfo=UTC))}),
        ({}, {"capacity": 3, "open_engagements": 2}),
        ({}, {"capacity": None, "open_engagements": 10_000}),
        ({"qualifications": ("cma",)}, {"supplier": supplier(Qualification(name=CMA, valid_until=TODAY))}),
        ({"qualifications": (f"具备{CMA}",)}, {"supplier": supplier(Qualification(name=CMA))}),
        ({}, {"qualifications": (CMA,), "supplier": supplier(Qualification(name=CMA, valid_until=TODAY))}),
        (
            {},
            {
                "qualifications": (CMA,),
                "supplier": supplier(
                    Qualification(name=CMA, valid_until=TODAY - timedelta(1)), Qualification(name=CMA)
                ),
            },
        ),
        ({"category": "technology_quality"}, {}),
        ({"category": "technology_quality.testing"}, {}),
        ({"category": "unheard.of"}, {"category": "unheard.of"}),
        ({}, {"service_area": ("15",)}),
        ({"division": "150781"}, {"service_area": ("1507",)}),
        ({"division": "150000"}, {"service_area": ("15",)}),
        ({"division": "110000"}, {}),
        ({"size_class": "small"}, {"size_classes": ("small",)}),
        ({"size_class": "incomplete"}, {"size_classes": ("small",)}),
        ({"size_class": "not_applicable"}, {"size_classes": ("small",)}),
        ({"budget": Budget(to_cents=10_000)}, {}),
        ({"budget": Budget(to_cents=10)}, {"price": Price()}),
        ({"budget": Budget(to_cents=10)}, {"price": Price(to_cents=435)}),
        ({"budget": Budget(to_cents=10)}, {"price": Price(from_cents=435, unit="percent")}),
        ({"budget": Budget(from_cents=10**9)}, {}),
        ({"needed_by": TODAY + timedelta(days=5)}, {}),
        ({"needed_by": TODAY}, {"lead_days": None}),
        ({"needed_by": TODAY}, {"lead_days": 0}),
        (finance(), {}),
        ({}, terms(amount_from_cents=1, collateral=("deposit",), guarantees=("company",))),
        (finance(), terms(amount_from_cents=1_000_000 * YUAN, amount_to_cents=1_000_000 * YUAN)),
        (finance(), terms(term_to_months=1)),
        (finance(term_months=12), terms(term_from_months=12, term_to_months=12)),
        (finance(collateral=("vehicle", "land_use")), terms(collateral=("real_estate", "land_use"))),
        (finance(guarantees=("company", "person")), terms(guarantees=("person",))),
        (finance(collateral=("vehicle",)), terms()),
        (technology(), achievement(1)),
        (technology(least_maturity=6), achievement(6)),
        (technology(least_maturity=9), {}),
        ({}, achievement(1, cooperation=("equity",))),
        (technology(cooperation=("transfer",)), achievement()),
        (technology(), achievement(cooperation=("equity",))),
        (technology(cooperation=("transfer", "equity")), achievement(cooperation=("equity", "licence"))),
    ],
)  # fmt: skip
def test_the_edge_of_each_condition_holds(need, offered):
    assert failed(demand(**need), offer(**offered)) == ()


def test_all_that_fails_is_named_in_the_order_it_is_looked_at():
    need = demand(
        category="legal", division="152501", size_class="large", budget=Budget(to_cents=1),
        needed_by=TODAY, qualifications=("CMA",),
        **finance(term_months=12), **technology(least_maturity=9, cooperation=("transfer",)),
    )  # fmt: skip
    offered = offer(
        supplier=supplier(state="suspended"), presence=Presence(away=True), state="paused", capacity=0, service_area=("1501",),
        size_classes=("micro",),
        **terms(amount_to_cents=1, term_to_months=1, collateral=("deposit",), guarantees=("person",)),
        **achievement(1, cooperation=("equity",)),
    )  # fmt: skip
    assert failed(need, offered) == tuple(eligibility.CONDITIONS)
    assert len(eligibility.CONDITIONS) == 16


def test_what_is_lapsed_tomorrow_is_valid_today():
    held = supplier(Qualification(name=CMA, valid_until=TODAY))
    offered = offer(supplier=held, qualifications=(CMA,))
    assert eligibility.failed(demand(), offered, TODAY) == ()
    assert eligibility.failed(demand(), offered, TODAY + timedelta(1)) == ("qualification",)


@pytest.mark.parametrize(
    ("state", "provider", "shown"),
    [
        ("published", "active", True), ("paused", "active", True), ("full", "suspended", True),
        ("draft", "active", False), ("in_review", "active", False), ("returned", "active", False),
        ("retired", "active", False), ("published", "submitted", False), ("published", "retired", False),
        ("published", "rejected", False), ("published", None, False),
    ],
)  # fmt: skip
def test_only_what_is_public_is_shown_at_all(state, provider, shown):
    assert eligibility.may_be_shown(offer(state=state, supplier=Supplier(provider))) is shown
