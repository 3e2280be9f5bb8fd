"""Invitations and the quotations that answer them."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest
from common.contracts.invitations import DemandSummary
from common.contracts.quotations import Quotation
from common.errors import Conflict, Forbidden, Invalid
from window.bids import domain as bids
from window.invitations import domain
from window.invitations.domain import Invitation

AT = datetime(2030, 5, 1, tzinfo=UTC)
SUMMARY = DemandSummary(number="XQ-1", title="检验", text="送检", division="150105", size_class="small")


def invitation(state="issued", **other):
    said = {
        "id": uuid4(), "version": 1, "demand_id": uuid4(), "demand_window": "hohhot", "platform": "baotou",
        "provider_id": uuid4(), "provider_name": "检测公司", "offering_id": uuid4(), "offering_version": 1,
        "offering_title": "检验", "demand": SUMMARY, "respond_by": AT + timedelta(days=3), "state": state,
        "issued_at": AT, "owner_subject": "sme-1",
    }  # fmt: skip
    return Invitation.model_validate(said | other)


def quotation(asked, state="submitted", **other):
    said = asked.model_dump() | {
        "id": uuid4(), "invitation_id": asked.id, "state": state, "revision": 1, "price_cents": 100,
        "lead_days": 5, "valid_until": date(2030, 5, 10), "answered_at": AT,
    }  # fmt: skip
    return Quotation.model_validate(said | other)


@pytest.mark.parametrize(
    ("states", "outlook"),
    [
        (("issued", "quoted"), "quoting"), (("quoted", "declined"), "evaluating"), (("declined", "withdrawn"), "no_quotation"),
        (("expired",), "no_quotation"), (("expired", "quoted", "declined"), "evaluating"),
    ],
)  # fmt: skip
def test_the_answers_make_the_outlook(states, outlook):
    assert domain.outlook(map(invitation, states)) == outlook


def test_an_answer_moves_an_open_invitation_and_never_a_decided_one():
    for state, said in product(("issued", "quoted", "declined", "awarded", "lost"), domain.ANSWERS):
        answered = domain.answer(invitation(state), said, None, AT)
        moves = state not in ("awarded", "lost") and domain.ANSWERS[said] != state
        assert (answered is not None) == moves
        if answered is not None:
            value, fact = answered
            assert (value.state, value.version) == (fact.state, fact.version) == (domain.ANSWERS[said], 2)
            assert fact.type == "invitation.answered.v1"
    for said in ("invited", "viewed", "accepted", "rejected"):
        assert domain.answer(invitation(), said, None, AT) is None


def test_an_invitation_expires_after_its_last_moment_and_only_unanswered():
    last = AT + timedelta(days=3)
    assert domain.expire(invitation(), last) is None
    expired, fact = domain.expire(invitation(), last + timedelta(microseconds=1))
    assert (expired.state, expired.version, fact.type) == ("expired", 2, "invitation.expired.v1")
    for state in ("quoted", "declined", "withdrawn", "expired", "awarded", "lost"):
        assert domain.expire(invitation(state), last + timedelta(days=1)) is None


def test_only_an_offer_made_in_time_revives_an_expired_invitation():
    assert domain.answer(invitation("expired"), "submitted", None, AT)[0].state == "quoted"
    for said in ("declined", "withdrawn", "expired", "viewed"):
        assert domain.answer(invitation("expired"), said, None, AT) is None


def test_a_relapsed_award_ends_the_winners_invitation_and_takes_the_account_back():
    won = invitation("awarded", enterprise_subject="sme-1")
    withdrawn, fact = domain.relapse(won, "quotation-withdrawn")
    assert (withdrawn.state, withdrawn.version, fact.enterprise_subject) == ("withdrawn", 2, None)
    for state in ("issued", "quoted", "declined", "withdrawn", "expired", "lost"):
        assert domain.relapse(invitation(state), "x") is None


def test_who_hoped_is_told_and_who_declined_is_not():
    told = {
        s: domain.lose(invitation(s), "另一家中选")
        for s in ("issued", "quoted", "declined", "withdrawn", "lost")
    }
    assert {state for state, step in told.items() if step} == {"issued", "quoted"}
    assert told["quoted"][1].state_reason == "另一家中选"


def test_a_quotation_must_be_the_invited_ones():
    asked = invitation()
    bids.check(quotation(asked), asked, source="baotou")
    for other, source in (
        ({}, "wuhai"), ({"platform": "wuhai"}, "baotou"), ({"provider_id": uuid4()}, "baotou"), ({"demand_id": uuid4()}, "baotou"),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            bids.check(quotation(asked, **other), asked, source=source)
    with pytest.raises(Invalid):
        bids.check(quotation(asked, price_cents=None), asked, source="baotou")


def test_the_deadline_is_the_moment_itself():
    asked = invitation()
    bids.check(quotation(asked, answered_at=asked.respond_by), asked, source="baotou")
    late = asked.respond_by + timedelta(microseconds=1)
    with pytest.raises(Conflict):
        bids.check(quotation(asked, answered_at=late), asked, source="baotou")
    bids.check(quotation(asked, "declined", answered_at=late, price_cents=None), asked, source="baotou")


def test_a_quotation_stands_through_its_last_day():
    asked = invitation()
    days = (date(2030, 5, 9), date(2030, 5, 10), date(2030, 5, 11))
    assert [bids.stands(quotation(asked), day) for day in days] == [True, True, False]
    assert bids.stands(quotation(asked, valid_until=None), date(2099, 1, 1))
    assert not bids.stands(quotation(asked, "withdrawn"), days[0])


def test_the_cheapest_comes_first_then_the_faster_then_those_without_an_offer():
    asked = invitation()
    offers = [
        quotation(asked, price_cents=300), quotation(asked, price_cents=100, lead_days=9),
        quotation(asked, price_cents=100, lead_days=2), quotation(asked, "declined", price_cents=None),
        quotation(asked, "withdrawn", price_cents=1), quotation(asked, price_cents=0),
    ]  # fmt: skip
    ranked = bids.ranked(offers)
    assert [q.price_cents for q in ranked[:4]] == [0, 100, 100, 300]
    assert [q.lead_days for q in ranked[1:3]] == [2, 9]
    assert {q.state for q in ranked[4:]} == {"declined", "withdrawn"}
