"""The table form of a catalogue: which column is which field, and how a cell is read and written."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from common import ids
from common.contracts.envelope import Contract
from common.errors import Refusal

from hub.changes.lines import Noun

Cell = str | int | float | bool | None
SHEETS: dict[Noun, str] = {"provider": "服务机构 providers", "offering": "服务产品 offerings"}
NOUNS: dict[str, Noun] = {
    "provider": "provider", "服务机构": "provider", "机构": "provider", "providers": "provider",
    "offering": "offering", "服务产品": "offering", "服务": "offering", "产品": "offering", "offerings": "offering",
}  # fmt: skip
# A row whose note begins so is for people: explanations and examples of the template.
SKIPPED = ("说明", "示例", "#")
_WORDS = re.compile(r"[;；、\n]+")
_YES = {"true": True, "1": True, "是": True, "yes": True, "y": True, "false": False, "0": False, "否": False, "no": False, "n": False}  # fmt: skip
MAX_CENTS_DIGITS = 20


class Unreadable(Refusal):
    """A cell that cannot be read as its column says."""


@dataclass(frozen=True)
class Column:
    """A column: its code, its Chinese name, what to write into it, and an example for each noun."""

    code: str
    zh: str
    says: str
    read: Callable[["Column", str], Any]
    nouns: tuple[Noun, ...] = ("offering",)
    example: str = ""
    provider_example: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        return f"{self.zh} {self.code}"


def _text(_: Column, cell: str) -> str:
    return cell


def _whole(column: Column, cell: str) -> int:
    try:
        number = Decimal(cell)
        if number == number.to_integral_value() and abs(number) < 10**19:
            return int(number)
    except (InvalidOperation, ValueError):
        pass
    raise Unreadable("int-parsing", zh="须为整数", en="must be a whole number", field=column.code)


def _yuan(column: Column, cell: str) -> int:
    """Money in yuan as cents."""
    try:
        cents = Decimal(cell.replace(",", "").replace("，", "")) * 100
        if cents == cents.to_integral_value() and len(str(abs(int(cents)))) < MAX_CENTS_DIGITS:
            return int(cents)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise Unreadable(
        "yuan-parsing", zh="须为金额（元），最多两位小数，如 600 或 600.50",
        en="must be an amount in yuan with at most two decimals, such as 600 or 600.50", field=column.code,
    )  # fmt: skip


def _truth(column: Column, cell: str) -> bool:
    if (found := _YES.get(cell.lower())) is None:
        raise Unreadable("bool-parsing", zh="须为“是”或“否”", en="must be yes or no", field=column.code)
    return found


def _list(column: Column, cell: str) -> list[str]:
    return [
        _choice(column, part) if column.choices else part
        for part in map(str.strip, _WORDS.split(cell))
        if part
    ]


def _choice(column: Column, cell: str) -> str:
    """One of the choices, by its code or its Chinese name; another is left for the rules of the field."""
    return next((code for code, zh in column.choices if cell in (code, zh)), cell)


def _json(column: Column, cell: str) -> Any:
    try:
        return json.loads(cell, parse_constant=lambda _: _not_json(column))
    except (ValueError, RecursionError):
        raise _not_json(column) from None


def _not_json(column: Column) -> Unreadable:
    return Unreadable("json-invalid", zh="须为 JSON", en="must be JSON", field=column.code)


BOTH: tuple[Noun, ...] = ("provider", "offering")
PROVIDER: tuple[Noun, ...] = ("provider",)
KINDS = (
    ("service", "服务"), ("instrument", "仪器"), ("technology_achievement", "科技成果"), ("finance_product", "金融产品"),
    ("training", "培训"), ("space", "场地"),
)  # fmt: skip
UNITS = (
    ("case", "次"), ("hour", "小时"), ("day", "天"), ("sample", "样品"), ("month", "月"), ("year", "年"),
    ("person", "人"), ("percent", "百分比"), ("square_metre", "平方米"),
)  # fmt: skip
SIZES = (
    ("large", "大型"), ("medium", "中型"), ("small", "小型"), ("micro", "微型"), ("not_applicable", "不适用"),
    ("incomplete", "不完整"),
)  # fmt: skip
STATES = (
    ("draft", "草稿"), ("in_review", "审核中"), ("returned", "已退回"), ("published", "已发布"), ("paused", "已暂停"),
    ("full", "已约满"), ("retired", "已下架"), ("submitted", "已提交"), ("verifying", "核验中"), ("active", "正常"),
    ("rejected", "未通过"), ("suspended", "已停用"),
)  # fmt: skip
HEAD = (
    Column(
        "note", "备注", "以“说明”“示例”或 # 开头的行不导入 Rows that begin so are not imported", _text, BOTH
    ),
    Column("noun", "记录", "服务机构或服务产品 provider or offering", _text, BOTH, "服务产品", "服务机构"),
    Column("id", "编号", "UUID，或本平台自有编号 A UUID, or your own number", _text, BOTH, "P-001", "A-001"),
    Column("epoch", "纪元", "一般留空 Usually empty", _whole, BOTH),
    Column(
        "version",
        "版本",
        "可空；给出时每次修改须递增 May be empty; else higher with every edit",
        _whole,
        BOTH,
    ),
    Column("deleted", "已删除", "是或否，默认否 yes or no", _truth, BOTH),
)
DATA = (
    Column("name", "机构名称", "必填 Needed", _text, PROVIDER, "", "示例·包头稀土检测中心"),
    Column("credit_code", "统一社会信用代码", "必填 Needed", _text, PROVIDER, "", "91150203MA0N1A2B3G"),
    Column("categories", "服务分类", "分类编号，以分号分隔 Ids of categories, with semicolons", _list, PROVIDER, "", "testing.sampling"),
    Column("recognitions", "认定", "JSON", _json, PROVIDER),
    Column("profile", "机构简介", "可空 May be empty", _text, PROVIDER, "", "示例机构简介"),
    Column("provider_id", "机构编号", "UUID 或自有编号 A UUID or your own number", _text, ("offering",), "A-001"),
    Column("provider_name", "所属机构", "可空，取同文件机构名称 May be empty: the name in this file", _text, ("offering",), ""),
    Column("kind", "种类", "默认服务 " + "、".join(zh for _, zh in KINDS), _choice, ("offering",), "服务", choices=KINDS),
    Column("title", "标题", "必填 Needed", _text, ("offering",), "稀土材料成分检测"),
    Column("summary", "简介", "可空 May be empty", _text, ("offering",), "三日出具报告"),
    Column("category", "服务分类编号", "必填 Needed: id of a category", _text, ("offering",), "testing.sampling"),
    Column("division", "行政区划", "必填 六位 GB/T 2260 代码 Six digits", _text, BOTH, "150203", "150203"),
    Column("service_area", "服务区域", "GB/T 2260 前缀，分号分隔；空为全区 Prefixes; empty: all", _list, ("offering",), "1502;1503"),
    Column("price_from_yuan", "价格下限（元）", "可空 May be empty", _yuan, ("offering",), "600"),
    Column("price_to_yuan", "价格上限（元）", "可空 May be empty", _yuan, ("offering",), "900"),
    Column("price_unit", "计价单位", "默认次 " + "、".join(zh for _, zh in UNITS), _choice, ("offering",), "样品", choices=UNITS),
    Column("lead_days", "交付天数", "可空 May be empty", _whole, ("offering",), "3"),
    Column("size_classes", "服务对象规模", "可空，分号分隔 May be empty", _list, ("offering",), "小型;微型", choices=SIZES),
    Column("capacity", "同时承接数", "可空 May be empty", _whole, ("offering",)),
    Column("qualifications", "资质", "产品：名称，分号分隔；机构：JSON Names; of a provider JSON", _text, BOTH),
    Column("finance", "金融条件", "JSON", _json, ("offering",)),
    Column("achievement", "科技成果", "JSON", _json, ("offering",)),
    Column("attributes", "其他属性", "JSON", _json, ("offering",)),
    Column("example", "示例数据", "是或否，默认否 yes or no", _truth, BOTH, "是", "是"),
    Column("state", "状态", "默认已发布（机构：正常） published, of a provider active", _choice, BOTH, "", "", STATES),
    Column("state_reason", "状态说明", "可空 May be empty", _text, BOTH),
)  # fmt: skip
COLUMNS = (*HEAD, *DATA)
BY_NAME = {name: column for column in COLUMNS for name in (column.code, column.zh, column.title)}
_DATA = {column.code: column for column in DATA}
_PRICE = {"price_from_yuan": "from_cents", "price_to_yuan": "to_cents", "price_unit": "unit"}
_FIELDS = {f"price.{field}": code for code, field in _PRICE.items()}


class Header(Contract):
    """Which column of a table holds which field."""

    places: dict[str, int]
    noun: Noun | None

    @classmethod
    def of(cls, cells: Sequence[Cell], sheet: str = "") -> "Header":
        """Raises: Unreadable for a first row that names no columns."""
        places: dict[str, int] = {}
        for place, cell in enumerate(cells):
            name = " ".join(str(cell or "").split())
            column = BY_NAME.get(name) or BY_NAME.get(name.rpartition(" ")[2].lower())
            if column is not None:
                places.setdefault(column.code, place)
        if "id" not in places or not places.keys() & {"title", "name"}:
            raise Unreadable(
                "no-header",
                zh="首行须为列名（编号 id、标题 title 或机构名称 name 等）；模板见 /v1/catalogue/templates/xlsx",
                en="the first row must name the columns (id, title or name …); a template is at"
                " /v1/catalogue/templates/xlsx",
                field="header",
            )
        named = sheet.lower()
        noun: Noun | None = next((NOUNS[word] for word in NOUNS if word in named), None)
        if noun is None and "noun" not in places:
            noun = "offering" if "title" in places else "provider"
        return cls(places=places, noun=noun)


def cells(row: Sequence[Cell], header: Header) -> dict[str, str]:
    """The filled cells of a row by column."""
    found: dict[str, str] = {}
    width = len(row)
    for code, place in header.places.items():
        # Most cells are empty, and most rows are as wide as their header.
        if place < width and (cell := row[place]) not in (None, "") and (text := written(cell)):
            found[code] = text
    return found


def written(cell: Cell) -> str:
    """A cell as it would be typed. A guard against formulas, which our own files carry, comes off."""
    if cell is None:
        return ""
    if type(cell) is str:
        text = cell.strip()
        return text[1:] if text[:1] == "'" and text[1:2] in FORMULAS else text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


# What a spreadsheet takes for a formula when a text begins with it.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """A text that no spreadsheet runs."""
    return f"'{text}" if text[:1] in FORMULAS else text


def skipped(row: Mapping[str, str]) -> bool:
    return not row or row.get("note", "").startswith(SKIPPED) or row.keys() <= {"note"}


def noun_of(row: Mapping[str, str], header: Header) -> Noun:
    """Raises: Unreadable."""
    said = row.get("noun", "")
    noun = NOUNS.get(said.lower()) if said else header.noun
    if noun is None:
        raise Unreadable(
            "noun-needed",
            zh="“记录”列须为服务机构或服务产品",
            en="noun must be provider or offering",
            field="noun",
        )
    return noun


def of_provider(row: Sequence[Cell], header: Header) -> bool:
    """Whether a row tells of a provider, whose name later rows may use."""
    place = header.places.get("noun")
    said = written(row[place]) if place is not None and place < len(row) else ""
    return (NOUNS.get(said.lower()) if said else header.noun) == "provider"


def id_of(node: str, noun: Noun, said: str) -> UUID:
    """A UUID as it is; any other number of the platform's own as the one made of it."""
    try:
        return UUID(said)
    except ValueError:
        return ids.derived(noun, node, said)


