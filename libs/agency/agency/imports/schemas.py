"""The answer of an import."""

from common.http import Out

from agency.imports.rows import Outcome

EXAMPLE = """\
{"provider": {"name": "示例·包头市中小企业服务站", "credit_code": "91150203MA0N1A2B3G", "division": "150203", "example": true}, \
"offering": {"external_ref": "A-1", "kind": "service", "title": "开业登记代办", "summary": "不收费。", \
"category": "entrepreneurship.registration_agency", "service_area": ["1502"], \
"price": {"from_cents": 0, "to_cents": 0, "unit": "case"}, "example": true}}
"""


class LineOut(Out):
    """What became of one line; a rejected one says which rule of which field."""

    line: int
    outcome: Outcome
    field: str | None = None
    rule: str | None = None
    message: str | None = None


class ImportOut(Out):
    """How many lines came to what, and each line."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    lines: tuple[LineOut, ...]
