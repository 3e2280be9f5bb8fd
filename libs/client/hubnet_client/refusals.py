"""A refusal, as an exception."""

from typing import Any

import httpx


class Refused(Exception):
    """A service said no.

    Shape: `code` is stable; `field` names the input; `zh` and `en` say what to do next; `errors` each
    field that breaks a rule. `retry_after_s` is given when the same call may succeed later.
    """

    def __init__(
        self, call: str, status: int, code: str, field: str | None, zh: str, en: str, *,
        errors: list[dict[str, str]] | None = None, retry_after_s: float | None = None,
    ):  # fmt: skip
        where = f" ({field})" if field else ""
        super().__init__(f"{call} → {status} {code}{where}: {zh} · {en}")
        self.call, self.status, self.code, self.field = call, status, code, field
        self.zh, self.en = zh, en
        self.errors = errors or []
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> Any:
        return _again, (self.call, self.status, self.code, self.field, self.zh, self.en, self.errors, self.retry_after_s)  # fmt: skip


def _again(call: str, status: int, code: str, field: str | None, zh: str, en: str, errors: Any, after: Any) -> Refused:  # fmt: skip
    return Refused(call, status, code, field, zh, en, errors=errors, retry_after_s=after)


def refused(answer: httpx.Response, other: httpx.Response) -> Refused:
    """Of one refusal told in two languages, or twice in one.

    Source: RFC 9457, and RFC 6749 5.2 of the token endpoint.
    """
    request, said = answer.request, body_of(answer)
    told = {_language(one): body_of(one) for one in (other, answer)}
    zh, en = told.get("zh", said), told.get("en", said)
    unsaid = answer.reason_phrase
    return Refused(
        f"{request.method} {request.url.path}",
        answer.status_code,
        str(said.get("code") or said.get("error") or ""),
        said.get("field"),
        str(zh.get("detail") or said.get("error_description_zh") or unsaid),
        str(en.get("detail") or said.get("error_description") or unsaid),
        errors=said.get("errors"),
        retry_after_s=retry_after_s(answer),
    )


def retry_after_s(answer: httpx.Response) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None


def _language(answer: httpx.Response) -> str:
    said = answer.headers.get("Content-Language") or answer.request.headers.get("Accept-Language", "")
    return "en" if said.lower().startswith("en") else "zh"


def body_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
