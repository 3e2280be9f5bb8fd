"""The states of a demand, and what each step says to the network."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from common.errors import Conflict, Invalid
from window.demands import domain
from window.demands.domain import COURSE, EDITABLE, INVITES, STEPS_KEPT, WITHDRAWABLE, Draft
from window.enterprises.domain import Enterprise

AT = datetime(2030, 5, 1, 2, 0, tzinfo=UTC)
ENTERPRISE = Enterprise(
    id=uuid4(), version=1, name="青城乳品有限公司", credit_code="91150100MA0N000013", division="150105",
    industry="1441", owner_subject="sme-1", size_class="small", size_reason_zh="小型", size_reason_en="small",
    size_standard="2011/2017", registered_at=AT, changed_at=AT,
)  # fmt: skip
NUMBER = "XQ-HOHHOT-20300501-000001"
STATES = (
    "draft", "submitted", "returned", "published", "matched", "no_match", "quoting", "evaluating", "awarded",
    "in_service", "delivered", "accepted", "disputed", "rated", "closed", "withdrawn", "expired", "no_quotation",
)  # fmt: skip


def draft(**other):
    return Draft.model_validate({"title": "检验", "text": "送检", **other})


def demand(state="submitted", **other):
    submitted, _ = domain.submit(draft(**other), ENTERPRISE, id=uuid4(), number=NUMBER, staff=False, at=AT)
    return submitted.model_copy(update={"state": state})


def test_what_is_private_stays_behind():
    _, fact = domain.submit(draft(), ENTERPRISE, id=uuid4(), number=NUMBER, staff=False, at=AT)
    said = fact.model_dump()
    assert said["number"] == NUMBER
    assert not {"owner_subject", "enterprise_id", "legal_name", "confidential", "timeline"} & set(said)


def test_the_date_is_that_of_china():
    assert domain.today(datetime(2030, 4, 30, 16, 0, tzinfo=UTC)) == date(2030, 5, 1)
    assert domain.receipt("hohhot", AT, 1) == NUMBER


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"budget": {"from_cents": 5, "to_cents": 4}}, "budget-upside-down"),
        ({"needed_by": date(2030, 4, 30)}, "needed-by-past"),
        ({"category": "magic"}, "category-unknown"),
        ({"industry": "9999"}, "industry-unknown"),
        ({"division": "150999"}, "division-unknown"),
        ({"example": True}, "example-staff-only"),
    ],
)
def test_what_a_draft_must_not_say(other, code):
    with pytest.raises(Invalid) as refusal:
        demand(**other)
    assert refusal.value.code == code and refusal.value.field and refusal.value.zh


def test_equal_ends_and_open_ends_and_today_are_fine():
    for other in (
        {"budget": {"from_cents": 5, "to_cents": 5}},
        {"budget": {"from_cents": 9}},
        {"needed_by": date(2030, 5, 1)},
    ):
        assert demand(**other).state == "submitted"


@pytest.mark.parametrize("state", STATES)
def test_each_step_is_open_in_its_own_states_only(state):
    attempts = {
        "change": (EDITABLE, lambda d: domain.change(d, {"title": "新"}, AT)),
        "open": (INVITES, lambda d: domain.open(d, AT)),
        "withdraw": (WITHDRAWABLE, lambda d: domain.withdraw(d, "取消", AT)),
        "award": ({"quoting", "evaluating"}, domain.check_awardable),
    }
    for states, act in attempts.values():
        if state in states:
            act(demand(state))
        else:
            with pytest.raises(Conflict):
                act(demand(state))


def test_a_change_is_a_new_version_that_waits_for_a_match():
    changed, fact = domain.change(demand("matched"), {"title": "新", "confidential": True}, AT)
    assert (changed.state, changed.version, changed.content_version, changed.title) == (
        "submitted",
        2,
        2,
        "新",
    )
    assert changed.enterprise_name is None and fact.enterprise_name is None
    assert fact.type == "demand.changed.v1" and fact.version == 2


def test_a_date_that_has_passed_since_does_not_stop_another_change():
    old = demand(needed_by=date(2030, 5, 2))
    later = datetime(2030, 6, 1, tzinfo=UTC)
    assert domain.change(old, {"title": "新"}, later)[0].needed_by == date(2030, 5, 2)
    with pytest.raises(Invalid):
        domain.change(old, {"needed_by": date(2030, 5, 3)}, later)


def test_which_match_is_awaited():
    changed, _ = domain.change(demand(), {"title": "新"}, AT)
    assert [domain.awaits(changed, version) for version in (1, 2, 3)] == [False, True, False]
    assert not domain.awaits(demand("quoting"), 1) and not domain.awaits(demand("withdrawn"), 1)


def test_the_same_outcome_again_is_no_step():
    matched, fact = domain.match(demand(), "matched", AT)
    assert (matched.state, fact.type) == ("matched", "demand.matched.v1")
    assert domain.match(matched, "matched", AT) is None
    assert domain.match(matched, "no_match", AT)[1].type == "demand.unmatched.v1"


def test_answers_move_it_between_quoting_and_evaluating():
    quoting = demand("quoting")
    assert domain.evaluate(quoting, "quoting", AT) is None
    evaluating, fact = domain.evaluate(quoting, "evaluating", AT)
    assert fact.type == "demand.evaluated.v1"
    assert domain.evaluate(evaluating, "quoting", AT)[1].type == "demand.opened.v1"
    assert domain.evaluate(demand("awarded"), "evaluating", AT) is None


def test_progress_never_turns_back():
    for place, here in enumerate(COURSE):
        for target, there in enumerate(COURSE):
            step = domain.progress(demand(here), there, AT)
            assert (step is not None) == (target > place)
    assert domain.progress(demand("quoting"), "delivered", AT) is None


def test_the_award_lifts_confidentiality():
    engagement = uuid4()
    awarded, fact = domain.award(demand("evaluating", confidential=True), engagement, "最优", AT)
    assert (fact.enterprise_name, fact.engagement_id, fact.state_reason) == (
        ENTERPRISE.name,
        engagement,
        "最优",
    )
    with pytest.raises(Conflict) as refusal:
        domain.check_awardable(awarded)
    assert refusal.value.code == "already-awarded"


def test_an_award_that_is_undone_can_be_made_again_and_hides_the_name_again():
    for state in STATES:
        undone = domain.relapse(demand(state), "quotation-withdrawn", AT)
        assert (undone is not None) == (state in ("awarded", "in_service"))
    awarded, _ = domain.award(demand("evaluating", confidential=True), uuid4(), "最优", AT)
    undone, fact = domain.relapse(awarded, "quotation-withdrawn", AT)
    assert (undone.state, undone.engagement_id, fact.enterprise_name) == ("evaluating", None, None)
    assert (fact.type, fact.state_reason) == ("demand.evaluated.v1", "quotation-withdrawn")
    domain.check_awardable(undone)


def test_the_timeline_keeps_its_beginning_and_is_bounded():
    value = demand()
    for number in range(STEPS_KEPT + 50):
        value, _ = domain.change(value, {"title": f"第{number}版"}, AT)
    assert len(value.timeline) == STEPS_KEPT and value.timeline[0].fact == "demand.submitted.v1"
    assert value.timeline[-1].at == AT
