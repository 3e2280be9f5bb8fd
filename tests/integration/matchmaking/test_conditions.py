"""Hard conditions as they reach a result: what lapses, what is taken up, and what money and technology ask for."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.integration.matchmaking import results
from tests.integration.matchmaking.network import NOW, demand, offering, provider

CMA = "检验检测机构资质认定（CMA）"


async def test_a_qualification_is_valid_through_its_last_day_where_the_demands_are(network):
    """The day ends at midnight in the region, not at UTC."""
    last = date(2026, 3, 2)
    held = {"qualifications": [{"name": CMA, "valid_until": last}]}
    await network.say(provider(**held), offering(qualifications=(CMA,)))
    found = []
    for name, at in (
        ("morning", NOW),
        ("last minute", datetime(2026, 3, 2, 15, 59, tzinfo=UTC)),
        ("next day", datetime(2026, 3, 2, 16, tzinfo=UTC)),
    ):
        network.clock.at = at
        await network.say(demand(name))
        match = await network.match()
        found.append((match.outcome, [miss.failed for miss in match.near_misses]))
    assert found == [("matched", []), ("matched", []), ("no_match", [("qualification",)])]


async def test_what_is_needed_by_a_day_is_judged_by_the_day_of_the_region(network):
    await network.say(provider(), offering(lead_days=3))
    for name, at in (("in time", NOW), ("late", NOW + timedelta(days=1))):
        network.clock.at = at
        await network.say(demand(name, needed_by=date(2026, 3, 5)))
    assert [match.outcome for _, match in await network.answers()] == ["matched", "no_match"]


ORDERS = {"platform": "baotou", "provider": provider().id}


def engaged(name, state, **changes):
    """An invitation to the offering, and what became of the work."""
    return (
        results.invitation(name, "awarded", offering=offering().id, version=3, **ORDERS),
        results.engagement(name, state, **ORDERS, **changes),
    )


async def test_capacity_is_what_open_engagements_leave(network):
    await network.say(provider(), offering(capacity=2))
    outcomes = []
    for facts in (
        engaged("one", "created"),
        engaged("two", "in_progress", version=3),
        engaged("one", "delivered", version=5),
        engaged("three", "confirmed", version=2),
        engaged("two", "cancelled", version=6),
    ):
        await network.say(*facts, source="hohhot")
        await network.say(demand(f"after {len(outcomes)}"), source="hohhot")
        match = await network.match()
        outcomes.append([miss.failed for miss in match.near_misses] or match.outcome)
    assert outcomes == ["matched", [("capacity",)], "matched", [("capacity",)], "matched"]


async def test_work_on_another_offering_takes_no_capacity_of_this_one(network):
    await network.say(provider(), offering(capacity=1), offering("soil", title="土壤检测", capacity=1))
    elsewhere = results.invitation("one", "awarded", offering=offering("soil").id, version=3, **ORDERS)
    await network.say(elsewhere, results.engagement("one", **ORDERS), source="hohhot")
    await network.say(demand(), source="hohhot")
    match = await network.match()
    assert [candidate.offering_id for candidate in match.candidates] == [offering().id]
    load = {part.name: part.score for part in match.candidates[0].components}["load"]
    assert load > 0


LOAN = {
    "kind": "finance_product", "title": "小微流动资金贷款", "summary": "随借随还，适合周转困难的企业",
    "category": "financing.loan_matching", "price": {"from_cents": 435, "to_cents": 435, "unit": "percent"},
}  # fmt: skip
TERMS = {
    "amount_from_cents": 10_000_000, "amount_to_cents": 300_000_000, "term_from_months": 3,
    "term_to_months": 36, "collateral": ["real_estate", "equipment"], "guarantees": ["company"],
}  # fmt: skip
NEED = {
    "amount_cents": 50_000_000,
    "term_months": 12,
    "collateral": ["equipment"],
    "guarantees": ["company", "person"],
}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, None),
        ({"amount_cents": 10_000_000}, None),
        ({"amount_cents": 300_000_000}, None),
        ({"amount_cents": 9_999_999}, "finance-amount"),
        ({"amount_cents": 300_000_001}, "finance-amount"),
        ({"term_months": 3}, None),
        ({"term_months": 2}, "finance-term"),
        ({"term_months": 37}, "finance-term"),
        ({"term_months": None}, None),
        ({"collateral": ["vehicle"]}, "collateral"),
        ({"collateral": []}, "collateral"),
        ({"guarantees": ["person"]}, "guarantee"),
    ],
)
async def test_money_is_matched_by_amount_term_collateral_and_guarantee(network, changes, failed):
    await network.say(provider(), offering("loan", **LOAN, finance=TERMS))
    await network.say(demand(title="资金周转不开", text="想贷款周转", finance=NEED | changes))
    match = await network.match()
    if failed is None:
        assert match.outcome == "matched"
    else:
        assert [miss.failed for miss in match.near_misses] == [(failed,)] and match.candidates == ()


TECHNOLOGY = {
    "main_problem": "酸奶口感不稳定", "key_technology": "发酵菌种", "expected_goal": "保质期延长", "keywords": ["乳酸菌"],
    "least_maturity": 6, "cooperation": ["transfer", "licence"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("achievement", "failed"),
    [
        ({"maturity": 6, "cooperation": ["licence"]}, None),
        ({"maturity": 9}, None),
        ({"maturity": 5, "cooperation": ["licence"]}, "maturity"),
        ({"maturity": 6, "cooperation": ["equity"]}, "cooperation"),
    ],
)
async def test_technology_is_matched_by_maturity_and_cooperation(network, achievement, failed):
    said = {"owner": "某大学", "keywords": ["乳酸菌", "发酵"]} | achievement
    kind = {"kind": "technology_achievement", "category": "technology_quality.rnd_transfer"}
    await network.say(
        provider(), offering("strain", title="酸奶发酵菌种转让", summary="乳酸菌", achievement=said, **kind)
    )
    await network.say(demand(title="酸奶菌种", text="想换发酵菌种", technology=TECHNOLOGY))
    match = await network.match()
    expected = ([], "matched") if failed is None else ([(failed,)], "no_match")
    assert ([miss.failed for miss in match.near_misses], match.outcome) == expected


@pytest.mark.parametrize("size", ["large", "medium", "small", "micro", "incomplete", "not_applicable"])
async def test_size_classes_are_kept_to(network, size):
    await network.say(provider(), offering(size_classes=("small", "micro")))
    await network.say(demand(size_class=size))
    match = await network.match()
    if size in ("large", "medium"):
        assert [miss.failed for miss in match.near_misses] == [("size-class",)]
    else:
        assert match.outcome == "matched"