def change(row: Mapping[str, str], noun: Noun, node: str, names: Mapping[UUID, str]) -> dict[str, Any]:
    """A row as a change. `names` are those of the providers before it.

    Raises: Unreadable for a cell that is not what its column says.
    """
    head: dict[str, Any] = {"noun": noun, "id": id_of(node, noun, row["id"])}
    for column in HEAD[3:]:
        if column.code in row:
            head[column.code] = column.read(column, row[column.code])
    data: dict[str, Any] = {}
    price: dict[str, Any] = {}
    for code, cell in row.items():
        column = _DATA.get(code)
        if column is None or noun not in column.nouns:
            continue
        value = _value(column, noun, cell)
        if code in _PRICE:
            price[_PRICE[code]] = value
        else:
            data[code] = value
    if not data and head.get("deleted"):
        return head
    if price:
        data["price"] = price
    if noun == "offering":
        data = {"kind": "service", "summary": "", "state": "published"} | data
        if "provider_id" in data:
            provider = id_of(node, "provider", data["provider_id"])
            data["provider_id"] = provider
            if "provider_name" not in data and provider in names:
                data["provider_name"] = names[provider]
    else:
        data = {"state": "active"} | data
    return head | {"data": data}


def _value(column: Column, noun: Noun, cell: str) -> Any:
    if column.code == "qualifications":
        return _json(column, cell) if noun == "provider" else _list(column, cell)
    return column.read(column, cell)


def field(name: str | None) -> str | None:
    """The column of a field that a rule named."""
    if name is None:
        return None
    name = name.removeprefix("data.")
    return next((code for start, code in _FIELDS.items() if name.startswith(start)), name.split(".")[0])
