from datetime import timedelta

import pytest
from agency.quotations import domain
from common.contracts.engagements import (
    EngagementCancelled,
    EngagementCreated,
    EngagementDelivered,
    Milestone,
)
from common.contracts.invitations import DemandSummary, InvitationIssued
from common.contracts.ratings import RatingChanged, RatingGiven
from common.ids import new
from common.inbox import Verdict


@pytest.fixture
async def engaged(platform, agency, provider):
    """An engagement of `agency`'s provider, as its window told it."""
    asked = InvitationIssued(
        id=new(), version=1, demand_id=new(), demand_window="hohhot", platform=platform.node,
        provider_id=provider["id"], provider_name="某机构", offering_id=new(), offering_version=1,
        offering_title="检测", respond_by=platform.clock() + timedelta(days=3), state="issued",
        issued_at=platform.clock(),
        demand=DemandSummary(number="D-1", title="检测", text="检测", division="150100", size_class="small"),
    )  # fmt: skip
    await platform.hear(asked, source="hohhot")
    offer = {"price_cents": 100, "lead_days": 5, "valid_until": "2027-01-31"}
    await agency.post(f"/v1/quotations/{domain.key(asked.id)}/submission", json=offer)
    fact = EngagementCreated(
        id=new(), version=1, demand_id=asked.demand_id, demand_window="hohhot", demand_number="D-1",
        title="检测", enterprise_name="某企业", invitation_id=asked.id, quotation_id=domain.key(asked.id),
        quotation_revision=1, platform=platform.node, provider_id=provider["id"], provider_name="某机构",
        price_cents=100, lead_days=5, milestones=(Milestone(number=1, title="取样"),), state="created",
        created_at=platform.clock(),
    )  # fmt: skip
    assert await platform.hear(fact, source="hohhot") is Verdict.DONE
    return fact


async def test_work_is_reported_step_by_step(platform, agency, engaged):
    url = f"/v1/assignments/{engaged.id}"
    (listed,) = (await agency.get("/v1/assignments?state=created")).json()["items"]
    assert listed["enterprise_name"] == "某企业"

    async def report(**body):
        return await agency.post(f"{url}/reports", json=body)

    assert (await report(step="delivered")).json()["code"] == "not-confirmed"
    first = await report(step="confirmed", note="已安排")
    assert first.status_code == 201, first.text
    assert [r["step"] for r in first.json()["reports"]] == ["confirmed"]
    assert (await report(step="confirmed")).json()["code"] == "already-reported"
    assert (await report(step="milestone", milestone=9)).json()["code"] == "unknown-milestone"
    assert (await report(step="milestone")).json()["field"] == "milestone"
    assert (await report(step="delivered", milestone=1)).json()["code"] == "milestone-unexpected"
    assert (await report(step="milestone", milestone=1)).status_code == 201
    assert (await report(step="milestone", milestone=1)).json()["code"] == "already-reported"
    assert (await report(step="delivered")).status_code == 201
    assert (await report(step="delivered")).json()["code"] == "assignment-over"
    said = await platform.said("progress.%")
    assert [e["data"]["step"] for e in said] == ["confirmed", "milestone", "delivered"]
    assert {e["recipient"] for e in said} == {"hohhot"}
    assert {e["correlationid"] for e in said} == {str(engaged.demand_id)}


async def test_the_copy_follows_by_version(platform, agency, engaged):
    later = EngagementDelivered.model_validate(engaged.model_dump() | {"version": 4, "state": "delivered"})
    for fact in (later, engaged, later):
        assert await platform.hear(fact, source="hohhot") is Verdict.DONE
    seen = (await agency.get(f"/v1/assignments/{engaged.id}")).json()
    assert (seen["version"], seen["state"]) == (4, "delivered")
    answer = await agency.post(f"/v1/assignments/{engaged.id}/reports", json={"step": "confirmed"})
    assert answer.json()["code"] == "assignment-over"


