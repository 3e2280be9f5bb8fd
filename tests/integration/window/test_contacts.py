"""The provider that won may speak to the enterprise, and nobody else may."""

from uuid import uuid4

from common.contracts.quotations import QuotationSettled


async def won(window, who):
    """An engagement of the provider of account `agency-won`, and where the contact is."""
    demand, (first, second, _) = await window.invited(who)
    quotation = await window.quote(first, provider_subject="agency-won")
    await window.quote(second, provider_subject="agency-lost")
    body = {"quotation_id": str(quotation.id), "reason": "价格最低"}
    made = window.made(await window.post(f"/v1/demands/{demand['id']}/award", who, body))
    return demand, first, made["engagement_id"], f"/v1/engagements/{made['engagement_id']}/contact"


async def test_the_contact_is_the_winners_and_staffs_alone_and_every_read_is_noted(window):
    who = window.sme()
    demand, _, engagement_id, path = await won(window, who)
    winner = window.token("agency-won", "agency", home="baotou")
    others = (
        who, window.sme(), window.token("agency-lost", "agency"), window.token("agency-x", "agency"),
        window.staff("baotou"), window.token("department", "department"),
    )  # fmt: skip
    for other in others:
        window.refused(await window.get(path, other), 404, "not-found")
    assert (await window.http.get(path)).status_code == 401
    answer = await window.get(path, winner)
    assert answer.json() == {"enterprise_name": "青城乳品有限公司", **window.person}
    assert answer.headers["cache-control"] == "no-store"
    assert (await window.get(path, window.staff())).status_code == 200
    window.refused(await window.get(f"/v1/engagements/{uuid4()}/contact", winner), 404, "not-found")
    read = await window.rows(
        "SELECT actor, correlation FROM audit WHERE action = 'contact.read' AND object_id = $1 ORDER BY id",
        engagement_id,
    )
    assert [tuple(row) for row in read] == [("agency-won", demand["id"]), ("staff-hohhot", demand["id"])]
    # The winner sees the contact and nothing else of the engagement here.
    window.refused(await window.get(f"/v1/engagements/{engagement_id}", winner), 404, "not-found")


async def test_a_cancelled_engagement_shows_nobody(window):
    who = window.sme()
    _, first, _, path = await won(window, who)
    fact = window.quotation(QuotationSettled, first, version=4, provider_subject="agency-won")
    assert await window.hear(fact, first["platform"]) == "done"
    for reader in (window.token("agency-won", "agency"), window.staff()):
        window.refused(await window.get(path, reader), 404, "not-found")


async def test_an_engagement_without_an_account_is_nobodys(window):
    """A quotation of an older release does not say whose it is."""
    who = window.sme()
    _, engagement = await window.awarded(who)
    for reader in (window.token("agency-won", "agency"), window.token("None", "agency")):
        window.refused(
            await window.get(f"/v1/engagements/{engagement['id']}/contact", reader), 404, "not-found"
        )


async def test_accounts_are_shown_to_nobody(window):
    who = window.sme()
    demand, _, engagement_id, _ = await won(window, who)
    for path in (
        f"/v1/demands/{demand['id']}/invitations", f"/v1/demands/{demand['id']}/quotations",
        f"/v1/engagements/{engagement_id}",
    ):  # fmt: skip
        assert "_subject" not in (await window.get(path, who)).text
