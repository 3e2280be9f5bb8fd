"""The types every boundary uses: HTTP bodies, bus events and file imports alike.

Text is NFC, visible and free of characters that break databases or readers; numbers are bounded by
what the database holds; JSON is bounded in depth and keys.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

# C0 and C1 controls but for newline and tab, lone surrogates, bidi overrides and isolates, line separators.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_PLAIN = re.compile(
    r"^[\x20-\x7e\n\t\u00b7\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e\u2014\u2018-\u201d\u2026]*$"
)
_INVISIBLE = {"Cf", "Zs", "Zl", "Zp", "Cc", "Mn", "Me"}
JSON_DEPTH = 8
JSON_KEYS = 100


def _clean(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise PydanticCustomError("text_control", "holds a control, bidi or surrogate character; remove it")
    if _PLAIN.match(value):
        return value
    value = unicodedata.normalize("NFC", value)
    marks = 0
    for character in value:
        category = unicodedata.category(character)
        if category in ("Co", "Cn"):
            raise PydanticCustomError("text_unassigned", "holds a private or unassigned character; remove it")
        marks += category in ("Mn", "Me")
    if marks > 4 + len(value) // 2:
        raise PydanticCustomError("text_marks", "holds more combining marks than letters; remove them")
    return value


def _visible(value: str) -> str:
    value = value.strip()
    if not value[:1].isalnum() and all(unicodedata.category(c) in _INVISIBLE for c in value):
        raise PydanticCustomError("text_blank", "has no visible character; fill it in")
    return value


def _one_line(value: str) -> str:
    if "\n" in value or "\t" in value:
        raise PydanticCustomError("text_line", "must be one line; remove line breaks and tabs")
    return value


# One visible line, at most 200 characters: names, titles.
Line = Annotated[
    str,
    StringConstraints(max_length=200),
    AfterValidator(_clean),
    AfterValidator(_one_line),
    AfterValidator(_visible),
]
# Visible text with line breaks, at most 20,000 characters.
Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_clean), AfterValidator(_visible)]
# The same, as long as a form's box for an answer.
Answer = Annotated[str, StringConstraints(max_length=500), AfterValidator(_clean), AfterValidator(_visible)]
# Text that may be empty.
OptionalText = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_clean)]
# A machine's word: an id in a list, a category, a reason code.
Slug = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$")]
NodeId = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
DivisionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
AreaPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}([0-9]{2}){0,2}$")]
IndustryCode = Annotated[str, StringConstraints(pattern=r"^([A-T]|[0-9]{2,4})$")]

# Of a person; never leaves the platform it was given to.
Phone = Annotated[str, StringConstraints(max_length=24, pattern=r"^\+?[0-9][0-9 -]{4,21}[0-9]$")]
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"),
]

# One zone for the whole region, and no summer time since 1991. Days of deadlines and numbers are its days.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
INT64 = 2**63 - 1
# 100 billion yuan: above any public tender an SME meets, far below what a bigint holds.
MAX_CENTS = 10_000_000_000_000
Cents = Annotated[int, Field(ge=0, le=MAX_CENTS, strict=True)]
Count = Annotated[int, Field(ge=0, le=100_000_000, strict=True)]
Version = Annotated[int, Field(ge=1, le=INT64)]
Score = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


def _in_utc(value: datetime) -> datetime:
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment_range", "is outside the years 2000 to 2100") from None
    if not 2000 <= value.year <= 2100:
        raise PydanticCustomError("moment_range", "is outside the years 2000 to 2100")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def _bounded(value: Any, depth: int = 0) -> Any:
    if depth > JSON_DEPTH:
        raise PydanticCustomError("json_depth", "is nested deeper than {limit} levels", {"limit": JSON_DEPTH})
    if isinstance(value, dict):
        if len(value) > JSON_KEYS:
            raise PydanticCustomError("json_keys", "has more than {limit} keys", {"limit": JSON_KEYS})
        return {_clean(str(key)[:200]): _bounded(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > 1000:
            raise PydanticCustomError("json_items", "has more than 1000 items")
        return [_bounded(item, depth + 1) for item in value]
    if isinstance(value, str):
        if len(value) > 20_000:
            raise PydanticCustomError(
                "string_too_long", "is longer than 20000 characters", {"max_length": 20_000}
            )
        return _clean(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise PydanticCustomError("finite_number", "must be a finite number")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > INT64:
        raise PydanticCustomError("int_range", "must fit into 64 bits")
    return value


# A free-form object, bounded: equipment fields, product terms.
Attributes = Annotated[dict[str, Any], BeforeValidator(_bounded)]
