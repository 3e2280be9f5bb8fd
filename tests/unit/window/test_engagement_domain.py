"""Reports in any order lead to the same engagement; ratings close it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from common.contracts.engagements import Milestone
from common.contracts.progress import Progress
from common.contracts.quotations import Quotation
from common.errors import Conflict, Forbidden, Invalid
from window.engagements import domain
from window.engagements.domain import Engagement
from window.ratings import domain as ratings

AT = datetime(2030, 5, 1, tzinfo=UTC)
PROVIDER, DEMAND = uuid4(), uuid4()


def engagement(**other):
    said = {
        "id": uuid4(), "version": 1, "demand_id": DEMAND, "demand_window": "hohhot", "demand_number": "XQ-1",
        "title": "检验", "enterprise_name": "青城乳品", "invitation_id": uuid4(), "quotation_id": uuid4(),
        "quotation_revision": 1, "platform": "baotou", "provider_id": PROVIDER, "provider_name": "检测公司",
        "price_cents": 100, "milestones": (Milestone(number=1, title="取样"), Milestone(number=2, title="报告")),
        "state": "created", "created_at": AT, "owner_subject": "sme-1", "enterprise_id": uuid4(),
        "award_reason": "最优", "changed_at": AT,
    }  # fmt: skip
    return Engagement.model_validate(said | other)


def said(step, milestone=None, **other):
    report = {
        "id": uuid4(), "version": 1, "engagement_id": uuid4(), "demand_id": DEMAND, "demand_window": "hohhot",
        "provider_id": PROVIDER, "step": step, "milestone": milestone, "reported_at": AT,
    }  # fmt: skip
    return Progress.model_validate(report | other)


def heard(value, *reports, source="baotou"):
    fact = None
    for report in reports:
        value, fact = domain.report(value, report, source=source, at=AT)
    return value, fact


def test_any_order_of_the_reports_ends_the_same():
    start = engagement()
    reports = (
        said("confirmed"),
        said("milestone", 1),
        said("milestone", 2),
        said("delivered", note="已寄出"),
    )
    ends = [heard(start, *order)[0] for order in permutations(reports)]
    assert all(end == ends[0] for end in ends)
    assert (ends[0].state, ends[0].version, ends[0].delivery_note) == ("delivered", 5, "已寄出")


def test_each_report_says_what_it_led_to():
    value, fact = heard(engagement(), said("confirmed"))
    assert (value.state, fact.type) == ("confirmed", "engagement.confirmed.v1")
    value, fact = heard(value, said("milestone", 2))
    assert (value.state, fact.type) == ("in_progress", "engagement.progressed.v1")
    value, fact = heard(value, said("delivered"))
    assert (value.state, fact.type) == ("delivered", "engagement.delivered.v1")
    value, fact = heard(value, said("milestone", 1))
    assert (value.state, fact.type) == ("delivered", "engagement.progressed.v1")


def test_what_was_said_before_or_by_another_or_of_nothing_is_refused():
    done, _ = heard(engagement(), said("confirmed"), said("milestone", 1), said("delivered"))
    for again in (said("confirmed"), said("milestone", 1), said("delivered")):
        with pytest.raises(Conflict):
            heard(done, again)
    with pytest.raises(Invalid):
        heard(done, said("milestone", 3))
    with pytest.raises(Invalid):
        heard(done, said("milestone"))
    for foreign in ({"provider_id": uuid4()}, {"demand_id": uuid4()}):
        with pytest.raises(Forbidden):
            heard(engagement(), said("confirmed", **foreign))
    with pytest.raises(Forbidden):
        heard(engagement(), said("confirmed"), source="wuhai")
    for over in ("closed", "cancelled"):
        with pytest.raises(Conflict):
            heard(engagement(state=over), said("confirmed"))


def test_only_what_is_delivered_is_accepted():
    for state in ("created", "confirmed", "in_progress", "accepted", "closed", "cancelled"):
        with pytest.raises(Conflict):
            domain.accept(engagement(state=state), AT)
    accepted, fact = domain.accept(engagement(state="delivered"), AT)
    assert (accepted.state, accepted.accepted_at, fact.type) == ("accepted", AT, "engagement.accepted.v1")


def quotation_of(value, **other):
    said = value.model_dump() | {
        "id": value.quotation_id,
        "state": "relapsed",
        "state_reason": "award-of-withdrawn",
    }
    return Quotation.model_validate(said | {"offering_id": uuid4(), "offering_version": 1} | other)


def test_before_the_delivery_it_can_come_to_nothing():
    for state in ("created", "confirmed", "in_progress"):
        value = engagement(state=state)
        cancelled, fact = domain.relapse(value, quotation_of(value), source="baotou", reason="r", at=AT)
        assert (cancelled.state, cancelled.state_reason, fact.type) == (
            "cancelled",
            "r",
            "engagement.cancelled.v1",
        )
    for state in ("delivered", "accepted", "disputed", "closed", "cancelled"):
        value = engagement(state=state)
        with pytest.raises(Conflict):
            domain.relapse(value, quotation_of(value), source="baotou", reason="r", at=AT)
    value = engagement()
    for other, source in (
        ({}, "wuhai"),
        ({"provider_id": uuid4()}, "baotou"),
        ({"demand_id": uuid4()}, "baotou"),
    ):
        with pytest.raises(Forbidden):
            domain.relapse(value, quotation_of(value, **other), source=source, reason="r", at=AT)


def test_what_is_private_stays_behind():
    _, fact = domain.accept(engagement(state="delivered"), AT)
    assert not {"owner_subject", "enterprise_id", "award_reason"} & set(fact.model_dump())


def test_a_rating_waits_for_acceptance_and_is_final_after_a_week():
    with pytest.raises(Conflict):
        ratings.give(engagement(state="delivered"), 5, "", id=uuid4(), at=AT)
    rating, fact = ratings.give(engagement(state="accepted"), 2, "慢", id=uuid4(), at=AT)
    assert (fact.grade, fact.type) == (2, "rating.given.v1")
    changed, fact = ratings.change(rating, {"grade": 4}, AT + timedelta(days=7))
    assert (changed.grade, changed.text, changed.version, changed.rated_at) == (4, "慢", 2, AT)
    with pytest.raises(Conflict):
        ratings.change(changed, {"grade": 1}, AT + timedelta(days=7, seconds=1))
