"""Sign calls in, and raise what is refused."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator

import httpx

from hubnet_client.credentials import Bearer, Credentials
from hubnet_client.refusals import body_of, refused

TOKEN_PATH = "/oauth/token"  # noqa: S105
EARLIER_S = 60.0  # a token is renewed this long before its end
TOO_MANY = 429


class Signing(httpx.Auth):
    """A token of the hub for every call, fetched when needed; for `httpx` clients of both kinds.

    Shape: many calls at once fetch one token. A refusal is asked for once more in the other language: what
    was refused saved nothing, so that is harmless.
    Raises: Refused, out of the call.
    """

    def __init__(self, hub: str, by: Credentials | None):
        self._url = hub.rstrip("/") + TOKEN_PATH
        self._by = by
        self._token = by.token if isinstance(by, Bearer) else None
        self._good_until = float("inf") if isinstance(by, Bearer) else 0.0
        self._gate = threading.Lock()
        self._async_gate = asyncio.Lock()

    @property
    def token(self) -> str | None:
        """The one that is held, good or not."""
        return self._token

    def forget(self) -> None:
        """Fetch another token with the next call."""
        if not isinstance(self._by, Bearer):
            self._token = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with self._gate:
            if (grant := self._grant()) is not None:
                answer = yield grant
                answer.read()
                self._take(answer)
        answer = yield self._signed(request)
        if answer.status_code == 401 and self._spent(request):
            with self._gate:
                if (grant := self._grant()) is not None:
                    renewed = yield grant
                    renewed.read()
                    self._take(renewed)
            answer = yield self._signed(request)
        if answer.is_error:
            answer.read()
            if (again := _in_other_language(request, answer)) is None:
                raise refused(answer, answer)
            other = yield again
            if other.is_error:
                other.read()
                raise refused(answer, other)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        async with self._async_gate:
            if (grant := self._grant()) is not None:
                answer = yield grant
                await answer.aread()
                self._take(answer)
        answer = yield self._signed(request)
        if answer.status_code == 401 and self._spent(request):
            async with self._async_gate:
                if (grant := self._grant()) is not None:
                    renewed = yield grant
                    await renewed.aread()
                    self._take(renewed)
            answer = yield self._signed(request)
        if answer.is_error:
            await answer.aread()
            if (again := _in_other_language(request, answer)) is None:
                raise refused(answer, answer)
            other = yield again
            if other.is_error:
                await other.aread()
                raise refused(answer, other)

    def _grant(self) -> httpx.Request | None:
        """What to send for a token, when one is needed."""
        if self._by is None or isinstance(self._by, Bearer):
            return None
        if self._token is not None and time.monotonic() < self._good_until:
            return None
        return httpx.Request("POST", self._url, data=self._by.grant())

    def _take(self, answer: httpx.Response) -> None:
        if answer.is_error:
            raise refused(answer, answer)
        said = body_of(answer)
        self._token = said["access_token"]
        self._good_until = time.monotonic() + said["expires_in"] - EARLIER_S

    def _signed(self, request: httpx.Request) -> httpx.Request:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _spent(self, request: httpx.Request) -> bool:
        """Whether another token may help: the keys were rotated, or the clocks differ."""
        if self._by is None or isinstance(self._by, Bearer):
            return False
        if request.headers.get("Authorization") == f"Bearer {self._token}":
            self._token = None
        return True


def _in_other_language(request: httpx.Request, answer: httpx.Response) -> httpx.Request | None:
    """The same call once more, unless it is to wait or the service itself is in trouble."""
    if answer.status_code >= 500 or answer.status_code == TOO_MANY or "Retry-After" in answer.headers:
        return None
    chinese = answer.headers.get("Content-Language", "zh").lower().startswith("zh")
    headers = httpx.Headers(request.headers)
    headers["Accept-Language"] = "en" if chinese else "zh"
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
    )
