"""What a record is worth: plain formulas, each moving one way only."""

from dataclasses import replace

import pytest
from common.contracts.engagements import Engagement
from common.contracts.invitations import Invitation
from common.contracts.quotations import Quotation
from common.contracts.ratings import Rating
from hypothesis import given
from hypothesis import strategies as st
from matchmaking.matching.standing import UNKNOWN, Standing, load, reputation, responsiveness
from matchmaking.outcomes import domain

counts = st.integers(0, 200)
hours = st.none() | st.floats(0, 2_000)
PRIOR, PRIOR_GRADE, PRIOR_COUNT = 4, 3.8, 5


@st.composite
def standings(draw):
    grades = draw(st.lists(st.integers(1, 5), max_size=60))
    return Standing(
        answered=draw(counts), expired=draw(counts), median_answer_hours=draw(hours),
        cancelled_by_provider=draw(st.integers(0, 20)), grade_count=len(grades), grade_sum=sum(grades),
    )  # fmt: skip


@given(standings(), st.integers(0, 500), st.none() | st.integers(0, 500))
def test_every_figure_is_from_nought_to_one(standing, busy, capacity):
    assert 0 <= responsiveness(standing, PRIOR) <= 1
    assert 0 <= load(busy, capacity) <= 1
    assert 0 <= reputation(standing, PRIOR_GRADE, PRIOR_COUNT) <= 1


@given(standings())
def test_who_answers_more_or_sooner_is_more_responsive(standing):
    now = responsiveness(standing, PRIOR)
    assert responsiveness(replace(standing, answered=standing.answered + 1), PRIOR) >= now - 1e-12
    assert responsiveness(replace(standing, expired=standing.expired + 1), PRIOR) <= now + 1e-12
    if standing.median_answer_hours is not None:
        later = replace(standing, median_answer_hours=standing.median_answer_hours + 1)
        assert responsiveness(later, PRIOR) <= now


def test_two_days_cost_half_of_the_speed():
    sure = Standing(answered=10_000, median_answer_hours=0.0)
    assert responsiveness(sure, PRIOR) == pytest.approx(1, abs=1e-3)
    assert responsiveness(replace(sure, median_answer_hours=48.0), PRIOR) == pytest.approx(0.5, abs=1e-3)


def test_few_invitations_say_little():
    one, many = Standing(expired=1), Standing(expired=50)
    assert responsiveness(UNKNOWN, PRIOR) > responsiveness(one, PRIOR) > responsiveness(many, PRIOR)
    assert responsiveness(Standing(), 0) > 0


@given(st.integers(0, 300), st.none() | st.integers(1, 300))
def test_more_work_leaves_less_room(busy, capacity):
    assert load(busy + 1, capacity) <= load(busy, capacity)
    assert load(0, capacity) == 1.0


def test_full_is_full_and_no_limit_bends_softly():
    assert (load(4, 4), load(9, 4), load(1, 4), load(0, 0)) == (0.0, 0.0, 0.75, 0.0)
    assert (load(5, None), load(10**6, None)) == (0.5, pytest.approx(0, abs=1e-5))


@given(standings(), st.integers(1, 5))
def test_better_grades_and_kept_awards_are_a_better_name(standing, grade):
    now = reputation(standing, PRIOR_GRADE, PRIOR_COUNT)
    if standing.grade_sum < 5 * standing.grade_count:
        better = replace(standing, grade_sum=standing.grade_sum + 1)
        assert reputation(better, PRIOR_GRADE, PRIOR_COUNT) >= now
    fallen = replace(standing, cancelled_by_provider=standing.cancelled_by_provider + 1)
    assert reputation(fallen, PRIOR_GRADE, PRIOR_COUNT) <= now + 1e-12
    graded = replace(standing, grade_count=standing.grade_count + 1, grade_sum=standing.grade_sum + 5)
    assert reputation(graded, PRIOR_GRADE, PRIOR_COUNT) >= now - 1e-12


def test_a_new_provider_is_ordinary_and_one_grade_moves_little():
    ordinary = (PRIOR_GRADE - 1) / 4
    assert reputation(UNKNOWN, PRIOR_GRADE, PRIOR_COUNT) == pytest.approx(ordinary)
    assert reputation(Standing(grade_count=1, grade_sum=5), PRIOR_GRADE, PRIOR_COUNT) == pytest.approx(
        ordinary
    )
    bad = reputation(Standing(grade_count=1, grade_sum=1), PRIOR_GRADE, PRIOR_COUNT)
    assert reputation(Standing(grade_count=40, grade_sum=40), PRIOR_GRADE, PRIOR_COUNT) < bad < ordinary


@given(st.integers(1, 200), st.integers(0, 100))
def test_many_good_grades_are_surer_than_few(count, more):
    def of(n):
        return reputation(Standing(grade_count=n, grade_sum=5 * n), PRIOR_GRADE, PRIOR_COUNT)

    assert of(count + more) >= of(count) >= (PRIOR_GRADE - 1) / 4 - 1e-12
    assert of(500) > 0.95


@pytest.mark.parametrize(
    ("state", "quoted", "grade", "expected"),
    [
        ("declined", False, None, 0), ("expired", False, None, 0), ("withdrawn", True, None, 0),
        ("lost", False, None, 1), ("lost", True, None, 2), ("awarded", True, None, 3), ("awarded", True, 3, 3),
        ("awarded", True, 4, 4), ("awarded", True, 5, 4),
    ],
)  # fmt: skip
def test_what_a_result_is_worth(state, quoted, grade, expected):
    assert domain.gain(state, quoted=quoted, grade=grade) == expected


def test_no_account_name_text_or_amount_is_kept():
    private = {
        "enterprise_subject", "provider_subject", "enterprise_name", "provider_name", "demand", "title",
        "offering_title", "demand_number", "scope", "delivery_note", "milestones", "price_cents", "text",
    }  # fmt: skip
    for kind in (Invitation, Quotation, Engagement, Rating):
        assert not domain.KEPT[kind] & private
        assert {"id", "epoch", "version"} <= domain.KEPT[kind]
        # What a contract gains later stays out until somebody says that it is counted.
        assert domain.KEPT[kind] - {"state", "state_reason", "demand_window"} <= set(kind.model_fields)
