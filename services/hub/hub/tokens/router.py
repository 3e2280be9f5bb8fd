import base64
import binascii
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from common.db import Tx
from common.errors import TooMany
from common.http import Now
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from hub.deps import Attempts, Config, Ip, Pepper, Reading, attempts, elsewhere
from hub.tokens import domain, service
from hub.tokens.domain import Holder, Refused
from hub.tokens.schemas import FORM, OAuthError, TokenOut

router = APIRouter(tags=["tokens"])
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
MAX_FIELDS = 20
MAX_LENGTH = 1024


def _malformed(en: str, zh: str) -> Refused:
    return Refused("invalid_request", zh=zh, en=en)


def _basic(request: Request) -> dict[str, str]:
    """Client credentials of HTTP Basic (RFC 6749 2.3.1)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise domain.wrong_client() from None
    return {"client_id": unquote_plus(id), "client_secret": unquote_plus(secret)}


async def _form(request: Request) -> dict[str, str]:
    """The form's fields, each once.

    Raises: Refused, for FastAPI's own validation would not answer as the RFC wants.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _malformed(
            "send a form: application/x-www-form-urlencoded", "请以 application/x-www-form-urlencoded 提交"
        )
    try:
        body = (await request.body()).decode()
        pairs = parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise _malformed("the form cannot be parsed", "表单无法解析") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _malformed("a field is given twice", "字段重复")
    return fields


def _bounded(fields: dict[str, str]) -> dict[str, str]:
    if any(len(value) > MAX_LENGTH or "\0" in value for value in fields.values()):
        raise _malformed("a field is too long or holds a NUL", "字段过长或含空字符")
    return fields


def _needed(fields: dict[str, str], *names: str) -> list[str]:
    if missing := [name for name in names if not fields.get(name)]:
        raise _malformed(f"missing: {', '.join(missing)}", f"缺少：{'、'.join(missing)}")
    return [fields[name] for name in names]


def _answer(error: Refused, headers: dict[str, str] | None = None) -> JSONResponse:
    body = OAuthError(error=error.error, error_description=error.en, error_description_zh=error.zh)
    extra = {"WWW-Authenticate": 'Basic realm="hubnet"'} if error.status == 401 else {}
    return JSONResponse(body.model_dump(), error.status, {**NO_STORE, **extra, **(headers or {})})


@router.post(
    "/oauth/token",
    summary="获取令牌 Get a token",
    response_model=TokenOut,
    responses={400: {"model": OAuthError}, 401: {"model": OAuthError}, 429: {"model": OAuthError}},
    openapi_extra=FORM,
)
async def token(
    request: Request, tx: Tx, reading: Reading, settings: Config, pepper: Pepper, ip: Ip, now: Now,
    limits: Annotated[Attempts, Depends(attempts)],
) -> Any:  # fmt: skip
    """人员用 password，机器用 client_credentials，接口密钥用 urn:hubnet:grant:api-key。

    RFC 6749 form. People: `password`; machines: `client_credentials` (HTTP Basic or in the form); API keys:
    `urn:hubnet:grant:api-key` with `api_key`. `scope` narrows the roles. Tokens live 15 minutes.
    """
    try:
        if elsewhere(settings):
            raise Refused(
                "unsupported_grant_type",
                zh=f"登录由外部身份提供方负责：{settings.token_issuer}",
                en=f"sign-in is at the external identity provider {settings.token_issuer}",
            )
        fields = _bounded({**await _form(request), **_basic(request)})
        (grant,) = _needed(fields, "grant_type")
        holder: Holder | None
        if grant == domain.PASSWORD:
            username, password = _needed(fields, "username", "password")
            limits.person(username, ip)
            async with reading() as session:
                user = await service.candidate(session, username)
            # No connection is held here: a hash takes long, and a burst of sign-ins would empty the pool.
            holder = await service.by_password(user, password)
            if holder is None:
                await service.note_refusal(tx, user, grant=grant, at=now)
                raise domain.wrong_credentials()
            limits.forget(username, ip)
        elif grant == domain.CLIENT:
            client_id, secret = _needed(fields, "client_id", "client_secret")
            limits.machine(client_id, ip)
            holder = await service.by_secret(tx, client_id, secret, pepper, now)
            if holder is None:
                raise domain.wrong_client()
        elif grant == domain.API_KEY:
            (key,) = _needed(fields, "api_key")
            limits.machine(key[:19], ip)
            holder = await service.by_api_key(tx, key, pepper, now)
            if holder is None:
                raise domain.wrong_credentials()
        else:
            raise Refused(
                "unsupported_grant_type",
                zh="不支持的 grant_type；支持 password、client_credentials、urn:hubnet:grant:api-key",
                en="this grant_type is not supported; known are " + ", ".join(domain.GRANTS),
            )
        issued = await service.issue(
            tx, holder, grant=grant, scope=fields.get("scope"), settings=settings, pepper=pepper, at=now
        )
    except Refused as error:
        return _answer(error)
    except TooMany as error:
        slow = Refused("temporarily_unavailable", zh=error.zh, en=error.en, status=429)
        return _answer(slow, {"Retry-After": str(error.retry_after_s)})
    out = TokenOut(
        access_token=issued.access_token, expires_in=issued.expires_in, scope=" ".join(issued.roles)
    )
    return JSONResponse(out.model_dump(), headers=NO_STORE)
