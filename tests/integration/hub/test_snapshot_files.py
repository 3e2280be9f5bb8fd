"""The same catalogue in every form of file, dirt in tables, and workbooks for people."""

import csv
import io
import json
import zipfile
from uuid import UUID, uuid4

import pytest
from common.contracts.offerings import OfferingAnnounced
from common.contracts.providers import ProviderAnnounced
from hsds import Given, write_catalogue
from hub.snapshots.columns import COLUMNS, SHEETS
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from tests.integration.hub.handing_in import copies, offering, policy, provider

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LAB, TEST, LOAN = (UUID(int=n, version=4) for n in (1, 2, 3))
STATES = [
    provider(LAB, 3, profile="示例简介，\n第二行", categories=["financing"], recognitions=[
        {"name": "示范平台", "level": "region", "valid_until": None}]),
    offering(TEST, LAB, 7, service_area=["1502", "150103"], lead_days=3, size_classes=["small", "micro"],
             price={"from_cents": 60050, "to_cents": 90000, "unit": "sample"}, attributes={"面积": 1.5, "b": [1, None]},
             qualifications=["CMA"], capacity=4),
    offering(LOAN, LAB, 2, kind="finance_product", state="paused", title="=cmd|' /C calc'!A0",
             finance={"amount_from_cents": 100, "collateral": ["livestock"]}),
]  # fmt: skip


def cells(line):
    """A line as the cells of a table."""
    data = line["data"]
    price = data.get("price", {})
    values = data | {name: line[name] for name in ("noun", "id", "version")} | {"example": "是"}
    values["price_from_yuan"] = f"{price['from_cents'] / 100:.2f}" if "from_cents" in price else ""
    values["price_to_yuan"] = f"{price['to_cents'] / 100:.2f}" if "to_cents" in price else ""
    values["price_unit"] = price.get("unit", "")
    for name in ("service_area", "size_classes", "categories"):
        values[name] = "；".join(data.get(name, ()))
    values["qualifications"] = ";".join(data.get("qualifications", ()))
    for name in ("recognitions", "finance", "attributes"):
        values[name] = json.dumps(data[name], ensure_ascii=False) if name in data else ""
    return [str(values.get(column.code, "")) for column in COLUMNS]


def in_csv(lines, encoding="utf-8-sig"):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[column.title for column in COLUMNS], *map(cells, lines)])
    return out.getvalue().encode(encoding)


def in_xlsx(lines):
    out = io.BytesIO()
    with Workbook(out, {"strings_to_formulas": False}) as book:
        for noun, name in SHEETS.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(
                [[c.title for c in COLUMNS], *(cells(x) for x in lines if x["noun"] == noun)]
            ):
                for place, cell in enumerate(row):
                    sheet.write_string(number, place, cell)
    return out.getvalue()


def in_hsds(lines):
    kinds = {"provider": ProviderAnnounced, "offering": OfferingAnnounced}
    given = []
    for number, x in enumerate(lines, 1):
        data = kinds[x["noun"]](**x["data"], id=x["id"], version=x["version"]).model_dump(mode="json")
        given.append(Given(x["noun"], UUID(x["id"]), 1, x["version"], False, data, "baotou", number, x["id"]))
    return b"".join(write_catalogue(given))


def in_ndjson(lines):
    return "\n".join(map(json.dumps, lines)).encode()


async def test_the_same_content_by_any_way_is_held_alike(world, hand_in, push):
    kinds = {"provider": ProviderAnnounced, "offering": OfferingAnnounced}
    facts = [kinds[x["noun"]](**x["data"], id=x["id"], version=x["version"]) for x in STATES]

    async def emptied():
        held = await copies(world)
        for noun in ("offerings", "providers"):
            await world.rows(f"DELETE FROM catalogue_{noun}")
        return held

    await world.say("baotou", *facts)
    wanted = await emptied()
    assert len(wanted) == 3
    await push(*STATES)
    assert await emptied() == wanted
    for media, body in {
        "application/x-ndjson": in_ndjson(STATES), "text/csv": in_csv(STATES), XLSX: in_xlsx(STATES),
        "text/csv; charset=gb18030": in_csv(STATES, "gb18030"), "text/csv;x": in_csv(STATES, "utf-8"),
        "application/json": in_hsds(STATES),
    }.items():  # fmt: skip
        done = await hand_in(body, media=media)
        assert (done["state"], done["counts"]) == ("applied", {"created": 3}), (media, done)
        assert await emptied() == wanted, media


