"""The agency's rules as pure functions: every state meets every step."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from agency.offerings import domain as offerings
from agency.providers import domain as providers
from agency.quotations import domain as quotations
from common.contracts.invitations import DemandSummary, Invitation
from common.contracts.offerings import OfferingState
from common.contracts.providers import ProviderState
from common.contracts.quotations import QuotationState
from common.errors import Conflict, Refusal
from common.ids import new
from reference import credit_code

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


def provider(state="active"):
    draft = providers.Registration(
        name="某机构", credit_code=credit_code.complete("91150203MA0N1A2B3"), division="150203",
        contact_name="张三", contact_phone="13800138000", contact_email="a@b.cn",
    )  # fmt: skip
    return providers.register(draft, id=new(), owner="a", at=NOW, state=state)[0]


def offering(state="published", **private):
    draft = offerings.Draft(title="检测", category="legal")
    made, _ = offerings.submit(draft, provider(), id=new(), at=NOW)
    return made.model_copy(update={"state": state} | private)


def quotation(state="invited"):
    invitation = Invitation(
        id=new(), version=1, demand_id=new(), demand_window="hohhot", platform="baotou", provider_id=new(),
        provider_name="某", offering_id=new(), offering_version=1, offering_title="检测",
        respond_by=NOW + timedelta(days=1), state="issued", issued_at=NOW,
        demand=DemandSummary(number="1", title="t", text="t", division="150100", size_class="micro"),
    )  # fmt: skip
    made, _ = quotations.receive(invitation, provider(), platform="baotou", at=NOW)
    return made.model_copy(update={"state": state})


def allowed(states, make, step):
    """The states from which a step is taken; all others refuse it as a conflict."""
    taken = set()
    for state in get_args(states):
        before = make(state)
        try:
            after, fact = step(before)
        except Conflict:
            continue
        assert (after.version, fact.version) == (before.version + 1,) * 2
        assert fact.state == after.state
        taken.add(state)
    return taken


@pytest.mark.parametrize(
    ("step", "states"),
    [
        (lambda p: providers.verify(p, "approve", None, at=NOW), {"submitted", "verifying"}),
        (lambda p: providers.suspend(p, "x", None, at=NOW), {"active"}),
        (lambda p: providers.restore(p, at=NOW), {"suspended"}),
        (
            lambda p: providers.retire(p, None, at=NOW),
            {"draft", "submitted", "verifying", "active", "returned", "suspended"},
        ),
        (
            lambda p: providers.change(p, providers.Changes(profile="x"), at=NOW),
            {"submitted", "verifying", "active", "returned", "suspended"},
        ),
    ],
)
def test_providers_take_their_steps_and_no_others(step, states):
    assert allowed(ProviderState, provider, step) == states


@pytest.mark.parametrize(
    ("step", "states"),
    [
        (lambda o: offerings.review(o, provider(), "publish", None, at=NOW), {"in_review"}),
        (lambda o: offerings.pause(o, None, at=NOW), {"published", "full"}),
        (lambda o: offerings.resume(o, provider(), at=NOW), {"paused"}),
        (lambda o: offerings.retire(o, None, at=NOW), set(get_args(OfferingState)) - {"retired"}),
        (
            lambda o: offerings.change(o, offerings.Changes(title="x"), provider(), at=NOW),
            set(get_args(OfferingState)) - {"retired"},
        ),
    ],
)
def test_offerings_take_their_steps_and_no_others(step, states):
    assert allowed(OfferingState, offering, step) == states


OFFER = quotations.Offer(price_cents=1, lead_days=1, valid_until=date(2026, 12, 1))


@pytest.mark.parametrize(
    ("step", "states"),
    [
        (lambda q: quotations.submit(q, OFFER, provider(), at=NOW), {"invited", "viewed", "submitted"}),
        (lambda q: quotations.decline(q, "x", at=NOW), {"invited", "viewed"}),
        (lambda q: quotations.withdraw(q, None, at=NOW), {"submitted"}),
    ],
)
def test_quotations_take_their_steps_and_no_others(step, states):
    assert allowed(QuotationState, quotation, step) == states


def ended(state):
    return lambda q: quotations.settle(q, q.invitation.model_copy(update={"state": state}), at=NOW)


@pytest.mark.parametrize(
    ("end", "becomes"),
    [
        ("expired", {"invited": "expired", "viewed": "expired"}),
        ("lost", dict.fromkeys(("invited", "viewed", "submitted"), "rejected")),
        (
            "awarded",
            {"submitted": "accepted"}
            | dict.fromkeys(
                ("invited", "viewed", "declined", "withdrawn", "expired", "rejected"), "relapsed"
            ),
        ),
    ],
)
def test_the_end_of_an_invitation_meets_every_state(end, becomes):
    for state in get_args(QuotationState):
        after, fact = ended(end)(quotation(state))
        assert after.state == becomes.get(state, state)
        assert (fact is not None) == (state in becomes)
        assert fact is None or fact.type == f"quotation.{'expired' if end == 'expired' else 'settled'}.v1"


def test_an_expired_quotation_says_that_the_deadline_has_passed():
    with pytest.raises(Conflict, match="deadline-passed"):
        quotations.submit(quotation("expired"), OFFER, provider(), at=NOW)


def test_facts_hold_nothing_private():
    _, fact = providers.suspend(provider(), "x", None, at=NOW)
    assert not {"owner_subject", "contact_name", "contact_phone", "contact_email"} & set(fact.model_dump())
    _, fact = offerings.pause(offering(), None, at=NOW)
    assert not {"owner_subject", "external_ref"} & set(fact.model_dump())
    _, fact = quotations.submit(quotation(), OFFER, provider(), at=NOW)
    assert not {"owner_subject", "invitation"} & set(fact.model_dump())
    assert fact.provider_subject == "a"  # an account, not a person


def test_an_offer_is_valid_through_the_day_in_china():
    evening = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 23:59 on the 23rd there
    offer = OFFER.model_copy(update={"valid_until": date(2026, 11, 23)})
    assert quotations.submit(quotation(), offer, provider(), at=evening)
    with pytest.raises(Refusal, match="valid-until-past"):
        quotations.submit(quotation(), offer, provider(), at=evening + timedelta(minutes=1))
