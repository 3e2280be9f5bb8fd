"""Between a public state and its HSDS record.

What HSDS has a place for stands there and is read from there; the rest, found by reading the record back,
stands in the extension `hubnet`. So nothing is lost, and what somebody edits in an HSDS field is heard.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from common import ids
from reference import divisions

from hsds import terms
from hsds.findings import Public

Data = dict[str, Any]
Record = dict[str, Any]
_MISSING = object()

STATUS = {
    "published": "active", "paused": "temporarily closed", "full": "temporarily closed", "retired": "defunct",
}  # fmt: skip
_STATE = {"active": "published", "temporarily closed": "paused", "defunct": "retired", "inactive": "draft"}
UNITS = {
    "case": "每次 per case", "hour": "每小时 per hour", "day": "每天 per day", "sample": "每样 per sample",
    "month": "每月 per month", "year": "每年 per year", "person": "每人 per person", "percent": "百分比 per cent",
    "square_metre": "每平方米 per square metre",
}  # fmt: skip
IDENTIFIER_TYPE = "统一社会信用代码 Unified social credit code (GB 32100)"
PLACE_SCHEME = "GB/T 2260"
CURRENCY = "CNY"
MAX_CENTS = Decimal(10_000_000_000_000)


def organization(state: Public) -> Record:
    """A provider as an organization, whole."""
    data, id = state.data, str(state.data["id"])
    record: Record = {
        "id": id,
        "name": data.get("name", ""),
        "description": data.get("profile") or data.get("name", ""),
        "credit_code": data.get("credit_code"),
        "division": data.get("division"),
        "organization_identifiers": [
            {
                "id": str(ids.derived("hsds", "identifier", id)),
                "organization_id": id,
                "identifier_type": IDENTIFIER_TYPE,
                "identifier": data.get("credit_code", ""),
            }
        ],
        "locations": [place(data["division"])] if data.get("division") else [],
        "attributes": _marked("organization", id, (terms.CATEGORY, data.get("categories") or ())),
        **_record(state),
    }
    return _completed(record, data, provider_data)


def service(state: Public, names: Mapping[str, str] = {}) -> Record:
    """An offering as a service, whole. `names` of organizations that stand before it, by id."""
    data, id = state.data, str(state.data["id"])
    record: Record = {
        "id": id,
        "organization_id": str(data.get("provider_id")),
        "name": data.get("title", ""),
        "description": data.get("summary") or None,
        "status": STATUS.get(data.get("state", ""), "inactive"),
        "alert": data.get("state_reason"),
        "accreditations": "\n".join(data.get("qualifications") or ()) or None,
        "fees_description": _fees(data.get("price") or {}),
        "division": data.get("division"),
        "service_areas": [area(id, code) for code in dict.fromkeys(data.get("service_area") or ())],
        "cost_options": _costs(id, data.get("price") or {}),
        "service_at_locations": [_at(id, data["division"])] if data.get("division") else [],
        "attributes": _marked(
            "service",
            id,
            (terms.CATEGORY, [data.get("category")]),
            (terms.KIND, [data.get("kind")]),
            (terms.SIZE, data.get("size_classes") or ()),
        ),
        **_record(state),
    }
    return _completed(record, data, lambda made: offering_data(made, names))


def _record(state: Public) -> Record:
    return {
        "record_epoch": state.epoch,
        "record_version": state.version,
        "record_deleted": state.deleted,
        "platform": state.platform,
    }


def _completed(record: Record, data: Data, read: Callable[[Record], Data]) -> Record:
    """The record with what reading it back would not give."""
    record = {name: value for name, value in record.items() if value is not None}
    back = read(record)
    rest = {name: value for name, value in data.items() if not same(back.get(name, _MISSING), value)}
    absent = sorted(name for name in back if name not in data)
    if rest or absent:
        record["hubnet"] = ({"fields": rest} if rest else {}) | ({"absent": absent} if absent else {})
    return record


def same(a: Any, b: Any) -> bool:
    """Whether two values are one JSON text; 1, 1.0 and true are three."""
    if a is _MISSING or b is _MISSING:
        return a is b
    if type(a) is type(b) and isinstance(a, str | int | None):
        return a == b
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def provider_data(record: Record) -> Data:
    """The fields of a provider that its HSDS fields say."""
    return _said(
        record,
        {
            **_identity(record),
            "name": record.get("name", ""),
            "credit_code": record.get("credit_code"),
            "division": record.get("division"),
            "categories": _codes(record, terms.CATEGORY),
            "qualifications": [],
            "recognitions": [],
            "profile": record.get("description", ""),
            "example": False,
            "state": "retired" if record.get("record_deleted") else "active",
            "state_reason": None,
        },
    )


def offering_data(record: Record, names: Mapping[str, str] = {}) -> Data:
    """The fields of an offering that its HSDS fields say."""
    status = str(record.get("status") or "active")
    provider = str(record.get("organization_id"))
    return _said(
        record,
        {
            **_identity(record),
            "provider_id": provider,
            "provider_name": names.get(provider),
            "kind": next(iter(_codes(record, terms.KIND)), "service"),
            "title": record.get("name", ""),
            "summary": record.get("description", ""),
            "category": next(iter(_codes(record, terms.CATEGORY)), None),
            "division": record.get("division"),
            "service_area": [
                one["area_code"] for one in objects(record, "service_areas") if one.get("area_code")
            ],
            "price": price(record),
            "lead_days": None,
            "size_classes": _codes(record, terms.SIZE),
            "qualifications": [line for line in str(record.get("accreditations") or "").split("\n") if line],
            "capacity": None,
            "finance": None,
            "achievement": None,
            "attributes": {},
            "example": False,
            "state": "retired" if record.get("record_deleted") else _STATE.get(status, "draft"),
            "state_reason": record.get("alert"),
        },
    )


def _identity(record: Record) -> Data:
    return {
        "id": str(record.get("id")),
        "epoch": record.get("record_epoch"),
        "version": record.get("record_version"),
    }


def extension(record: Record) -> tuple[Data, set[str]]:
    """What HSDS has no place for: the fields, and the names of those that are absent."""
    more = record.get("hubnet")
    more = more if isinstance(more, dict) else {}
    said, absent = more.get("fields"), more.get("absent")
    names = {name for name in absent if isinstance(name, str)} if isinstance(absent, list) else set[str]()
    return (said if isinstance(said, dict) else {}), names


def _said(record: Record, back: Data) -> Data:
    """What the extension adds and takes away."""
    more, absent = extension(record)
    return {name: value for name, value in back.items() if name not in absent} | more


def objects(record: Record, name: str) -> list[Record]:
    """The objects in a list of a record; whatever else stands there is told elsewhere."""
    said = record.get(name)
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _marked(entity: str, id: str, *said: tuple[str, Iterable[Any]]) -> list[Record]:
    """Its terms, each once: a table has no place for the same row twice."""
    once = [(taxonomy, code) for taxonomy, codes in said for code in dict.fromkeys(map(str, codes))]
    marks = [terms.attribute(taxonomy, code, entity, id) for taxonomy, code in once]
    return [mark for mark in marks if mark is not None]


def _codes(record: Record, taxonomy: str) -> list[str]:
    found = [terms.code_of(one, taxonomy) for one in objects(record, "attributes")]
    return [code for code in found if code is not None]


def place(code: str) -> Record:
    """A division as a location: where it is by code. It has no coordinates, for nobody works at a centroid."""
    try:
        known = divisions.get(code)
        name, english = known.zh, known.en
    except divisions.UnknownDivision:
        name = english = code
    return {
        "id": location_id(code),
        "location_type": "physical",
        "name": name,
        "alternate_name": english,
        "external_identifier": code,
        "external_identifier_type": PLACE_SCHEME,
    }


def location_id(code: str) -> str:
    return str(ids.derived("hsds", "location", code))


def _at(service: str, code: str) -> Record:
    return {
        "id": str(ids.derived("hsds", "service_at_location", service, code)),
        "service_id": service,
        "location_id": location_id(code),
        "location": place(code),
    }


def area(service: str, code: str) -> Record:
    """An area that is served. The uri is HSDS's own place for a persistent identifier."""
    try:
        name = divisions.get(code.ljust(6, "0")).zh
    except divisions.UnknownDivision:
        name = code
    return {
        "id": str(ids.derived("hsds", "service_area", service, code)),
        "service_id": service,
        "name": name,
        "uri": f"urn:gbt2260:{code}",
        "area_code": code,
    }


