"""Terms of offerings that are compared: said by the agency, checked, changed, taken away, imported."""

import json

import pytest

FINANCE = {
    "amount_from_cents": 10_000_000, "amount_to_cents": 500_000_000, "term_from_months": 6, "term_to_months": 36,
    "collateral": ["livestock"], "guarantees": ["guarantee_company"],
}  # fmt: skip
ACHIEVEMENT = {
    "owner": "示例·研究所", "maturity": 6, "keywords": ["羊绒"], "field": "纺织材料", "cooperation": ["licence"],
    "intellectual_property": [{"kind": "invention", "number": "ZL 2024 1 0000001.1", "status": "granted"}],
}  # fmt: skip
CMA = {"name": "CMA", "number": "1", "valid_until": "2030-01-01"}


@pytest.fixture
async def qualified(agency, staff, make):
    made = await agency.post("/v1/providers", json=make.registration(qualifications=[CMA]))
    assert made.status_code == 201, made.text
    url = f"/v1/providers/{made.json()['id']}/verification"
    return (await staff.post(url, json={"decision": "approve"})).json()


async def test_terms_are_kept_shown_and_told(platform, agency, qualified, make):
    terms = {"size_classes": ["small", "micro", "small"], "qualifications": ["CMA", "CMA"], "capacity": 0}
    made = await agency.post("/v1/offerings", json=make.offering(qualified["id"], **terms))
    assert made.status_code == 201, made.text
    expected = {"size_classes": ["small", "micro"], "qualifications": ["CMA"], "capacity": 0}
    read = (await agency.get(f"/v1/offerings/{made.json()['id']}")).json()
    (said,) = await platform.said("offering.submitted.v1")
    for answer in (made.json(), read, said["data"]):
        assert {name: answer[name] for name in expected} == expected
        assert (answer["finance"], answer["achievement"]) == (None, None)


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [("finance_product", "finance", FINANCE), ("technology_achievement", "achievement", ACHIEVEMENT)],
)
async def test_a_kind_has_terms_of_its_own(platform, agency, qualified, make, kind, name, body):
    made = await agency.post("/v1/offerings", json=make.offering(qualified["id"], kind=kind, **{name: body}))
    assert made.status_code == 201, made.text
    assert made.json()[name] == body
    assert (await platform.said("offering.submitted.v1"))[0]["data"][name] == body


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"qualifications": ["CMA", "CNAS"]}, "qualification-not-held", "qualifications.1"),
        ({"finance": FINANCE}, "finance-kind", "finance"),
        ({"achievement": ACHIEVEMENT}, "achievement-kind", "achievement"),
        ({"kind": "technology_achievement"}, "achievement-needed", "achievement"),
        (
            {"kind": "finance_product", "finance": FINANCE | {"amount_to_cents": 9_999_999}},
            "finance-range",
            "finance.amount_to_cents",
        ),
        (
            {"kind": "finance_product", "finance": FINANCE | {"term_to_months": 5}},
            "finance-range",
            "finance.term_to_months",
        ),
        ({"kind": "finance_product", "finance": FINANCE | {"rate": 4}}, "invalid-input", None),
        ({"kind": "finance_product", "finance": {"collateral": ["soul"]}}, "invalid-input", None),
        (
            {"kind": "technology_achievement", "achievement": ACHIEVEMENT | {"maturity": 10}},
            "invalid-input",
            None,
        ),
        ({"size_classes": ["giant"]}, "invalid-input", None),
        ({"capacity": -1}, "invalid-input", None),
        ({"capacity": 1_000_001}, "invalid-input", None),
        ({"qualifications": ["CMA\u202e"]}, "invalid-input", None),
    ],
)
async def test_wrong_terms_are_refused_by_name(agency, qualified, make, changes, code, field):
    answer = await agency.post("/v1/offerings", json=make.offering(qualified["id"], **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert field is None or answer.json()["field"] == field


async def test_a_refusal_says_which_qualifications_there_are(agency, qualified, make):
    answer = await agency.post("/v1/offerings", json=make.offering(qualified["id"], qualifications=["X"]))
    assert answer.json()["qualifications"] == ["CMA"]


async def test_terms_are_changed_and_an_explicit_null_removes_them(agency, qualified, make):
    body = make.offering(
        qualified["id"], kind="finance_product", finance=FINANCE, size_classes=["micro"], capacity=5,
        qualifications=["CMA"],
    )  # fmt: skip
    made = await agency.post("/v1/offerings", json=body)
    url = f"/v1/offerings/{made.json()['id']}"
    change = {"finance": {"amount_to_cents": 5}, "capacity": 6}
    done = await agency.patch(url, json=change, headers={"If-Match": made.headers["ETag"]})
    assert done.status_code == 200, done.text
    assert (done.json()["finance"]["amount_to_cents"], done.json()["finance"]["collateral"]) == (5, [])
    assert (done.json()["capacity"], done.json()["size_classes"]) == (6, ["micro"])  # not given: it stays
    nothing = dict.fromkeys(("finance", "capacity", "size_classes", "qualifications", "achievement"))
    done = await agency.patch(url, json=nothing, headers={"If-Match": done.headers["ETag"]})
    assert {name: done.json()[name] for name in nothing} == {
        "finance": None, "capacity": None, "size_classes": [], "qualifications": [], "achievement": None,
    }  # fmt: skip
    for wrong, code in (
        ({"finance": FINANCE | {"term_to_months": 1}}, "finance-range"),
        ({"achievement": ACHIEVEMENT}, "achievement-kind"),
        ({"qualifications": ["CNAS"]}, "qualification-not-held"),
    ):
        answer = await agency.patch(url, json=wrong, headers={"If-Match": done.headers["ETag"]})
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_an_achievement_is_changed_but_not_taken_away(agency, qualified, make):
    body = make.offering(qualified["id"], kind="technology_achievement", achievement=ACHIEVEMENT)
    made = await agency.post("/v1/offerings", json=body)
    url, tag = f"/v1/offerings/{made.json()['id']}", {"If-Match": made.headers["ETag"]}
    answer = await agency.patch(url, json={"achievement": None}, headers=tag)
    assert (answer.status_code, answer.json()["code"]) == (422, "achievement-needed")
    done = await agency.patch(url, json={"achievement": ACHIEVEMENT | {"maturity": 7}}, headers=tag)
    assert done.json()["achievement"]["maturity"] == 7


async def test_a_qualification_the_provider_gave_up_does_not_hold_other_edits(agency, qualified, make):
    made = await agency.post("/v1/offerings", json=make.offering(qualified["id"], qualifications=["CMA"]))
    at = f"/v1/providers/{qualified['id']}"
    tag = (await agency.get(at)).headers["ETag"]
    gone = await agency.patch(at, json={"qualifications": []}, headers={"If-Match": tag})
    assert gone.status_code == 200
    url = f"/v1/offerings/{made.json()['id']}"
    done = await agency.patch(url, json={"title": "新标题"}, headers={"If-Match": made.headers["ETag"]})
    assert (done.status_code, done.json()["qualifications"]) == (200, ["CMA"])
    again = {"qualifications": ["CMA"]}
    refused = await agency.patch(url, json=again, headers={"If-Match": done.headers["ETag"]})
    assert refused.json()["code"] == "qualification-not-held"


async def test_another_agency_changes_nothing(other, agency, qualified, make):
    made = await agency.post("/v1/offerings", json=make.offering(qualified["id"]))
    url = f"/v1/offerings/{made.json()['id']}"
    answer = await other.patch(url, json={"capacity": 0}, headers={"If-Match": made.headers["ETag"]})
    assert answer.status_code == 404
    assert (await other.post("/v1/offerings", json=make.offering(qualified["id"]))).status_code == 404


def line(code, ref="A", provider=None, **offering):
    return {
        "provider": {"name": "示例·站", "credit_code": code, "division": "150203"} | (provider or {}),
        "offering": {"external_ref": ref, "title": "贷款", "category": "financing.loan_matching"} | offering,
    }


async def load(staff, *lines):
    body = "\n".join(json.dumps(one, ensure_ascii=False) for one in lines)
    answer = await staff.post("/v1/offerings/import", content=body.encode())
    assert answer.status_code == 200, answer.text
    return [(one["outcome"], one["field"], one["rule"]) for one in answer.json()["lines"]]


async def test_an_import_carries_terms_and_changes_nothing_twice(platform, staff, make):
    code = make.code()
    provider = {"qualifications": [CMA]}
    rows = (
        line(code, "A", provider, kind="finance_product", finance=FINANCE, qualifications=["CMA"], capacity=3),
        line(code, "B", provider, kind="technology_achievement", achievement=ACHIEVEMENT, size_classes=["micro"]),
        line(code, "C", provider, kind="technology_achievement"),  # older than the form: taken over as it is
    )  # fmt: skip
    assert [outcome for outcome, *_ in await load(staff, *rows)] == ["created"] * 3
    assert [outcome for outcome, *_ in await load(staff, *rows)] == ["unchanged"] * 3
    said = {e["data"]["finance"] is not None: e["data"] for e in await platform.said("offering.published.v1")}
    assert said[True]["finance"] == FINANCE
    items = (await staff.get("/v1/offerings")).json()["items"]
    older = next(item for item in items if item["external_ref"] == "C")
    assert older["achievement"] is None
    tag = {"If-Match": f'"{older["epoch"]}.{older["version"]}"'}
    renamed = await staff.patch(f"/v1/offerings/{older['id']}", json={"title": "新"}, headers=tag)
    assert renamed.status_code == 200, renamed.text


async def test_an_import_answers_for_wrong_terms_line_by_line(staff, make):
    code = make.code()
    assert await load(
        staff,
        line(code, "A", qualifications=["CMA"]),
        line(code, "B", finance=FINANCE),
        line(code, "C", kind="finance_product", finance=FINANCE | {"rate": 1}),
        line(code, "D", capacity=1),
    ) == [
        ("rejected", "offering.qualifications.0", "qualification-not-held"),
        ("rejected", "offering.finance", "finance-kind"),
        ("rejected", "offering.finance.rate", "extra-forbidden"),
        ("created", None, None),
    ]
