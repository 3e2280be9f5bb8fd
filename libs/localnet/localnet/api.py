"""Call the network's HTTP APIs as its users do, and stay patient while a service restarts."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import httpx

from localnet.endpoints import Endpoints
from localnet.passwords import Passwords
from localnet.trouble import Trouble

OPERATOR = "hubnet-cli"  # the machine client with the role operator; every other name is a user's
TOKEN_PATH = "/oauth/token"
PATIENCE_S = 30.0  # a service that was killed is back within two
TIMEOUT_S = 15.0
IMPORT_TIMEOUT_S = 60.0
EARLIER_S = 60.0  # a token is renewed this long before its end
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
LONGEST_WAIT_S = 65.0  # a caller's rate is counted per minute
NDJSON = {"Content-Type": "application/x-ndjson"}


class Refused(Trouble):
    """A service said no. `code` of the problem is `problem`."""

    def __init__(self, call: str, status: int, problem: str, zh: str, en: str, field: str | None = None):
        where = f" ({field})" if field else ""
        super().__init__(
            (zh, en),
            (f"{call} → {status} {problem}{where}", f"{call} → {status} {problem}{where}"),
            ("按上面的说明更正后重试", "mend what is said above and try again"),
        )
        self.status, self.problem, self.field = status, problem, field

    def __reduce__(self) -> Any:
        return Trouble, (self.wrong, self.rule, self.mend, self.code)


@dataclass
class Token:
    text: str
    good_until: float


class Api:
    """One connection pool for all nodes. Repeats what failed on the way, with the same Idempotency-Key.

    Raises: Refused with the service's own words; Trouble when it stays away.
    """

    def __init__(
        self, endpoints: Endpoints, passwords: Passwords | None = None, patience_s: float = PATIENCE_S
    ):
        self.endpoints = endpoints
        self.passwords = passwords or Passwords(endpoints.users)
        self.patience_s = patience_s
        self.calls = 0
        # A proxy of the environment is for the world outside; the network is reached directly.
        self._http = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S)
        self._tokens: dict[str, Token] = {}
        self._signing_in: dict[str, asyncio.Lock] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, node: str, path: str, who: str | None = None, **params: Any) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        return await self._call("GET", node, path, who, params=given)

    async def all(self, node: str, path: str, who: str | None = None, **params: Any) -> AsyncIterator[Any]:
        """Every item of a list, page after page."""
        after: str | None = None
        while True:
            page = await self.get(node, path, who, after=after, limit=200, **params)
            for item in page["items"]:
                yield item
            if not (after := page.get("next_cursor")):
                return

    async def post(
        self, node: str, path: str, body: Any = None, *, who: str | None = None, key: str | None = None
    ) -> Any:
        """Shape: `key` names the act; the same act is done once however often it is sent."""
        headers = {"Idempotency-Key": key or str(uuid4())} if who else {}
        return await self._call("POST", node, path, who, headers=headers, json=body)

    async def send_lines(
        self, node: str, path: str, lines: bytes, *, who: str, language: str = "zh"
    ) -> dict[str, Any]:
        """POST NDJSON."""
        headers = NDJSON | {"Idempotency-Key": str(uuid4()), "Accept-Language": language}
        return await self._call(
            "POST", node, path, who, headers=headers, content=lines, timeout=IMPORT_TIMEOUT_S
        )

    async def token(self, who: str) -> str:
        """A token that is good for a while longer."""
        async with self._signing_in.setdefault(who, asyncio.Lock()):
            held = self._tokens.get(who)
            if held is None or held.good_until < time.monotonic():
                held = self._tokens[who] = await self._sign_in(who)
            return held.text

    async def _sign_in(self, who: str) -> Token:
        hub = self.endpoints.hub
        if who == OPERATOR:
            grant = {
                "grant_type": "client_credentials",
                "client_id": OPERATOR,
                "client_secret": self.endpoints.secret,
            }
        else:
            grant = {"grant_type": "password", "username": who, "password": self.passwords.of(who)}
        url = self.endpoints.urls[hub] + TOKEN_PATH
        answer = await self._patiently(hub, lambda: self._http.post(url, data=grant))
        said = body_of(answer)
        if not answer.is_success:
            en = said.get("error_description", f"{who} could not sign in")
            zh = said.get("error_description_zh", f"{who} 未能登录")
            raise Refused(
                f"POST {TOKEN_PATH} ({who})", answer.status_code, said.get("error", ""), f"{who}：{zh}",
                f"{who}: {en}",
            )  # fmt: skip
        return Token(said["access_token"], time.monotonic() + said["expires_in"] - EARLIER_S)

    async def _call(self, method: str, node: str, path: str, who: str | None, **request: Any) -> Any:
        headers: dict[str, str] = {"Accept-Language": "zh", **request.pop("headers", {})}
        url = self.endpoints.urls[node] + path

        async def send(**other: str) -> httpx.Response:
            signed = {"Authorization": f"Bearer {await self.token(who)}"} if who else {}
            return await self._http.request(method, url, headers={**headers, **other, **signed}, **request)

        answer = await self._patiently(node, send)
        if answer.status_code == 401 and who and self._tokens.pop(who, None):
            answer = await self._patiently(node, send)  # the keys were rotated: sign in once more
        if not answer.is_success:
            # What was refused saved nothing, so asking again in English is harmless.
            again = await self._patiently(node, lambda: send(**{"Accept-Language": "en"}))
            if not again.is_success:
                raise refused(f"{method} {node} {path}", answer, again)
            answer = again
        return answer.json()

    async def _patiently(self, node: str, send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        """Raises: Trouble when nobody answers until the patience ends."""
        deadline = time.monotonic() + self.patience_s
        pause = FIRST_PAUSE_S
        while True:
            self.calls += 1
            failure: httpx.TransportError | None = None
            wait_s = pause
            try:
                answer = await send()
            except httpx.TransportError as error:
                answer, failure = None, error
            if answer is not None:
                told = answer.headers.get("Retry-After", "")
                if not passing(answer):
                    return answer
                wait_s = max(pause, min(float(told), LONGEST_WAIT_S)) if told.isdigit() else pause
                if answer.status_code == 429:
                    deadline = max(deadline, time.monotonic() + wait_s + 1)
            if time.monotonic() + wait_s > deadline:
                if answer is not None:
                    return answer
                raise away(node, self.endpoints.urls[node], failure) from failure
            await asyncio.sleep(wait_s)
            pause = min(pause * 2, LONGEST_PAUSE_S)


def passing(answer: httpx.Response) -> bool:
    """Whether the same call may well succeed in a moment."""
    return (
        answer.status_code == 429
        or answer.status_code >= 500
        or (answer.status_code == 409 and "Retry-After" in answer.headers)
    )


def body_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def refused(call: str, chinese: httpx.Response, english: httpx.Response) -> Refused:
    zh, en = body_of(chinese), body_of(english)
    return Refused(
        call, chinese.status_code, str(zh.get("code", "")), str(zh.get("detail", chinese.reason_phrase)),
        str(en.get("detail", english.reason_phrase)), zh.get("field"),
    )  # fmt: skip


def away(node: str, url: str, error: Exception | None) -> Trouble:
    said = f"{type(error).__name__}: {error}" if error else ""
    return Trouble(
        (f"{node} 没有应答：{url}", f"{node} does not answer: {url} {said}".rstrip()),
        ("网络须在运行", "the network must be running"),
        (f"hubnet status 查看，hubnet logs {node} 看原因", f"see hubnet status and hubnet logs {node}"),
    )
