"""Finance needs, technology needs and required qualifications: said, checked, told, changed, passed on."""

import json
from datetime import timedelta

import pytest

FINANCE = {
    "amount_cents": 200_000_000, "term_months": 12, "purpose": "收购原料奶", "collateral": ["inventory"],
    "guarantees": ["guarantee_company"],
}  # fmt: skip
TECHNOLOGY = {
    "main_problem": "靠人工抽检", "key_technology": "近红外光谱", "expected_goal": "误差不超过百分之三",
    "keywords": ["奶酪", "近红外光谱"], "from_year": 2030, "to_year": 2031, "cooperation": ["licence"],
    "intended_partner": None, "activity": "applied", "discipline": "食品科学", "field": "食品加工",
    "least_maturity": 5,
}  # fmt: skip
NEED = {"qualifications": ["CMA"], "finance": FINANCE, "technology": TECHNOLOGY}


async def test_a_need_is_kept_shown_and_told(window):
    who = window.sme()
    demand = await window.demand(who, **NEED)
    read = (await window.get(f"/v1/demands/{demand['id']}", who)).json()
    (row,) = await window.rows("SELECT envelope FROM outbox WHERE entity = $1", demand["id"])
    for said in (demand, read, json.loads(row["envelope"])["data"]):
        assert {name: said[name] for name in NEED} == NEED


async def test_a_plain_demand_has_none_of_it(window):
    who = window.sme()
    demand = await window.demand(who)
    read = (await window.get(f"/v1/demands/{demand['id']}", who)).json()
    for said in (demand, read):
        assert (said["qualifications"], said["finance"], said["technology"]) == ([], None, None)
    (row,) = await window.rows("SELECT finance IS NULL AS n FROM demands WHERE id = $1", demand["id"])
    assert row["n"]  # absent, not a JSON null


@pytest.mark.parametrize(
    "other, code, field",
    [
        ({"finance": {"amount_cents": 0}}, "finance-amount", "finance.amount_cents"),
        ({"technology": TECHNOLOGY | {"to_year": 2029}}, "years-upside-down", "technology.to_year"),
    ],
)
async def test_a_wrong_need_names_its_field(window, other, code, field):
    who = window.sme()
    enterprise = await window.enterprise(who)
    answer = await window.post("/v1/demands", who, window.draft(enterprise["id"], **other))
    window.refused(answer, 422, code, field)
    demand = await window.demand(who)
    change = await window.patch(f"/v1/demands/{demand['id']}", who, other, '"1.1"')
    window.refused(change, 422, code, field)


@pytest.mark.parametrize(
    "other, field, rule",
    [
        ({"finance": {}}, "finance.amount_cents", "missing"),
        ({"finance": FINANCE | {"rate": 1}}, "finance.rate", "extra_forbidden"),
        ({"finance": FINANCE | {"term_months": 0}}, "finance.term_months", "greater_than_equal"),
        ({"technology": TECHNOLOGY | {"keywords": []}}, "technology.keywords", "too_short"),
        (
            {"technology": TECHNOLOGY | {"main_problem": "难" * 501}},
            "technology.main_problem",
            "string_too_long",
        ),
        ({"technology": TECHNOLOGY | {"least_maturity": 10}}, "technology.least_maturity", "less_than_equal"),
        ({"qualifications": ["资质"] * 11}, "qualifications", "too_long"),
    ],
)
async def test_what_is_no_need_is_refused(window, other, field, rule):
    who = window.sme()
    enterprise = await window.enterprise(who)
    answer = await window.post("/v1/demands", who, window.draft(enterprise["id"], **other))
    assert answer.status_code == 422, answer.text
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [(field, rule)]


async def test_a_need_is_changed_and_an_explicit_null_removes_it(window):
    who = window.sme()
    demand = await window.demand(who, **NEED)
    path = f"/v1/demands/{demand['id']}"
    changed = window.made(await window.patch(path, who, {"finance": {"amount_cents": 5}}, '"1.1"'))
    assert changed["finance"]["amount_cents"] == 5
    assert (changed["finance"]["collateral"], changed["technology"]) == ([], TECHNOLOGY)
    removed = await window.patch(path, who, {"finance": None, "technology": None}, '"1.2"')
    body = window.made(removed)
    assert (body["finance"], body["technology"], body["qualifications"]) == (None, None, ["CMA"])
    kept = await window.patch(path, who, {"qualifications": None}, '"1.3"')
    assert kept.status_code == 422
    assert window.made(await window.patch(path, who, {"qualifications": []}, '"1.3"'))["qualifications"] == []


async def test_an_invited_provider_is_told_the_need(window):
    who = window.sme()
    demand = await window.demand(who, **NEED, confidential=True)
    match = window.match(demand, candidates=1)
    await window.hear(match, "matchmaking")
    body = {
        "offering_ids": [str(match.candidates[0].offering_id)],
        "respond_by": (window.watch.at + timedelta(days=7)).isoformat(),
    }
    window.made(await window.post(f"/v1/demands/{demand['id']}/invitations", who, body))
    query = "SELECT envelope FROM outbox WHERE type = 'invitation.issued.v1' AND envelope::text LIKE $1"
    for row in await window.rows(query, f"%{demand['id']}%"):
        said = json.loads(row["envelope"])["data"]["demand"]
        assert {name: said[name] for name in NEED} == NEED
        assert said["enterprise_name"] is None


async def test_the_examples_of_the_document_can_be_pasted(window):
    who = window.sme()
    enterprise = await window.enterprise(who)
    schemas = (await window.get("/openapi.json", who)).json()["components"]["schemas"]
    examples = schemas["DemandIn"]["examples"]
    assert [(bool(e.get("finance")), bool(e.get("technology"))) for e in examples] == [
        (False, False), (True, False), (False, True),
    ]  # fmt: skip
    for example in examples:
        window.made(await window.post("/v1/demands", who, example | {"enterprise_id": enterprise["id"]}))
    body = schemas["SimilarIn"]["examples"][0] | {"enterprise_id": enterprise["id"]}
    (found,) = window.made(await window.post("/v1/demands/similar", who, body))["items"]
    assert found["title"] == examples[0]["title"]
