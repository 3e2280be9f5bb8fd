from datetime import timedelta
from uuid import UUID

import pytest
from agency.quotations import domain
from common.contracts.invitations import (
    DemandSummary,
    InvitationAwarded,
    InvitationExpired,
    InvitationIssued,
    InvitationLost,
)
from common.ids import new
from common.inbox import Verdict

OFFER = {"price_cents": 260000, "lead_days": 5, "valid_until": "2027-01-31", "scope": "三个样品"}


def invitation(platform, provider_id, kind=InvitationIssued, **changes):
    state = {
        "id": new(), "version": 1, "demand_id": new(), "demand_window": "hohhot", "platform": platform.node,
        "provider_id": provider_id, "provider_name": "某机构", "offering_id": new(), "offering_version": 3,
        "offering_title": "检测", "respond_by": platform.clock() + timedelta(days=3), "state": "issued",
        "issued_at": platform.clock(),
        "demand": DemandSummary(
            number="D-1", title="需要检测", text="磁粉检测", division="150100", size_class="small"
        ),
    }  # fmt: skip
    return kind.model_validate(state | changes)


def decided(invitation, kind, **changes):
    state = {InvitationAwarded: "awarded", InvitationExpired: "expired", InvitationLost: "lost"}[kind]
    return kind.model_validate(invitation.model_dump() | {"version": 2, "state": state} | changes)


@pytest.fixture
async def asked(platform, provider):
    """An invitation of `agency`'s provider that has arrived, and the address of its quotation."""
    fact = invitation(platform, provider["id"])
    assert await platform.hear(fact, source="hohhot") is Verdict.DONE
    return fact, f"/v1/quotations/{domain.key(fact.id)}"


async def test_invited_viewed_quoted_again_and_accepted(platform, agency, asked):
    fact, url = asked
    (listed,) = (await agency.get("/v1/quotations?state=invited")).json()["items"]
    assert listed["invitation"]["demand"]["text"] == "磁粉检测"
    assert (await agency.post(f"{url}/viewing")).json()["state"] == "viewed"
    assert (await agency.post(f"{url}/viewing")).json()["version"] == 2
    first = await agency.post(f"{url}/submission", json=OFFER)
    assert (first.json()["state"], first.json()["revision"]) == ("submitted", 1), first.text
    second = await agency.post(f"{url}/submission", json=OFFER | {"price_cents": 250000})
    assert (second.json()["revision"], second.json()["price_cents"]) == (2, 250000)
    await platform.hear(decided(fact, InvitationAwarded), source="hohhot")
    assert (await agency.get(url)).json()["state"] == "accepted"
    said = await platform.said("quotation.%")
    assert [e["type"].split(".")[1] for e in said] == ["viewed", "submitted", "submitted", "settled"]
    assert {e["recipient"] for e in said} == {"hohhot"}
    assert said[-1]["data"]["state"] == "accepted"
    assert said[-1]["data"]["offering_version"] == 3
    assert "invitation" not in said[-1]["data"]


async def test_the_deadline_is_the_servers(platform, agency, asked):
    fact, url = asked
    platform.clock.at = fact.respond_by
    assert (await agency.post(f"{url}/submission", json=OFFER)).status_code == 200
    platform.clock.forward(seconds=1)
    late = await agency.post(f"{url}/submission", json=OFFER)
    assert (late.status_code, late.json()["code"]) == (409, "deadline-passed")
    assert (await agency.get(url)).json()["revision"] == 1


async def test_an_extended_deadline_arrives_with_a_newer_invitation(platform, agency, asked):
    fact, url = asked
    platform.clock.forward(days=4)
    assert (await agency.post(f"{url}/submission", json=OFFER)).status_code == 409
    later = fact.model_copy(update={"version": 2, "respond_by": platform.clock() + timedelta(days=1)})
    await platform.hear(later, source="hohhot")
    await platform.hear(fact, source="hohhot")  # the older one once more: without effect
    assert (await agency.post(f"{url}/submission", json=OFFER)).status_code == 200