async def test_a_table_filled_in_from_the_template_needs_no_uuid_and_no_version(world, hand_in):
    template = (await world.http.get("/v1/catalogue/templates/csv")).content
    rows = list(csv.reader(io.StringIO(template.decode("utf-8-sig"))))
    assert rows[2][0].startswith("示例")
    codes = [column.code for column in COLUMNS]
    assert [cell.rpartition(" ")[2] for cell in rows[0]] == codes
    filled = [
        ["" if code == "note" else cell for code, cell in zip(codes, row, strict=True)] for row in rows[2:]
    ]

    def table(*more):
        out = io.StringIO(newline="")
        csv.writer(out).writerows([*rows, *more])
        return out.getvalue().encode("gb18030")

    assert (await hand_in(table(), media="text/csv"))["rows_read"] == 0
    done = await hand_in(table(*filled), media="text/csv")
    assert (done["state"], done["counts"]) == ("applied", {"created": 2}), done
    assert (await hand_in(table(*filled), media="text/csv"))["counts"] == {"unchanged": 2}
    (item,) = (await world.http.get("/v1/catalogue")).json()["items"]
    assert (item["price"]["from_cents"], item["provider_name"], item["version"]) == (
        60000,
        "示例·包头稀土检测中心",
        1,
    )
    filled[1][codes.index("title")] = "新标题"
    assert (await hand_in(table(*filled), media="text/csv"))["counts"] == {"unchanged": 1, "updated": 1}
    book = CalamineWorkbook.from_filelike(
        io.BytesIO((await world.http.get("/v1/catalogue/templates/xlsx")).content)
    )
    assert book.sheet_names == list(SHEETS.values())


async def test_dirt_in_a_table_is_named_by_row_and_column(world, hand_in):
    good = [cells(line) for line in STATES]
    codes = [column.code for column in COLUMNS]

    def spoilt(**values):
        row = cells(offering(uuid4(), LAB))
        for code, value in values.items():
            row[codes.index(code)] = value
        return row

    bad = {
        "lead_days": "三天", "price_from_yuan": "1.234", "price_to_yuan": "NaN", "deleted": "也许", "attributes": "{", "id": "",
        "kind": "魔法", "division": "15", "noun": "车", "title": "a\0b", "summary": "x" * 140_000, "capacity": "1e400",
        "version": "0", "size_classes": "巨型",
    }  # fmt: skip
    rows = [*good, *(spoilt(**{code: value}) for code, value in bad.items())]
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[column.title for column in COLUMNS], *rows])
    out.write('"never closed')
    done = await hand_in(out.getvalue(), media="text/csv")
    assert (done["state"], done["counts"]["created"]) == ("partial", 3), done
    answer = await world.http.get(
        done["outcomes"], params={"outcome": "rejected"}, headers=hand_in.who["baotou"]
    )
    found = answer.json()["items"]
    assert all(item["rule"] and item["message"] for item in found)
    named = {item["field"] for item in found}
    assert named >= set(bad) - {"summary", "noun"}, set(bad) - named
    assert len(found) >= len(bad)


async def test_outcomes_are_told_beside_the_rows_as_they_came(world, hand_in):
    """And no cell of it is run by a spreadsheet."""
    spoilt = cells(offering(uuid4(), LAB))
    spoilt[[c.code for c in COLUMNS].index("division")] = "+1+1"
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[column.title for column in COLUMNS], *map(cells, STATES), spoilt])
    done = await hand_in(out.getvalue(), media="text/csv")
    path = f"/v1/nodes/baotou/snapshots/{done['number']}/outcomes.xlsx"
    answer = await world.http.get(path, headers=hand_in.who["baotou"])
    assert answer.headers["content-type"] == XLSX
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    header, *rows = book.get_sheet_by_index(0).to_python()
    assert header[: len(COLUMNS)] == [column.title for column in COLUMNS]
    told = [row[len(COLUMNS)] for row in rows]
    assert [text.split()[-1] for text in told] == ["created"] * 3 + ["rejected"]
    assert rows[3][len(COLUMNS) + 1] == "division"
    assert rows[3][len(COLUMNS) + 3]
    texts = [cell for row in rows for cell in row if isinstance(cell, str)]
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist())
    # What was guarded is read back as it was.
    again = await hand_in(answer.content, media=XLSX)
    assert again["counts"]["unchanged"] == 3, again


async def test_files_that_are_not_what_they_say_end_with_a_reason(world, hand_in):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (600 * 1024 * 1024))
    far = io.BytesIO()
    with Workbook(far) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "x")
    for media, body, reason in (
        (XLSX, b"PK\x03\x04nonsense", "no-workbook"), (XLSX, in_csv(STATES), "no-workbook"),
        (XLSX, bomb.getvalue(), "workbook-too-large"), (XLSX, far.getvalue(), "workbook-too-large"),
        ("text/csv", b"a,b,c\n1,2,3\n", "no-header"), ("text/csv", b"\xff" * 50, "unknown-encoding"),
        ("application/json", in_hsds(STATES)[:-20], None), ("application/json", b"[1, 2", None),
    ):  # fmt: skip
        done = await hand_in(body, media=media)
        assert done["state"] == "rejected", (media, body[:20], done)
        assert reason in (None, done["reason"]), done
        assert done["message"]
    assert await copies(world) == []


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
async def test_a_document_that_is_cut_off_removes_nothing(world, hand_in, cut):
    await policy(world, "absence")
    await hand_in(in_hsds(STATES), media="application/json")
    before = await copies(world)
    body = in_hsds(STATES)
    done = await hand_in(body[: int(len(body) * cut)], media="application/json")
    assert done["state"] == "rejected"
    assert await copies(world) == before
