"""Unified social credit code (统一社会信用代码): check digit by GB 32100-2015."""

import unicodedata
from typing import Literal

# No I, O, S, V, Z: they look like digits.
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


class BadCreditCode(ValueError):
    """The code cannot be right; `expected` is the check digit that would fit, where one exists."""

    def __init__(
        self, kind: Literal["length", "alphabet", "check_digit"], text: str, expected: str | None = None
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.expected = expected


def normalise(code: str) -> str:
    """Return the code in plain upper-case letters and digits, as it is stored."""
    return unicodedata.normalize("NFKC", code).strip().upper()


def complete(first17: str) -> str:
    """Return the whole code for its first 17 characters.

    Raises: BadCreditCode.
    """
    first17 = normalise(first17)
    if len(first17) != 17:
        raise BadCreditCode("length", f"17 characters are needed, not {len(first17)}")
    if strange := sorted(set(first17) - set(ALPHABET)):
        raise BadCreditCode("alphabet", f"a credit code holds no {' '.join(strange)}")
    total = sum(ALPHABET.index(sign) * weight for sign, weight in zip(first17, WEIGHTS, strict=True))
    return first17 + ALPHABET[-total % 31]


def check(code: str) -> None:
    """Accept a whole code, in any case or width.

    Raises: BadCreditCode.
    """
    code = normalise(code)
    if len(code) != 18:
        raise BadCreditCode("length", f"a credit code has 18 characters, not {len(code)}")
    expected = complete(code[:17])[-1]
    if code[-1] not in ALPHABET:
        raise BadCreditCode("alphabet", f"a credit code holds no {code[-1]}")
    if code[-1] != expected:
        raise BadCreditCode("check_digit", f"the last character should be {expected}", expected)