async def test_an_expired_invitation_ends_what_was_not_answered_once(platform, agency, asked, provider):
    fact, url = asked
    answered = invitation(platform, provider["id"])
    await platform.hear(answered, source="hohhot")
    answered_url = f"/v1/quotations/{domain.key(answered.id)}"
    await agency.post(f"{answered_url}/submission", json=OFFER)
    await agency.post(f"{url}/viewing")
    platform.clock.forward(days=4)
    for _ in range(2):
        for one in (fact, answered):
            await platform.hear(decided(one, InvitationExpired), source="hohhot")
    assert (await agency.get(url)).json()["state"] == "expired"
    assert (await agency.get(answered_url)).json()["state"] == "submitted"
    (said,) = await platform.said("quotation.expired.v1")
    assert (said["recipient"], said["data"]["state"]) == ("hohhot", "expired")
    late = await agency.post(f"{url}/submission", json=OFFER)
    assert (late.status_code, late.json()["code"]) == (409, "deadline-passed")
    assert (await agency.post(f"{url}/declination", json={"reason": "x"})).status_code == 409


async def test_an_expiry_may_overtake_its_invitation(platform, agency, provider):
    fact = invitation(platform, provider["id"])
    await platform.hear(decided(fact, InvitationExpired), source="hohhot")
    await platform.hear(fact, source="hohhot")
    (held,) = (await agency.get("/v1/quotations")).json()["items"]
    assert held["state"] == "expired"


async def test_losers_are_told_and_decliners_left_alone(platform, agency, asked, provider):
    fact, url = asked
    await agency.post(f"{url}/submission", json=OFFER)
    await platform.hear(decided(fact, InvitationLost, state_reason="price"), source="hohhot")
    lost = (await agency.get(url)).json()
    assert (lost["state"], lost["state_reason"]) == ("rejected", "price")
    again = invitation(platform, provider["id"])
    await platform.hear(again, source="hohhot")
    other_url = f"/v1/quotations/{domain.key(again.id)}"
    done = await agency.post(f"{other_url}/declination", json={"reason": "产能已满"})
    assert (done.json()["state"], done.json()["state_reason"]) == ("declined", "产能已满")
    await platform.hear(decided(again, InvitationLost), source="hohhot")
    assert (await agency.get(other_url)).json()["state"] == "declined"
    assert len(await platform.said("quotation.settled.v1")) == 1


async def test_withdrawal_is_final_and_an_award_that_crosses_it_relapses(platform, agency, asked):
    fact, url = asked
    assert (await agency.post(f"{url}/withdrawal")).json()["code"] == "quotation-state"
    await agency.post(f"{url}/submission", json=OFFER)
    assert (await agency.post(f"{url}/declination", json={"reason": "x"})).status_code == 409
    assert (await agency.post(f"{url}/withdrawal", json={"reason": "故障"})).json()["state"] == "withdrawn"
    assert (await agency.post(f"{url}/submission", json=OFFER)).status_code == 409
    assert await platform.hear(decided(fact, InvitationAwarded), source="hohhot") is Verdict.DONE
    settled = (await platform.said("quotation.settled.v1"))[0]["data"]
    assert (settled["state"], settled["state_reason"]) == ("relapsed", "award-of-withdrawn")


async def test_messages_may_come_twice_and_in_any_order(platform, agency, provider):
    fact = invitation(platform, provider["id"])
    lost = decided(fact, InvitationLost, state_reason="other-won")
    id = new()
    for message_id in (id, id, None):
        assert await platform.hear(lost, source="hohhot", message_id=message_id) is Verdict.DONE
    for _ in range(2):
        assert await platform.hear(fact, source="hohhot") is Verdict.DONE
    (held,) = (await agency.get("/v1/quotations")).json()["items"]
    assert (held["state"], held["state_reason"], held["version"]) == ("rejected", "other-won", 2)
    assert len(await platform.said("quotation.%")) == 1


