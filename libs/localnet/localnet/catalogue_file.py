"""Files with offerings: one JSON object a line, or a table as a spreadsheet saves it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from common.node import Topology

from localnet.examples import Line
from localnet.loading import Rejected
from localnet.trouble import USAGE, Trouble

NOWHERE = "—"  # where a line belongs that names no platform
ENCODINGS = ("utf-8-sig", "gb18030")  # the second is what a Chinese spreadsheet saves
KINDS = {
    "服务": "service", "仪器": "instrument", "成果": "technology_achievement", "金融产品": "finance_product",
    "培训": "training", "场地": "space",
}  # fmt: skip
COLUMNS = {
    "平台": "node",
    "机构名称": "provider.name",
    "统一社会信用代码": "provider.credit_code",
    "机构所在地": "provider.division",
    "机构简介": "provider.profile",
    "编号": "offering.external_ref",
    "种类": "offering.kind",
    "服务名称": "offering.title",
    "服务简介": "offering.summary",
    "服务分类": "offering.category",
    "服务所在地": "offering.division",
    "服务区域": "offering.service_area",
    "价格下限（元）": "offering.price.from_yuan",
    "价格上限（元）": "offering.price.to_yuan",
    "计价单位": "offering.price.unit",
    "工期（天）": "offering.lead_days",
}
KNOWN = {
    "node", "provider.name", "provider.credit_code", "provider.division", "provider.profile", "provider.note",
    "provider.external_ref", "provider.categories", "provider.example", "offering.external_ref", "offering.kind",
    "offering.title", "offering.summary", "offering.category", "offering.division", "offering.service_area",
    "offering.price.from_cents", "offering.price.to_cents", "offering.price.from_yuan", "offering.price.to_yuan",
    "offering.price.unit", "offering.lead_days", "offering.example",
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """One line of the file: what it says, or why it says nothing."""

    number: int
    line: Line
    refused: Rejected | None = None


class NotRead(Exception):
    """A cell that is not what its column holds."""

    def __init__(self, zh: str, en: str):
        super().__init__(en)
        self.zh, self.en = zh, en


def read(path: Path) -> list[Read]:
    """Raises: Trouble when it is no file of offerings."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    text = None
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\0" in text:
        raise _unreadable(path, "neither UTF-8 nor GB18030 text")
    return list(_table(text, path) if path.suffix.lower() == ".csv" else _lines(text))


def dealt(
    rows: list[Read], topology: Topology, node: str | None
) -> tuple[dict[str, list[tuple[int, Line]]], list[Rejected]]:
    """Each line to its platform: as it says, as the caller says, or the window of its provider's place."""
    parcels: dict[str, list[tuple[int, Line]]] = {}
    refused: list[Rejected] = []
    takers = {one.id for one in topology.of_kind("window", "cluster")}
    for row in rows:
        if row.refused:
            refused.append(row.refused)
            continue
        line = dict(row.line)
        named = line.pop("node", None) or node
        provider = line.get("provider")
        place = provider.get("division") if isinstance(provider, dict) else None
        window = topology.window_for(place) if isinstance(place, str) and not named else None
        where = named or (window.id if window else None)
        if isinstance(where, str) and where in takers:
            parcels.setdefault(where, []).append((row.number, line))
        elif named:
            refused.append(
                _refuse(
                    row.number,
                    "node",
                    "unknown-platform",
                    "没有这个窗口或集聚区平台；编号见 hubnet status",
                    "no such window or cluster; their ids are in hubnet status",
                )
            )
        else:
            refused.append(
                _refuse(
                    row.number,
                    "provider.division",
                    "no-platform",
                    "由此地区代码找不到窗口；请更正，或用 node 列、--node 指定平台",
                    "no window serves this place; correct it, or name the platform in node or with --node",
                )
            )
    return parcels, refused


def _lines(text: str) -> Iterator[Read]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict):
            yield Read(number, said)
        else:
            yield Read(
                number, {},
                _refuse(number, "", "json", "不是一个 JSON 对象；每行一个 {provider, offering}", "not a JSON object; each line is one {provider, offering}"),
            )  # fmt: skip


def _table(text: str, path: Path) -> Iterator[Read]:
    """Rows are numbered as a spreadsheet does: the heads are row 1."""
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = [head.strip() for head in next(records, [])]
        names = [COLUMNS.get(head, head) for head in heads]
        unknown = [
            head
            for head, name in zip(heads, names, strict=True)
            if head and name not in KNOWN and not name.startswith("offering.attributes.")
        ]
        if unknown or not any(heads):
            raise _columns(path, unknown)
        for number, cells in enumerate(records, 2):
            if any(cell.strip() for cell in cells):
                yield _record(number, names, cells)
    except csv.Error as error:
        raise _unreadable(path, f"{error} (line {records.line_num})") from error


def _record(number: int, names: list[str], cells: list[str]) -> Read:
    line: Line = {}
    for name, cell in zip(names, cells, strict=False):
        if not name or not (cell := cell.strip()):
            continue
        try:
            path, value = _value(name, cell)
        except NotRead as error:
            return Read(number, {}, _refuse(number, name, "cell", error.zh, error.en))
        at = line
        *folders, last = path.split(".", 3) if path.startswith("offering.attributes.") else path.split(".")
        for folder in folders:
            at = at.setdefault(folder, {})
        at[last] = value
    return Read(number, line)


def _value(name: str, cell: str) -> tuple[str, Any]:
    if name.endswith("_yuan"):
        return name.removesuffix("yuan") + "cents", _cents(cell)
    if name.endswith(("_cents", ".lead_days")):
        return name, _whole(cell)
    if name.endswith((".service_area", ".categories")):
        return name, [part for part in re.split(r"[;；、,，\s]+", cell) if part]
    if name.endswith(".example"):
        return name, _yes(cell)
    return name, KINDS.get(cell, cell) if name == "offering.kind" else cell


def _whole(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", cell):
        raise NotRead("应为整数", "a whole number is wanted")
    return int(cell)


def _cents(cell: str) -> int:
    try:
        cents = Decimal(cell.replace(",", "").replace("，", "")) * 100
    except InvalidOperation:
        raise NotRead("应为金额（元）", "an amount in yuan is wanted") from None
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) >= 10**18:
        raise NotRead("金额最多到分", "an amount has at most two decimals")
    return int(cents)


def _yes(cell: str) -> bool:
    said = {"是": True, "true": True, "1": True, "否": False, "false": False, "0": False}.get(cell.lower())
    if said is None:
        raise NotRead("应为 是 或 否", "true or false is wanted")
    return said


def _refuse(number: int, field: str, rule: str, zh: str, en: str) -> Rejected:
    return Rejected(NOWHERE, number, field, rule, zh, en)


def _unreadable(path: Path, why: str) -> Trouble:
    return Trouble(
        (f"读不了 {path}：{why}", f"{path} cannot be read: {why}"),
        ("文件为 NDJSON 或 CSV，UTF-8 或 GB18030 编码", "a file is NDJSON or CSV, in UTF-8 or GB18030"),
        ("核对文件；Excel 请另存为 CSV", "check the file; save a spreadsheet as CSV"),
        USAGE,
    )


def _columns(path: Path, unknown: list[str]) -> Trouble:
    told = "、".join(unknown) or "—"
    return Trouble(
        (f"{path} 的列名不认识：{told}", f"unknown columns in {path}: {told}"),
        (f"中文列名：{'、'.join(COLUMNS)}", f"columns: {', '.join(sorted(KNOWN))}, offering.attributes.*"),
        ("更正第一行的列名", "correct the names in the first row"),
        USAGE,
    )
