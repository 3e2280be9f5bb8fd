"""What is known of a provider from its past cases, and what it is worth for the next one. Pure figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from uuid import UUID

# The share of invitations that somebody answers of whom nothing is known.
ORDINARY_RATE = 0.5
# Two days: what half of the credit for speed is lost at. Most deadlines to quote are three to ten days away.
HALF_CREDIT_H = 48.0
# What an answer takes from somebody of whom nothing is known.
ORDINARY_ANSWER_H = 24.0
# Without a stated capacity, so many engagements at once count as half full.
HALF_LOAD = 5
# How far single grades of one provider lie from their mean, in grades.
GRADE_SPREAD = 1.0
# One-sided: nine of ten true means lie above such a bound.
SURE = 1.28
LOWEST_GRADE, HIGHEST_GRADE = 1, 5


@dataclass(frozen=True, slots=True)
class Standing:
    """A provider's record.

    Shape: `asked` are invitations that reached it in time; of these it `answered` some, `declined` among
    them, and let some be `expired`; the rest is open, or ended before its answer. `open_by_offering` splits
    `open_engagements`, work that is agreed and not delivered. Grades are of 1–5.
    """

    asked: int = 0
    answered: int = 0
    declined: int = 0
    expired: int = 0
    median_answer_hours: float | None = None
    awarded: int = 0
    open_engagements: int = 0
    cancelled_by_provider: int = 0
    grade_count: int = 0
    grade_sum: int = 0
    open_by_offering: Mapping[UUID, int] = field(default_factory=dict[UUID, int])


UNKNOWN = Standing()


def responsiveness(standing: Standing, prior_asked: float) -> float:
    """How likely an answer is, times how soon it comes. 0..1.

    Shape: `prior_asked` invitations of the ordinary kind are added to the own ones, which draws the rate to
    the ordinary while they are few. A refusal is an answer too: it lets the enterprise ask somebody else.
    The speed's factor is 1 at once and ½ at 48 h.
    """
    settled = standing.answered + standing.expired + prior_asked
    rate = (standing.answered + ORDINARY_RATE * prior_asked) / settled if settled > 0 else ORDINARY_RATE
    hours = standing.median_answer_hours
    hours = ORDINARY_ANSWER_H if hours is None else max(0.0, hours)
    return _unit(rate * HALF_CREDIT_H / (HALF_CREDIT_H + hours))


def load(open_engagements: int, capacity: int | None) -> float:
    """How much room is left: 1 is free, 0 full. Without a limit it falls to ½ at five engagements."""
    if capacity is None:
        return HALF_LOAD / (HALF_LOAD + max(0, open_engagements))
    return _unit(1.0 - open_engagements / capacity) if capacity > 0 else 0.0


def reputation(standing: Standing, prior_grade: float, prior_count: float, z: float = SURE) -> float:
    """The grade we can be sure of, from 0 (all 1) to 1 (all 5).

    Shape: the Bayesian mean of `prior_count` ordinary grades and the own ones, less `z` standard errors,
    but uncertainty alone takes nobody below the ordinary: without grades the result is the ordinary grade,
    above it counts what is certain, below it the mean. An award the provider let fall is a grade of 1.
    """
    count = standing.grade_count + standing.cancelled_by_provider
    total = standing.grade_sum + LOWEST_GRADE * standing.cancelled_by_provider
    if count + prior_count <= 0:
        return _graded(prior_grade)
    mean = (prior_grade * prior_count + total) / (prior_count + count)
    certain = mean - z * GRADE_SPREAD / sqrt(prior_count + count)
    return _graded(max(certain, min(mean, prior_grade)))


def _graded(grade: float) -> float:
    return _unit((grade - LOWEST_GRADE) / (HIGHEST_GRADE - LOWEST_GRADE))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
