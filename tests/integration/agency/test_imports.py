import json
import time

import pytest
from reference import examples


def row(code, ref, **offering):
    return {
        "provider": {"name": "示例·站", "credit_code": code, "division": "150203", "example": True},
        "offering": {
            "external_ref": ref, "title": f"事项{ref}", "category": "legal", "service_area": ["1502"],
            "price": {"from_cents": 0, "to_cents": 0, "unit": "case"}, "example": True,
        }
        | offering,
    }  # fmt: skip


async def send(staff, rows):
    body = "\n".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows)
    return await staff.post("/v1/offerings/import", content=body.encode())


def outcomes(answer):
    return [line["outcome"] for line in answer.json()["lines"]]


async def test_loading_twice_changes_nothing_and_a_change_makes_a_version(platform, staff, make):
    code = make.code()
    rows = [row(code, "A"), row(code, "B")]
    first = await send(staff, rows)
    assert first.status_code == 200, first.text
    assert outcomes(first) == ["created", "created"]
    assert outcomes(await send(staff, rows)) == ["unchanged", "unchanged"]
    rows[1]["offering"]["title"] = "新题目"
    assert outcomes(await send(staff, rows)) == ["unchanged", "updated"]
    said = await platform.said()
    assert [e["type"] for e in said] == [
        "provider.registered.v1", "offering.published.v1", "offering.published.v1", "offering.changed.v1",
    ]  # fmt: skip
    assert said[0]["data"]["state"] == "active"
    assert said[0]["data"]["example"] is True
    assert said[3]["entityversion"] == 2
    assert len(await platform.rows("SELECT 1 FROM audit")) == 4


async def test_one_bad_row_never_holds_the_others(platform, staff, make):
    good, broken = make.code(), make.code()
    answer = await send(
        staff,
        [
            row(good, "A"),
            "{not json",
            row(good[:-1] + ("0" if good[-1] != "0" else "1"), "A"),
            row(broken, "B", category="no.such"),
            row(good, "C", price={"from_cents": -5}),
            row(good, "A"),
            '{"provider": {}, "offering": {}}',
            row(good, "D", service_area=["99"]),
            row(good, "E\u0000"),
            row(good, "Z"),
        ],
    )
    lines = answer.json()["lines"]
    assert [(line["outcome"], line["rule"], line["field"]) for line in lines] == [
        ("created", None, None),
        ("rejected", "json-invalid", None),
        ("rejected", "credit-code-check-digit", "provider.credit_code"),
        ("rejected", "unknown-category", "offering.category"),
        ("rejected", "greater-than-equal", "offering.price.from_cents"),
        ("rejected", "duplicate-in-file", "offering.external_ref"),
        ("rejected", "missing", "provider.name"),
        ("rejected", "unknown-division", "offering.service_area.0"),
        ("rejected", "text-control", "offering.external_ref"),
        ("created", None, None),
    ]
    assert all(line["message"] for line in lines if line["outcome"] == "rejected")
    assert (answer.json()["created"], answer.json()["rejected"]) == (2, 8)
    # A provider whose only line was bad is not made.
    assert len(await platform.rows("SELECT 1 FROM providers")) == 1


async def test_an_import_touches_neither_the_self_registered_nor_the_retired(
    platform, agency, staff, provider, make
):
    mine = await send(staff, [row(provider["credit_code"], "A")])
    assert mine.json()["lines"][0]["rule"] == "not-owner"
    code = make.code()
    assert outcomes(await send(staff, [row(code, "A")])) == ["created"]
    (found,) = (await staff.get("/v1/offerings")).json()["items"]
    await staff.post(f"/v1/offerings/{found['id']}/retirement")
    again = await send(staff, [row(code, "A"), row(code, "B")])
    assert [line["rule"] for line in again.json()["lines"]] == ["offering-state", None]
    await staff.post(f"/v1/providers/{found['provider_id']}/suspension", json={"reason": "x"})
    assert (await send(staff, [row(code, "C")])).json()["lines"][0]["rule"] == "provider-not-active"


async def test_the_documented_example_works(staff):
    from agency.imports.schemas import EXAMPLE

    answer = await staff.post("/v1/offerings/import", content=EXAMPLE.encode())
    assert outcomes(answer) == ["created"], answer.text


async def test_who_may_import_and_how_much(agency, staff, make):
    assert (await send(agency, [row(make.code(), "A")])).status_code == 403
    big = await send(staff, [row(make.code(), "A", summary="x" * 15000)] * 250)
    assert big.status_code == 200  # 3.8 MB
    over = await staff.post("/v1/offerings/import", content=b"x" * (4 * 1024 * 1024 + 1))
    assert over.status_code == 413
    assert "xxx" not in over.text
    elsewhere = await staff.post("/v1/providers", content=b"x" * 300_000)
    assert elsewhere.status_code == 413
    many = await send(staff, ["{}"] * 5001)
    assert many.json()["code"] == "too-many-lines"
    assert (await send(staff, [])).json()["code"] == "empty-import"


@pytest.mark.parametrize(
    "bad", [b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 20000, b"NaN", b'{"provider":1e999}']
)
async def test_lines_that_are_hardly_text_are_rejected(staff, bad):
    answer = await staff.post("/v1/offerings/import", content=bad)
    assert answer.status_code == 200, answer.text
    assert outcomes(answer) == ["rejected"]


async def test_a_thousand_real_items_load_in_about_a_second(platform, staff):
    rows = [dict(item) for item in examples.government_services()[:1000]]
    started = time.perf_counter()
    answer = await send(staff, rows)
    took = time.perf_counter() - started
    assert answer.json()["created"] == 1000, [line for line in answer.json()["lines"] if line["rule"]][:3]
    assert took < 5  # a second on an idle machine; tests share theirs
    assert len(await platform.rows("SELECT 1 FROM outbox WHERE type = 'offering.published.v1'")) == 1000
