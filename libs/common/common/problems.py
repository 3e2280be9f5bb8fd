"""Every refusal leaves as application/problem+json, in the caller's language, without echoing input.

Source: RFC 9457; extension members `code`, `field`, `errors`.
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import db, log, rules
from common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Required,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

STATUS: dict[type[Refusal], int] = {
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    TooLarge: 413,
    Required: 428,
    TooMany: 429,
    Unavailable: 503,
}
TITLES: dict[int, tuple[str, str]] = {
    400: ("请求有误", "Bad request"),
    401: ("未通过身份验证", "Not authenticated"),
    403: ("没有权限", "Not allowed"),
    404: ("未找到", "Not found"),
    405: ("不支持该方法", "Method not allowed"),
    409: ("与现状冲突", "Conflict"),
    412: ("版本已过期", "Version is stale"),
    413: ("内容过大", "Too large"),
    415: ("不支持的内容类型", "Unsupported media type"),
    422: ("内容不符合要求", "Input not valid"),
    428: ("缺少前提条件", "Precondition required"),
    429: ("调用过于频繁", "Too many calls"),
    500: ("服务器内部错误", "Internal error"),
    503: ("服务暂时不可用", "Temporarily unavailable"),
}
MAX_ERRORS = 20


class FieldError(BaseModel):
    """One field that breaks one rule."""

    field: str
    rule: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")
    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    errors: list[FieldError] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Refused: what is wrong and what to do next"},
    "5XX": {"model": Problem, "description": "Not the caller's fault; nothing was saved"},
}


def english(request: Request) -> bool:
    """Chinese unless the caller prefers English."""
    wanted = request.headers.get("accept-language", "").lower()
    en, zh = wanted.find("en"), wanted.find("zh")
    return en >= 0 and (zh < 0 or en < zh)


def answer(
    request: Request,
    status: int,
    code: str,
    zh: str,
    en: str,
    *,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    titles = TITLES.get(status, TITLES[400 if status < 500 else 500])
    in_english = english(request)
    body = {
        "type": f"urn:hubnet:problem:{code}",
        "title": titles[in_english],
        "status": status,
        "code": code,
        "detail": en if in_english else zh,
        **{name: value for name, value in members.items() if value is not None},
    }
    return JSONResponse(
        body,
        status,
        {"Content-Language": "en" if in_english else "zh-CN", **(headers or {})},
        media_type="application/problem+json",
    )


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(
        request, status, error.code, error.zh, error.en, headers=headers, field=error.field, **error.members
    )


def field_errors(request: Request, errors: Any) -> list[dict[str, str]]:
    """Pydantic's errors as (field, rule, message), without their input."""
    shown: list[dict[str, str]] = []
    in_english = english(request)
    for error in list(errors)[:MAX_ERRORS]:
        path = [str(part)[:60] for part in error["loc"]]
        if error["type"] == "json_invalid":
            path = path[:1]
        if path[0] == "body" and len(path) > 1:
            path = path[1:]  # fields are named as the caller wrote them, as in refusals by the rules
        # A made-up key is input too: it may hold what breaks a log or a terminal.
        field = ".".join(path).encode("ascii", "backslashreplace").decode()
        shown.append({"field": field, "rule": error["type"], "message": rules.explain(error)[in_english]})
    return shown


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError | ValidationError)
    errors = field_errors(request, error.errors())
    first = errors[0] if errors else {"field": "body", "message": ""}
    return answer(
        request,
        422,
        "invalid-input",
        f"{first['field']}：{first['message']}",
        f"{first['field']}: {first['message']}",
        field=first["field"],
        errors=errors,
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    known = {
        404: (
            "not-found",
            "没有这个地址；接口清单见 /docs",
            "no such address; the list of calls is at /docs",
        ),
        405: (
            "method-not-allowed",
            "该地址不支持此方法；见 /docs",
            "this address does not take that method; see /docs",
        ),
        413: (
            "body-too-large",
            "请求内容过大；请缩小或分批提交",
            "the body is too large; send less, or in parts",
        ),
        400: ("bad-request", "请求无法解析；请核对格式", "the request cannot be parsed; check its form"),
    }
    code, zh, en = known.get(
        error.status_code, ("http-error", "请求未被接受", "the request was not accepted")
    )
    return answer(request, error.status_code, code, zh, en, headers=dict(error.headers or {}))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, SQLAlchemyError) and db.lost(error):
        return answer(
            request, 503, "database-away", "数据库暂时不可用，未保存任何内容；请稍后重试",
            "the database is away and nothing was saved; repeat the call later", headers={"Retry-After": "2"},
        )  # fmt: skip
    log.get("http").error("unforeseen", path=request.url.path, exc_info=error)
    return answer(
        request, 500, "internal-error", "系统内部错误，未保存任何内容；请联系运维并提供请求编号",
        "something broke on our side and nothing was saved; tell operations the request id",
    )  # fmt: skip


class InWords:
    """The framework refuses a body by its declared length in plain text, outside of every handler."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                kind = next((value for name, value in message["headers"] if name == b"content-type"), b"")
                if replaced := not kind.startswith(b"application/problem+json"):
                    refusal = await _http(Request(scope), HTTPException(413))
                    await refusal(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


def _as_sent(document: dict[str, Any]) -> dict[str, Any]:
    """The framework documents every model as application/json; a problem is sent as what it is."""
    for calls in document["paths"].values():
        for call in calls.values():
            for code in RESPONSES:
                content = call["responses"].get(code, {}).get("content", {})
                if "application/json" in content:
                    content["application/problem+json"] = content.pop("application/json")
    return document


def install(app: FastAPI) -> None:
    """Let no refusal leave in another form."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _unforeseen)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(Exception, _unforeseen)
    document = app.openapi
    app.openapi = lambda: _as_sent(document())
    stack = app.build_middleware_stack
    app.build_middleware_stack = lambda: InWords(stack())


async def _too_deep(request: Request, error: Exception) -> JSONResponse:
    return answer(
        request,
        422,
        "invalid-input",
        "JSON 嵌套过深；请简化",
        "the JSON is nested too deeply; flatten it",
        field="body",
    )
