"""Checks against official lists, as refusals that name the field and the mend."""

from collections.abc import Iterable

from common.errors import Invalid
from reference import categories, credit_code, divisions

_CREDIT = {
    "length": ("统一社会信用代码应为18位；请核对", "a credit code has 18 characters; check it"),
    "alphabet": (
        "统一社会信用代码含不允许的字符（不使用I、O、S、V、Z）；请核对",
        "the credit code holds a character it cannot have (no I, O, S, V, Z); check it",
    ),
    "check_digit": (
        "统一社会信用代码校验位不符；请逐位核对",
        "the check digit of the credit code does not fit; compare it character by character",
    ),
}


def credit(code: str, field: str) -> str:
    """The code as it is stored.

    Raises: Invalid.
    """
    try:
        credit_code.check(code)
    except credit_code.BadCreditCode as error:
        zh, en = _CREDIT[error.kind]
        raise Invalid(f"credit-code-{error.kind.replace('_', '-')}", zh=zh, en=en, field=field) from None
    return credit_code.normalise(code)


def division(code: str, field: str) -> None:
    """Raises: Invalid for a code that is no division of the region."""
    try:
        divisions.get(code)
    except divisions.UnknownDivision:
        raise Invalid(
            "unknown-division",
            zh="行政区划代码不在本自治区名录中；请使用六位 GB/T 2260 代码，如 150203",
            en="no such division in this region; use a six-digit GB/T 2260 code such as 150203",
            field=field,
        ) from None


def category(id: str, field: str) -> None:
    """Raises: Invalid for an id that is not in the taxonomy."""
    try:
        categories.get(id)
    except categories.UnknownCategory:
        raise Invalid(
            "unknown-category",
            zh="没有此服务分类；请使用分类目录中的标识，如 technology_quality.testing",
            en="no such service category; use an id of the taxonomy such as technology_quality.testing",
            field=field,
        ) from None


def area(prefixes: Iterable[str], field: str) -> tuple[str, ...]:
    """Service area prefixes, each once.

    Raises: Invalid naming the position of an unknown one.
    """
    once = tuple(dict.fromkeys(prefixes))
    for position, prefix in enumerate(once):
        division(prefix.ljust(6, "0"), f"{field}.{position}")
    return once
