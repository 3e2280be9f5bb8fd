"""The straight path of a demand as its window lives it, and what must never leave the window."""

from datetime import timedelta

from common.contracts.quotations import QuotationDeclined


async def test_from_submission_to_rating(window):
    who = window.sme()
    demand, (first, second, third) = await window.invited(who)
    await window.quote(first, price_cents=4_800_000)
    cheap = await window.quote(second, price_cents=4_200_000)
    await window.hear(window.quotation(QuotationDeclined, third, price_cents=None), third["platform"])
    compared = (await window.get(f"/v1/demands/{demand['id']}/quotations", who)).json()["items"]
    assert compared[0]["id"] == str(cheap.id)
    award = {"quotation_id": str(cheap.id), "reason": "价格最低", "milestones": [{"title": "取样"}]}
    won = window.made(await window.post(f"/v1/demands/{demand['id']}/award", who, award))
    engagement = (await window.get(f"/v1/engagements/{won['engagement_id']}", who)).json()
    for step, milestone in (("confirmed", None), ("milestone", 1), ("delivered", None)):
        assert await window.report(engagement, step, milestone=milestone) == "done"
    window.made(await window.post(f"/v1/engagements/{engagement['id']}/acceptance", who, {}))
    window.made(await window.post(f"/v1/engagements/{engagement['id']}/rating", who, {"grade": 5}))
    facts = [fact.removesuffix(".v1") for fact, _ in await window.told(demand["id"])]
    assert facts == [
        "demand.submitted", "demand.matched", "demand.opened", "invitation.issued", "invitation.issued",
        "invitation.issued", "invitation.answered", "invitation.answered", "invitation.answered",
        "demand.evaluated", "engagement.created", "invitation.lost", "invitation.awarded",
        "demand.awarded", "engagement.confirmed", "demand.progressed", "engagement.progressed",
        "engagement.delivered", "demand.progressed", "engagement.accepted", "demand.progressed", "rating.given",
        "engagement.closed", "demand.progressed", "demand.progressed",
    ]  # fmt: skip
    versions = await window.rows(
        "SELECT entity, array_agg((envelope::jsonb->>'entityversion')::int ORDER BY id) AS said FROM outbox"
        " WHERE feed = 'hub' AND envelope::jsonb->>'correlationid' = $1 GROUP BY entity",
        demand["id"],
    )
    assert all(row["said"] == sorted(set(row["said"])) for row in versions)
    complete = "array_agg(DISTINCT (envelope::jsonb->>'entityversion')::int ORDER BY (envelope::jsonb->>'entityversion')::int)"
    invitations = await window.rows(
        f"SELECT {complete} AS said, max((SELECT version FROM invitations i WHERE i.id = entity)) AS now FROM outbox"
        " WHERE feed = 'hub' AND type LIKE 'invitation.%' AND envelope::jsonb->>'correlationid' = $1 GROUP BY entity",
        demand["id"],
    )
    assert [row["said"] for row in invitations] == [list(range(1, row["now"] + 1)) for row in invitations]
    written = await window.rows("SELECT action FROM audit WHERE correlation = $1", demand["id"])
    assert {row["action"].removesuffix(".v1") for row in written} == set(facts)


async def test_a_person_never_travels(window):
    """The enterprise's contact is in its own row and in the owner's replayable answer, and nowhere else."""
    who = window.sme()
    enterprise = await window.enterprise(who)
    made = window.made(await window.post("/v1/demands", who, window.draft(enterprise["id"])))
    match = window.match(made)
    await window.hear(match, "matchmaking")
    body = {
        "offering_ids": [str(c.offering_id) for c in match.candidates],
        "respond_by": (window.watch.at + timedelta(days=7)).isoformat(),
    }
    items = window.made(await window.post(f"/v1/demands/{made['id']}/invitations", who, body))["items"]
    await window.hear(
        window.quotation(QuotationDeclined, items[0], price_cents=None), "wuhai"
    )  # a dead letter
    quotation = await window.quote(items[1], provider_subject="agency-1")
    award = {"quotation_id": str(quotation.id), "reason": "优"}
    won = window.made(await window.post(f"/v1/demands/{made['id']}/award", who, award))
    contact = f"/v1/engagements/{won['engagement_id']}/contact"
    window.made(await window.get(contact, window.token("agency-1", "agency")))
    for table in (
        "outbox",
        "audit",
        "dead_letters",
        "demands",
        "invitations",
        "bids",
        "engagements",
        "matches",
    ):
        for row in await window.rows(f"SELECT t::text AS line FROM {table} t"):
            line = row["line"]
            if table == "dead_letters":
                line += "".join(
                    bytes(r["payload"]).decode()
                    for r in await window.rows("SELECT payload FROM dead_letters")
                )
            assert not [value for value in window.person.values() if value in line], table


async def test_every_example_in_the_document_is_accepted_by_its_own_schema(window):
    from window.awards.schemas import AwardIn
    from window.demands.schemas import DemandIn, DemandPatch
    from window.engagements.schemas import AcceptanceIn
    from window.enterprises.schemas import EnterpriseIn, EnterprisePatch
    from window.invitations.schemas import InvitationsIn
    from window.ratings.schemas import RatingIn, RatingPatch
    from window.withdrawals.schemas import WithdrawalIn

    kinds = (
        AwardIn, DemandIn, DemandPatch, AcceptanceIn, EnterpriseIn, EnterprisePatch, InvitationsIn, RatingIn,
        RatingPatch, WithdrawalIn,
    )  # fmt: skip
    for kind in kinds:
        for example in kind.model_config["json_schema_extra"]["examples"]:
            kind.model_validate_json(__import__("json").dumps(example))
    document = (await window.http.get("/openapi.json")).json()
    assert all(
        "summary" in call
        for path, calls in document["paths"].items()
        if path.startswith("/v1")
        for call in calls.values()
    )
