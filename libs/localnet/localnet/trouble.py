"""Failures a person can mend: what is wrong, the rule, the mend, in both languages."""

from typing import Any

REFUSED = 1
USAGE = 2


class Trouble(Exception):
    """An expected failure. The command prints it without a traceback.

    Shape: `wrong`, `rule` and `mend` are each (Chinese, English); `code` is the exit code.
    """

    def __init__(
        self, wrong: tuple[str, str], rule: tuple[str, str], mend: tuple[str, str], code: int = REFUSED
    ):
        super().__init__(wrong[1])
        self.wrong, self.rule, self.mend, self.code = wrong, rule, mend, code

    def as_json(self) -> dict[str, Any]:
        return {"wrong": self.wrong, "rule": self.rule, "mend": self.mend, "code": self.code}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Trouble":
        return cls(tuple(told["wrong"]), tuple(told["rule"]), tuple(told["mend"]), told["code"])

    def __reduce__(self) -> Any:
        return Trouble, (self.wrong, self.rule, self.mend, self.code)


def unexpected(doing: str, error: BaseException) -> Trouble:
    """What has no mend of its own: the log has the rest."""
    said = f"{type(error).__name__}: {error}"
    return Trouble(
        (f"{doing}：意外错误 {said}", f"{doing}: unexpected error {said}"),
        ("这一步本应成功", "this step should have succeeded"),
        ("查看 supervisor 日志：hubnet logs supervisor", "read the supervisor's log: hubnet logs supervisor"),
    )
