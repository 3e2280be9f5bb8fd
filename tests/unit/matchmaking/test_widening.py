"""When nothing holds every condition: what is relaxed, in which order, and what never is."""

from datetime import timedelta

import pytest
from common.contracts.demands import Budget
from common.contracts.finance import FinanceNeed, FinanceTerms
from matchmaking.matching import eligibility, engine, weights
from matchmaking.matching.listing import Supplier

from tests.unit.matchmaking.builders import TODAY, demand, offer, ranked

# Baotou borders Hohhot's league; Hinggan does not.
BESIDE, FAR = "150203", "152201"
OTHER = "management_consulting.accounting"
NEED = {"division": "150102", "category": "technology_quality.testing"}


def steps(ranking):
    return [(step.step, step.relaxed, step.found) for step in ranking.widened]


def names(ranking):
    return [one.listing.title for one in ranking.fitting]


@pytest.fixture
def near():
    return offer("near", division=BESIDE, service_area=("1502",))


@pytest.fixture
def far():
    return offer("far", division=FAR, service_area=("1522",))


@pytest.fixture
def other():
    return offer("other", category=OTHER)


def test_while_something_fits_nothing_is_relaxed(near, far, other):
    ranking = ranked(demand(**NEED), offer("own"), near, far, other)
    assert names(ranking) == ["own"] and ranking.widened == ()
    assert {one.listing.title for one in ranking.failing} == {"near", "far", "other"}


def test_neighbours_come_first(near, far, other):
    ranking = ranked(demand(**NEED), near, far, other)
    assert names(ranking) == ["near"]
    assert steps(ranking) == [("neighbours", ("service-area",), 1)]
    assert ranking.fitting[0].relaxed == ("service-area",)
    assert {one.listing.title for one in ranking.failing} == {"far", "other"}


@pytest.mark.parametrize(
    "changes",
    [{"division": BESIDE, "service_area": ("1522",)}, {"division": FAR, "service_area": ("150203", "1522")}],
)
def test_who_sits_beside_or_serves_beside_is_a_neighbour(changes, far):
    assert names(ranked(demand(**NEED), offer("near", **changes), far)) == ["near"]


def test_ones_own_league_is_no_further_than_its_neighbours(far):
    own = offer("own", division="150105", service_area=("150105",))
    ranking = ranked(demand(**NEED), own, far)
    assert names(ranking) == ["own"]
    assert steps(ranking) == [("neighbours", ("service-area",), 1)]


def test_then_the_region(far, other):
    ranking = ranked(demand(**NEED), far, other)
    assert names(ranking) == ["far"]
    assert steps(ranking) == [("neighbours", ("service-area",), 0), ("region", ("service-area",), 1)]


def test_then_other_categories_and_each_says_what_it_does_not_hold(other):
    both = offer("both", category=OTHER, division=FAR, service_area=("1522",))
    ranking = ranked(demand(**NEED), other, both)
    assert {one.listing.title: one.relaxed for one in ranking.fitting} == {
        "other": ("category",),
        "both": ("category", "service-area"),
    }
    assert steps(ranking)[-1] == ("category", ("service-area", "category"), 2)
    shown = engine.result(demand(**NEED), ranking, lambda key: []).candidates
    assert all("不属于您所选类别" in one.reason_zh for one in shown)
    assert all("outside the category you named" in one.reason_en for one in shown)
    assert {one.title: "先询问" in one.reason_zh for one in shown} == {"other": False, "both": True}


def test_who_names_no_category_is_not_told_of_one(far):
    assert steps(ranked(demand(division="150102"), offer("x", state="paused"))) == [
        ("neighbours", ("service-area",), 0),
        ("region", ("service-area",), 0),
    ]


def test_nobody_is_asked_in_vain_for_what_is_hardly_to_the_point(near):
    least = weights.current().relaxed_floor
    assert names(ranked(demand(**NEED), near, relevance=least)) == ["near"]
    below = ranked(demand(**NEED), near, relevance=least - 1 / 4096)
    assert names(below) == [] and [step.found for step in below.widened] == [0, 0, 0]
    assert len(below.failing) == 1


def test_where_nothing_helps_every_step_is_said_and_nothing_is_shown():
    ranking = ranked(demand(**NEED), offer("x", state="paused"))
    assert [step.step for step in ranking.widened] == ["neighbours", "region", "category"]
    assert ranking.fitting == () and len(ranking.failing) == 1
    result = engine.result(demand(**NEED), ranking, lambda key: [])
    assert result.outcome == "no_match" and result.near_misses[0].failed == ("published",)


def test_what_was_let_in_is_a_candidate_but_does_not_fit(near):
    result = engine.result(demand(**NEED), ranked(demand(**NEED), near), lambda key: [])
    assert result.outcome == "matched" and result.candidates[0].relaxed == ("service-area",)
    assert result.fitting == ()


HARD = {
    "provider-active": ({}, {"supplier": Supplier("suspended")}),
    "published": ({}, {"state": "paused"}),
    "capacity": ({}, {"capacity": 0}),
    "qualification": ({"qualifications": ("CMA",)}, {}),
    "size-class": ({"size_class": "large"}, {"size_classes": ("small",)}),
    "budget": ({"budget": Budget(to_cents=1)}, {}),
    "needed-by": ({"needed_by": TODAY + timedelta(1)}, {}),
    "finance-amount": ({"finance": FinanceNeed(amount_cents=5)}, {"finance": FinanceTerms(amount_from_cents=6)}),
    "collateral": ({"finance": FinanceNeed(amount_cents=5)}, {"finance": FinanceTerms(collateral=("vehicle",))}),
}  # fmt: skip


@pytest.mark.parametrize("condition", HARD)
def test_a_hard_condition_is_never_relaxed(condition):
    need, changes = HARD[condition]
    ranking = ranked(
        demand(**NEED | need), offer("x", division=FAR, service_area=("1522",), category=OTHER, **changes)
    )
    assert ranking.fitting == ()
    assert set(ranking.failing[0].conditions) == {"service-area", "category", condition}


def test_only_place_and_category_are_ever_relaxed():
    from matchmaking.matching.widening import STEPS

    relaxed = {name for step in STEPS for name in step.relaxed}
    assert relaxed == {"service-area", "category"} <= set(eligibility.CONDITIONS)


@pytest.mark.parametrize("division", ["150000", "110000", "152299", "000000", "999999", "150781", "152501"])
def test_wherever_a_demand_is_something_can_be_widened(division):
    """A region as such, a place outside, a code of another year, the two cities with windows of their own."""
    ranking = ranked(demand(division=division), offer("x", division="150902", service_area=("150902",)))
    assert names(ranking) == ["x"]
    assert engine.result(demand(division=division), ranking, lambda key: []).outcome == "matched"


@pytest.mark.parametrize(("city", "league"), [("150781", "150702"), ("152501", "152502")])
def test_a_city_with_a_window_of_its_own_and_the_league_around_it_are_neighbours(city, league):
    inside, around = (offer(place, division=place, service_area=(place,)) for place in (city, league))
    elsewhere = offer("far", division="150302", service_area=("1503",))
    assert names(ranked(demand(division=city), around, elsewhere)) == [league]
    assert names(ranked(demand(division=league), inside, elsewhere)) == [city]
