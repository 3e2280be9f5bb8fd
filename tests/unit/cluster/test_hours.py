"""Opening hours and what they leave free."""

from datetime import datetime, timedelta

import pytest
from cluster.resources.hours import CHINA, Opening, covered, free_spans, open_spans, slots
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

MONDAY = datetime(2026, 11, 23, tzinfo=CHINA)
WORKDAYS = [Opening(weekday=day, opens="08:30", closes="17:30") for day in range(1, 6)]
ALWAYS = [Opening(weekday=day, opens="00:00", closes="24:00") for day in range(1, 8)]


def at(hour, minute=0, day=0):
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def test_a_week_has_five_working_days():
    spans = open_spans(WORKDAYS, MONDAY, at(0, day=7))
    assert spans == [(at(8, 30, d), at(17, 30, d)) for d in range(5)]


def test_midnight_joins_two_days_that_are_open_round_the_clock():
    assert covered(ALWAYS, at(22), at(9, day=3))
    assert covered([], at(22), at(9, day=3))
    assert not covered(WORKDAYS, at(16), at(9, day=1))


def test_the_weekday_is_the_one_in_china():
    late_sunday_utc = datetime.fromisoformat("2026-11-22T23:00:00+00:00")  # Monday 7:00 there
    early = [Opening(weekday=1, opens="06:00", closes="08:00")]
    assert covered(early, late_sunday_utc, late_sunday_utc + timedelta(hours=1))


def test_what_is_busy_is_not_free():
    day = [(at(8), at(18))]
    assert free_spans(day, [(at(7), at(9)), (at(10), at(11)), (at(10, 30), at(12)), (at(17), at(19))]) == [
        (at(9), at(10)),
        (at(12), at(17)),
    ]
    assert slots(free_spans(day, []), timedelta(hours=2), 3) == [(at(8), at(10))]
    assert slots(free_spans(day, []), timedelta(hours=11), 3) == []


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=12))
def test_free_and_busy_never_meet_and_fill_the_day(taken):
    busy = [(MONDAY + timedelta(minutes=s), MONDAY + timedelta(minutes=s + n)) for s, n in taken]
    free = free_spans([(MONDAY, MONDAY + timedelta(minutes=120))], busy)
    for minute in range(120):
        moment = MONDAY + timedelta(minutes=minute)
        is_busy = any(start <= moment < end for start, end in busy)
        assert is_busy != any(start <= moment < end for start, end in free)


@pytest.mark.parametrize(
    ("opens", "closes"), [("18:00", "08:00"), ("08:00", "08:00"), ("24:00", "24:00"), ("8:00", "9:00")]
)
def test_hours_run_forward(opens, closes):
    with pytest.raises(ValidationError):
        Opening(weekday=1, opens=opens, closes=closes)