def _fees(price: Data) -> str | None:
    low, high = price.get("from_cents"), price.get("to_cents")
    if low is None and high is None:
        return "面议 By agreement"
    if low == high == 0:
        return "免费 Free of charge"
    return None


def _costs(service: str, price: Data) -> list[Record]:
    ends = [(end, price.get(f"{end}_cents")) for end in ("from", "to")]
    if ends[0][1] is not None and ends[0][1] == ends[1][1]:
        ends = [("exact", ends[0][1])]
    unit = price.get("unit", "case")
    return [
        {
            "id": str(ids.derived("hsds", "cost_option", service, end)),
            "service_id": service,
            "currency": CURRENCY,
            "amount": cents // 100 if cents % 100 == 0 else cents / 100,
            "amount_description": UNITS.get(unit, unit),
            "price_unit": unit,
            "price_end": end,
        }
        for end, cents in ends
        if cents is not None
    ]


def price(record: Record) -> Data:
    """The price that the cost options say; one amount alone is both ends, several are a range."""
    amounts: dict[str, int] = {}
    unit = "case"
    plain: list[int] = []
    for option in objects(record, "cost_options"):
        cents = to_cents(option.get("amount"), option.get("currency"))
        if cents is None:
            continue
        unit = option.get("price_unit", unit)
        end = option.get("price_end")
        if end in ("from", "to"):
            amounts[f"{end}_cents"] = cents
        else:
            plain.append(cents)
    if plain:
        amounts = {"from_cents": min(plain), "to_cents": max(plain)} | amounts
    return {"from_cents": None, "to_cents": None, "unit": unit} | amounts


def to_cents(amount: Any, currency: Any) -> int | None:
    """Whole cents of an amount in yuan; None for what is none."""
    if (
        amount is None
        or isinstance(amount, bool)
        or str(currency or CURRENCY).upper() not in (CURRENCY, "RMB")
    ):
        return None
    try:
        cents = Decimal(str(amount)) * 100
    except InvalidOperation:
        return None
    whole = cents.is_finite() and 0 <= cents <= MAX_CENTS and cents == cents.to_integral_value()
    return int(cents) if whole else None