async def test_a_cancelled_engagement_takes_no_more_reports(platform, agency, engaged):
    cancelled = EngagementCancelled.model_validate(
        engaged.model_dump() | {"version": 2, "state": "cancelled", "state_reason": "quotation-withdrawn"}
    )
    await platform.hear(cancelled, source="hohhot")
    seen = (await agency.get(f"/v1/assignments/{engaged.id}")).json()
    assert (seen["state"], seen["state_reason"]) == ("cancelled", "quotation-withdrawn")
    answer = await agency.post(f"/v1/assignments/{engaged.id}/reports", json={"step": "confirmed"})
    assert (answer.status_code, answer.json()["code"]) == (409, "assignment-over")


async def test_nobody_confirms_work_on_an_offer_that_was_taken_back(platform, agency, engaged):
    await agency.post(f"/v1/quotations/{engaged.quotation_id}/withdrawal")
    answer = await agency.post(f"/v1/assignments/{engaged.id}/reports", json={"step": "confirmed"})
    assert (answer.status_code, answer.json()["code"]) == (409, "quotation-over")
    assert await platform.said("progress.%") == []


async def test_the_rating_shows_on_the_assignment_and_follows_by_version(platform, agency, other, engaged):
    url = f"/v1/assignments/{engaged.id}"
    assert (await agency.get(url)).json()["rating"] is None
    given = RatingGiven(
        id=new(), version=1, engagement_id=engaged.id, demand_id=engaged.demand_id, platform=platform.node,
        provider_id=engaged.provider_id, grade=2, text="慢", rated_at=platform.clock(),
    )  # fmt: skip
    changed = RatingChanged.model_validate(given.model_dump() | {"version": 2, "grade": 4, "text": "尚可"})
    assert await platform.hear(given, source="hohhot") is Verdict.DONE
    rating = (await agency.get(url)).json()["rating"]
    assert (rating["grade"], rating["text"], bool(rating["rated_at"])) == (2, "慢", True)
    for fact in (changed, given, changed):
        assert await platform.hear(fact, source="hohhot") is Verdict.DONE
    (listed,) = (await agency.get("/v1/assignments")).json()["items"]
    assert (listed["rating"]["grade"], listed["rating"]["text"]) == (4, "尚可")
    # Another window's word about this engagement is not its rating; one for another platform is refused.
    await platform.hear(given.model_copy(update={"id": new(), "grade": 1}), source="ordos")
    assert (await agency.get(url)).json()["rating"]["grade"] == 4
    elsewhere = given.model_copy(update={"id": new(), "platform": "wuhai"})
    assert await platform.hear(elsewhere, source="hohhot") is Verdict.PARKED
    assert (await other.get(url)).status_code == 404


async def test_a_rating_may_come_before_its_engagement(platform, agency, engaged):
    second = engaged.model_copy(update={"id": new()})
    given = RatingGiven(
        id=new(), version=1, engagement_id=second.id, demand_id=engaged.demand_id, platform=platform.node,
        provider_id=engaged.provider_id, grade=5, rated_at=platform.clock(),
    )  # fmt: skip
    assert await platform.hear(given, source="hohhot") is Verdict.DONE
    assert await platform.hear(second, source="hohhot") is Verdict.DONE
    assert (await agency.get(f"/v1/assignments/{second.id}")).json()["rating"]["grade"] == 5


async def test_engagements_that_rest_on_nothing_here_are_parked(platform, engaged):
    for changes, source in (
        ({"id": new(), "quotation_id": new()}, "hohhot"),
        ({"id": new()}, "ordos"),
        ({"id": new(), "demand_window": "ordos"}, "ordos"),
        ({"id": new(), "platform": "wuhai"}, "hohhot"),
    ):
        fact = EngagementCreated.model_validate(engaged.model_dump() | changes)
        assert await platform.hear(fact, source=source) is Verdict.PARKED
    assert len(await platform.rows("SELECT 1 FROM assignments")) == 1


async def test_others_see_nothing(platform, other, staff, engaged):
    url = f"/v1/assignments/{engaged.id}"
    assert (await other.get(url)).status_code == 404
    assert (await other.get("/v1/assignments")).json()["items"] == []
    assert (await other.post(f"{url}/reports", json={"step": "confirmed"})).status_code == 404
    assert (await staff.get(url)).status_code == 200
    assert (await platform.caller("x", "sme").get(url)).status_code == 403
