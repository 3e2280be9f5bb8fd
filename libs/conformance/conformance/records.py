"""What must hold of every record that a platform publishes, wherever it is read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reference import categories, credit_code, divisions

from conformance.reports import Sheet

# Mobile numbers and mail addresses as people write them; the line of an office is nobody's own.
PRIVATE = re.compile(r"(?<![\w-])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\w-])|[\w.+-]+@[\w-]+\.[A-Za-z]{2,}")
CONTACT_KEYS = re.compile(r"phone|mobile|e-?mail|wechat|电话|手机|邮箱|微信", re.IGNORECASE)
EXAMPLE = re.compile(r"示例|\bexample\b", re.IGNORECASE)


@dataclass(frozen=True)
class Published:
    """A living record as the others see it."""

    noun: str
    id: str
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.data.get("name") or self.data.get("title") or "")


def judge(sheet: Sheet, records: Iterable[Published]) -> None:
    """Note the rules of content. Evidence names records by id; a contact is never repeated."""
    providers: set[str] = set()
    offerings: list[Published] = []
    wrong: dict[str, list[Any]] = {
        rule: []
        for rule in ("data-credit-code", "data-category", "data-division", "data-private", "data-example")
    }
    looked_at = 0
    for record in records:
        looked_at += 1
        if record.noun == "provider":
            providers.add(record.id)
            if not record.data.get("example") and not _code_is_right(str(record.data.get("credit_code"))):
                wrong["data-credit-code"].append({"id": record.id, "field": "credit_code"})
        else:
            offerings.append(record)
        for rule, fields in (
            ("data-category", _categories(record)),
            ("data-division", _divisions(record)),
            ("data-private", _private(record.data)),
        ):
            wrong[rule] += [{"id": record.id, "field": field} for field in fields]
        if EXAMPLE.search(record.name) and not record.data.get("example"):
            wrong["data-example"].append({"id": record.id, "field": "example"})
    for rule, those in wrong.items():
        sheet.listed(rule, those, looked_at)
    orphans = [
        {"id": one.id, "provider_id": one.data.get("provider_id")}
        for one in offerings
        if one.data.get("provider_id") not in providers
    ]
    sheet.listed("data-orphan", orphans, len(offerings))


def _code_is_right(code: str) -> bool:
    try:
        credit_code.check(code)
    except ValueError:
        return False
    return True


def _categories(record: Published) -> list[str]:
    said = record.data.get("categories") or [record.data.get("category")]
    known = {one.id for one in categories.all()}
    return ["category"] if any(one is not None and one not in known for one in said) else []


def _divisions(record: Published) -> list[str]:
    wrong: list[str] = []
    codes = {"division": [record.data.get("division")], "service_area": record.data.get("service_area") or []}
    for field, those in codes.items():
        for code in those:
            # Places outside the region are not in our list; their form was checked with the contract.
            if str(code).startswith("15") and not _exists(str(code)):
                wrong.append(field)
                break
    return wrong


def _exists(code: str) -> bool:
    try:
        divisions.get(code.ljust(6, "0"))
    except divisions.UnknownDivision:
        return False
    return True


def _private(value: Any, field: str = "") -> list[str]:
    """The fields that hold a contact, or are named after one."""
    if isinstance(value, Mapping):
        found: list[str] = []
        for name, item in value.items():
            path = f"{field}.{name}" if field else str(name)
            if item and CONTACT_KEYS.search(str(name)):
                found.append(path)
            else:
                found += _private(item, path)
        return found
    if isinstance(value, list | tuple):
        return [path for number, item in enumerate(value) for path in _private(item, f"{field}.{number}")]
    return [field] if isinstance(value, str) and PRIVATE.search(value) else []
