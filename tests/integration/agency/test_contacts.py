"""The enterprise may speak to the provider that won, and nobody else may."""

from datetime import timedelta

import pytest
from agency.quotations import domain
from common.contracts.invitations import DemandSummary, InvitationAwarded, InvitationIssued, InvitationLost
from common.ids import new

OFFER = {"price_cents": 260000, "lead_days": 5, "valid_until": "2027-01-31"}


@pytest.fixture
async def quoted(platform, agency, provider):
    """An invitation that `agency` has answered with an offer, and the address of the contact."""
    asked = InvitationIssued(
        id=new(), version=1, demand_id=new(), demand_window="hohhot", platform=platform.node,
        provider_id=provider["id"], provider_name="某机构", offering_id=new(), offering_version=1,
        offering_title="检测", respond_by=platform.clock() + timedelta(days=3), state="issued",
        issued_at=platform.clock(),
        demand=DemandSummary(number="D-1", title="检测", text="检测", division="150100", size_class="small"),
    )  # fmt: skip
    await platform.hear(asked, source="hohhot")
    url = f"/v1/quotations/{domain.key(asked.id)}"
    assert (await agency.post(f"{url}/submission", json=OFFER)).status_code == 200
    return asked, url


def ended(asked, kind, state, **more):
    return kind.model_validate(asked.model_dump() | {"version": 2, "state": state} | more)


async def test_the_contact_is_the_enterprises_alone_and_only_after_the_award(platform, agency, staff, quoted):
    asked, url = quoted
    owner = platform.caller("sme-1", "sme")
    everybody = (owner, platform.caller("sme-2", "sme"), agency, staff, platform.caller("op", "operator"))
    assert [(await one.get(f"{url}/contact")).status_code for one in everybody] == [404] * 5
    await platform.hear(
        ended(asked, InvitationAwarded, "awarded", enterprise_subject="sme-1"), source="hohhot"
    )
    answers = [await one.get(f"{url}/contact") for one in everybody]
    assert [answer.status_code for answer in answers] == [200] + [404] * 4
    assert answers[0].json() == {
        "provider_name": "示例·包头稀土检测有限公司", "contact_name": "张三丰", "contact_phone": "13800138000",
        "contact_email": "secret.person@example.com",
    }  # fmt: skip
    assert answers[0].headers["cache-control"] == "no-store"
    assert (await owner.get(f"/v1/quotations/{new()}/contact")).status_code == 404
    await owner.get(f"{url}/contact")
    read = await platform.rows("SELECT actor, correlation FROM audit WHERE action = 'contact.read'")
    assert [tuple(row) for row in read] == [("sme-1", str(asked.demand_id))] * 2


async def test_who_lost_or_took_the_offer_back_is_not_shown(platform, agency, quoted):
    asked, url = quoted
    owner = platform.caller("sme-1", "sme")
    await agency.post(f"{url}/withdrawal")
    await platform.hear(
        ended(asked, InvitationAwarded, "awarded", enterprise_subject="sme-1"), source="hohhot"
    )
    assert (await owner.get(f"{url}/contact")).status_code == 404


async def test_a_loser_is_not_shown(platform, quoted):
    asked, url = quoted
    await platform.hear(ended(asked, InvitationLost, "lost", enterprise_subject="sme-1"), source="hohhot")
    assert (await platform.caller("sme-1", "sme").get(f"{url}/contact")).status_code == 404


async def test_no_person_travels_or_is_kept_beside_its_provider(platform, agency, quoted):
    asked, url = quoted
    await platform.hear(
        ended(asked, InvitationAwarded, "awarded", enterprise_subject="sme-1"), source="hohhot"
    )
    await platform.caller("sme-1", "sme").get(f"{url}/contact")
    for table in ("outbox", "audit", "quotations", "assignments"):
        for row in await platform.rows(f"SELECT t::text AS line FROM {table} t"):
            for secret in ("张三丰", "13800138000", "secret.person"):
                assert secret not in row["line"], table
    submitted = (await platform.said("quotation.submitted.v1"))[0]["data"]
    assert submitted["provider_subject"] == "agency-1"
    shown = (await agency.get(url)).json()
    assert "sme-1" not in str(shown)
