"""Components: exact, bounded, monotone; and the chance of a newcomer."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from common import ids
from common.contracts.demands import Budget
from common.contracts.offerings import Price
from common.contracts.providers import Recognition
from hypothesis import given
from hypothesis import strategies as st
from matchmaking.matching import scoring, weights
from matchmaking.matching.standing import Standing

from tests.unit.matchmaking.builders import ACTIVE, TODAY, demand, listing, offer, ranked, sample
from tests.unit.matchmaking.sample import CATALOGUE, NEEDS

BY = weights.current()
NAMES = set(weights.Component.__args__)
shares = st.floats(0, 1, allow_nan=False)
cents = st.none() | st.integers(0, 10**12)
standings = st.builds(
    Standing, asked=st.integers(0, 50), answered=st.integers(0, 50), declined=st.integers(0, 50),
    expired=st.integers(0, 50), median_answer_hours=st.none() | st.floats(0, 10**4),
    open_engagements=st.integers(0, 50), cancelled_by_provider=st.integers(0, 9),
    grade_count=st.integers(0, 50), grade_sum=st.integers(0, 250),
)  # fmt: skip
recognitions = st.lists(
    st.builds(
        Recognition, name=st.just("示范平台"), level=st.sampled_from(["national", "region", "league_city"]),
        valid_until=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    ),
    max_size=3,
)  # fmt: skip
places = st.sampled_from(["150105", "150102", "150203", "152501", "150000", "110000", "152299"])


def known(**figures):
    return replace(ACTIVE, standing=Standing(**figures))


def parts(need, offered, relevance=0.5, by=BY):
    return scoring.shares(need, offered, relevance, by, TODAY)


def test_weights_sum_to_one_and_name_every_component():
    assert sum(BY.weights.values()) == pytest.approx(1)
    assert set(BY.weights) == NAMES and len(NAMES) == 9
    assert BY.weights["relevance"] > 0.5


def test_components_add_up_exactly_in_any_order():
    filled, _ = sample(CATALOGUE)
    for need, _ in NEEDS:
        for candidate in filled.match(demand(need)).candidates:
            scores = [part.score for part in candidate.components]
            assert sum(scores) == candidate.score == sum(reversed(scores)) == sum(sorted(scores))
            assert {part.name for part in candidate.components} == NAMES


@given(
    shares, standings, st.integers(0, 100), st.none() | st.integers(0, 50), cents, cents, cents,
    st.none() | st.integers(0, 3650), st.none() | st.integers(-400, 400), places, places, recognitions,
    st.sampled_from(["case", "percent"]),
)  # fmt: skip
def test_every_component_is_a_whole_step_between_nothing_and_its_weight(
    relevance, standing, busy, capacity, low, high, limit, lead, left, here, there, held, unit
):
    need = demand(
        division=here, budget=Budget(to_cents=limit), needed_by=left and TODAY + timedelta(days=left)
    )
    offered = offer(
        supplier=replace(ACTIVE, standing=standing, recognitions=tuple(held)), open_engagements=busy,
        capacity=capacity, price=Price(from_cents=low, to_cents=high, unit=unit), lead_days=lead,
        division=there,
    )  # fmt: skip
    found = scoring.shares(need, offered, relevance, BY, TODAY)
    assert list(found) == list(weights.Component.__args__)
    for name, share in found.items():
        assert 0 <= share <= BY.weights[name]
        assert (share * 4096).is_integer()
    told = scoring.components(found)
    assert {part.name: part.score for part in told} == found
    assert scoring.score(found) == sum(part.score for part in told) <= 1


@given(shares, shares)
def test_the_more_relevant_never_scores_less(one, other):
    low, high = sorted((one, other))
    assert parts(demand(), offer(), low)["relevance"] <= parts(demand(), offer(), high)["relevance"]


@pytest.mark.parametrize(
    ("component", "need", "worse", "better"),
    [
        ("proximity", {"division": "150105"}, {"division": "152501"}, {"division": "150102"}),
        ("proximity", {"division": "150105"}, {"division": "150102"}, {"division": "150105"}),
        ("reputation", {}, {}, {"supplier": known(grade_count=9, grade_sum=45)}),
        ("reputation", {}, {"supplier": known(grade_count=9, grade_sum=9)}, {}),
        ("responsiveness", {}, {"supplier": known(asked=9, expired=9)}, {"supplier": known(asked=9, answered=9)}),
        ("load", {}, {"open_engagements": 3}, {"open_engagements": 1}),
        ("load", {}, {"open_engagements": 3, "capacity": 4}, {"open_engagements": 3, "capacity": 40}),
        ("price-fit", {"budget": Budget(to_cents=15_000)}, {}, {"price": Price(from_cents=1, to_cents=15_000)}),
        ("lead-time", {}, {"lead_days": 30}, {"lead_days": 3}),
        ("lead-time", {"needed_by": TODAY + timedelta(40)}, {"lead_days": 30}, {"lead_days": 3}),
        ("recognition", {}, {}, {"supplier": replace(ACTIVE, recognitions=(Recognition(name="x", level="region"),))}),
    ],
)  # fmt: skip
def test_what_is_better_scores_more_by_that_component_alone(component, need, worse, better):
    less, more = parts(demand(**need), offer(**worse)), parts(demand(**need), offer(**better))
    assert less[component] < more[component]
    assert {name for name in NAMES if less[name] != more[name]} <= {component, "newcomer"}


@pytest.mark.parametrize(
    ("division", "expected"),
    [("150105", 1.0), ("150102", 0.8), ("150100", 0.8), ("152501", 0.4), ("150000", 0.4), ("110101", 0.0)],
)
def test_nearer_is_better(division, expected):
    assert scoring.proximity(demand(division="150105"), listing(division=division), BY) == expected


def test_a_price_scores_by_how_much_of_it_the_budget_covers():
    def score(limit, **price):
        return scoring.price_fit(demand(budget=Budget(to_cents=limit)), listing(price=Price(**price)), BY)

    assert score(200, from_cents=100, to_cents=200) == 1.0
    assert score(150, from_cents=100, to_cents=200) == 0.75
    assert score(100, from_cents=100, to_cents=200) == 0.5
    assert score(99, from_cents=100, to_cents=200) == 0.0
    assert score(None, from_cents=100, to_cents=200) == 0.5
    assert score(100) == 0.5
    assert score(1, from_cents=435, unit="percent") == 0.5
    assert score(None, from_cents=0, to_cents=0) == 1.0


def test_the_highest_recognition_valid_today_counts():
    def score(*held):
        return scoring.recognition(replace(ACTIVE, recognitions=held), BY, TODAY)

    lapsed = Recognition(name="a", level="national", valid_until=TODAY - timedelta(1))
    last_day = Recognition(name="b", level="region", valid_until=TODAY)
    assert score() == score(lapsed) == 0.0
    assert score(lapsed, last_day, Recognition(name="c", level="league_city")) == BY.recognition["region"]


def chances(by=BY, supplier=ACTIVE, count=2000):
    """How many of so many demands give an offering's provider a newcomer's chance."""
    offered = offer(supplier=supplier)
    plain = demand()
    drawn = [plain.model_copy(update={"id": ids.derived("demand", str(n))}) for n in range(count)]
    return sum(scoring.has_newcomers_chance(need, offered, by) for need in drawn) / count


def test_a_newcomer_has_its_chance_as_often_as_the_weights_say():
    assert chances() == pytest.approx(BY.newcomer_chance, abs=0.03)
    assert chances(BY.model_copy(update={"newcomer_chance": 0.0})) == 0.0
    assert chances(BY.model_copy(update={"newcomer_chance": 1.0})) == 1.0


@pytest.mark.parametrize(
    ("figures", "new"),
    [
        ({}, True), ({"asked": 2}, True), ({"asked": 3}, False), ({"grade_count": 1, "grade_sum": 5}, False),
        ({"asked": 2, "answered": 2, "awarded": 1, "open_engagements": 1}, True),
    ],
)  # fmt: skip
def test_the_chance_ends_when_a_provider_is_known(figures, new):
    assert (chances(supplier=known(**figures)) > 0) is new


def test_the_chance_is_drawn_the_same_each_time_and_only_lifts_a_little():
    always = BY.model_copy(update={"newcomer_chance": 1.0})
    new, old = offer("new"), offer("old", supplier=known(asked=9, answered=5, median_answer_hours=24.0))
    with_, without = (
        parts(demand(), new, by=by) for by in (always, BY.model_copy(update={"newcomer_chance": 0.0}))
    )
    assert with_ == parts(demand(), new, by=always)
    lift = with_["newcomer"] - without["newcomer"]
    assert 0 < lift <= BY.weights["newcomer"] <= 0.05
    assert parts(demand(), old, by=always)["newcomer"] == 0
    assert sum(with_.values()) - sum(without.values()) == lift


def test_a_candidate_says_that_it_is_there_by_chance():
    from matchmaking.matching import engine

    always = BY.model_copy(update={"newcomer_chance": 1.0})
    ranking = ranked(demand(), offer("new"), offer("old", supplier=known(asked=9)), by=always)
    shown = engine.result(demand(), ranking, lambda key: []).candidates
    assert {one.title: one.newcomer for one in shown} == {"new": True, "old": False}
