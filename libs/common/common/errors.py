"""Refusals by category. HTTP and the bus each map a category once; a refusal knows neither."""

from typing import Any


class Refusal(Exception):
    """A request that the rules refuse.

    Shape: `code` is stable and kebab-case; `zh` and `en` say what is wrong and what to do next;
    `field` is the dotted path of the offending input, where there is one;
    `members` are further data for a program, such as alternatives.
    """

    def __init__(
        self,
        code: str,
        *,
        zh: str,
        en: str,
        field: str | None = None,
        retry_after_s: int | None = None,
        **members: Any,
    ):
        super().__init__(f"{code}: {en}")
        self.code = code
        self.zh = zh
        self.en = en
        self.field = field
        self.retry_after_s = retry_after_s
        self.members = members


class Invalid(Refusal):
    """The input itself breaks a rule."""


class Unauthenticated(Refusal):
    """Nobody, or nobody we can prove."""


class Forbidden(Refusal):
    """Somebody, but not with this role."""


class NotFound(Refusal):
    """Absent, or not the caller's to know of."""


class Conflict(Refusal):
    """The input is fine, the state of the world is not."""


class Stale(Refusal):
    """The caller looked at an older version."""


class Required(Refusal):
    """A precondition header is missing."""


class TooMany(Refusal):
    """More calls than the limit allows."""


class TooLarge(Refusal):
    """More bytes than the limit allows."""


class Unavailable(Refusal):
    """A part we need is away; the same call works later."""


def absent(noun_zh: str, noun_en: str) -> NotFound:
    """The one answer for what does not exist and for what belongs to somebody else."""
    return NotFound(
        "not-found",
        zh=f"没有找到该{noun_zh}，或它不属于您；请核对编号",
        en=f"no such {noun_en}, or it is not yours; check the id",
    )


def stale(noun_en: str = "record") -> Stale:
    return Stale(
        "stale-version",
        zh="记录已被他人修改；请重新读取后再提交",
        en=f"the {noun_en} has changed since you read it; read it again and repeat",
        field="If-Match",
    )


def wrong_state(noun: str, state: str, noun_zh: str, state_zh: str, *, zh: str, en: str) -> Conflict:
    """What may not be done (`zh`, `en`) to a record in this state; its code is `<noun>-state`."""
    return Conflict(
        f"{noun}-state",
        zh=f"该{noun_zh}当前状态为“{state_zh}”，不能{zh}；请刷新后核对",
        en=f"the {noun} is {state} and cannot be {en}; read it again",
    )
