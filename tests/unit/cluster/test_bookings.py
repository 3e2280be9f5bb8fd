"""Booking rules as pure functions."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from cluster.bookings import domain
from cluster.bookings.domain import Booking
from common.contracts.bookings import BookingState
from common.errors import Conflict
from common.ids import new

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def booking(state="held"):
    return Booking(
        id=new(), version=1, resource_id=new(), provider_id=new(), starts_at=NOW, ends_at=NOW + timedelta(hours=2),
        state=state, held_until=NOW, changed_at=NOW, requester_subject="a", lab_subject="b", purpose="检测",
        created_at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "states"),
    [
        (lambda b: domain.confirm(b, at=NOW), {"held"}),
        (lambda b: domain.cancel(b, "x", at=NOW), {"held", "confirmed"}),
        (lambda b: domain.complete(b, 1.0, 100, at=NOW), {"confirmed"}),
    ],
)
def test_bookings_take_their_steps_and_no_others(step, states):
    taken = set()
    for state in get_args(BookingState):
        try:
            after, fact = step(booking(state))
        except Conflict:
            continue
        assert fact.state == after.state
        assert not {"requester_subject", "lab_subject", "purpose"} & set(fact.model_dump())
        taken.add(state)
    assert taken == states


@pytest.mark.parametrize(("hours", "fee"), [(0, 0), (0.5, 17), (1.1, 36), (2, 66)])
def test_the_fee_is_whole_cents_rounded_half_up(hours, fee):
    done, _ = domain.complete(booking("confirmed"), hours, 33, at=NOW)
    assert done.fee_cents == fee