async def test_an_invitation_nobody_can_answer_is_declined_at_once(platform, staff, provider):
    unknown = invitation(platform, new())
    await platform.hear(unknown, source="hohhot")
    await staff.post(f"/v1/providers/{provider['id']}/suspension", json={"reason": "x"})
    await platform.hear(invitation(platform, provider["id"]), source="hohhot")
    await platform.hear(
        invitation(platform, provider["id"], respond_by=platform.clock() - timedelta(hours=1)),
        source="hohhot",
    )
    said = await platform.said("quotation.declined.v1")
    reasons = [e["data"]["state_reason"] for e in said]
    assert reasons == ["provider-unknown", "provider-not-active", "provider-not-active"]
    assert UUID(said[0]["data"]["invitation_id"]) == unknown.id
    await staff.post(f"/v1/providers/{provider['id']}/restoration")
    late = invitation(platform, provider["id"], respond_by=platform.clock() - timedelta(hours=1))
    await platform.hear(late, source="hohhot")
    assert (await platform.said("quotation.declined.v1"))[-1]["data"][
        "state_reason"
    ] == "arrived-after-deadline"


async def test_a_suspended_provider_cannot_quote(agency, staff, provider, asked):
    _, url = asked
    await staff.post(f"/v1/providers/{provider['id']}/suspension", json={"reason": "x"})
    answer = await agency.post(f"{url}/submission", json=OFFER)
    assert (answer.status_code, answer.json()["code"]) == (409, "provider-not-active")
    await staff.post(f"/v1/providers/{provider['id']}/restoration")
    assert (await agency.post(f"{url}/submission", json=OFFER)).status_code == 200


async def test_a_retired_provider_leaves_nobody_waiting(platform, agency, provider, asked):
    _, url = asked
    second = invitation(platform, provider["id"])
    await platform.hear(second, source="hohhot")
    await agency.post(f"{url}/submission", json=OFFER)
    await agency.post(f"/v1/providers/{provider['id']}/retirement")
    kinds = [e["type"] for e in await platform.said("quotation.%")]
    assert sorted(kinds) == ["quotation.declined.v1", "quotation.submitted.v1", "quotation.withdrawn.v1"]


async def test_others_see_nothing_and_staff_do_not_answer(platform, other, staff, asked):
    _, url = asked
    assert (await other.get(url)).status_code == 404
    assert (await other.get("/v1/quotations")).json()["items"] == []
    assert (await other.post(f"{url}/submission", json=OFFER)).status_code == 404
    assert (await other.post(f"{url}/viewing")).status_code == 404
    assert (await staff.get(url)).status_code == 200
    assert (await staff.post(f"{url}/submission", json=OFFER)).status_code == 403
    stranger = platform.caller("s", "window_staff", home="hohhot")
    assert (await stranger.get(url)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": "2026-11-22"}, "valid-until-past"),
        ({"price_cents": -1}, "invalid-input"),
        ({"price_cents": 10**14}, "invalid-input"),
        ({"price_cents": 1.5}, "invalid-input"),
        ({"lead_days": None}, "invalid-input"),
        ({"scope": "\u202e"}, "invalid-input"),
    ],
)
async def test_wrong_offers_are_refused(agency, asked, changes, code):
    answer = await agency.post(f"{asked[1]}/submission", json=OFFER | changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_foreign_invitations_are_parked(platform, provider):
    fact = invitation(platform, provider["id"])
    assert await platform.hear(fact, source="ordos") is Verdict.PARKED
    elsewhere = fact.model_copy(update={"id": new(), "platform": "wuhai"})
    assert await platform.hear(elsewhere, source="hohhot") is Verdict.PARKED
    reasons = await platform.rows("SELECT reason FROM dead_letters")
    assert [r["reason"] for r in reasons] == ["foreign-invitation"] * 2
    assert await platform.rows("SELECT 1 FROM quotations") == []
