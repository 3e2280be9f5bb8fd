"""One small HTTP GET after another, as a check needs it: no redirects, no proxy to local addresses, bounded."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

TIMEOUT_S = 10.0
MAX_BYTES = 32 * 2**20


class Unreachable(Exception):
    """Nobody answered."""


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    media: str
    body: bytes

    def json(self) -> Any:
        """The parsed body; None when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


Get = Callable[[str, Mapping[str, object]], Awaitable[Answer]]


class _Stay(HTTPRedirectHandler):
    """A redirect is an answer: following it would let a stranger choose whom we call."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def getter(base: str, token: str | None = None) -> Get:
    """Calls of one platform. Raises: Unreachable, also when called."""
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    if not base.startswith(("http://", "https://")):
        raise Unreachable(f"{base}: not an address of http or https")
    opener = build_opener(_Stay(), *([] if base.startswith("https:") else [ProxyHandler({})]))

    def get(path: str, query: Mapping[str, object]) -> Answer:
        said = urlencode({name: value for name, value in query.items() if value is not None})
        url = f"{base.rstrip('/')}{path}" + (f"?{said}" if said else "")
        try:
            with opener.open(Request(url, headers=headers), timeout=TIMEOUT_S) as answer:  # noqa: S310
                return Answer(answer.status, answer.headers.get_content_type(), answer.read(MAX_BYTES))
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers.get_content_type(), error.read(MAX_BYTES))
        except (OSError, ValueError) as error:
            raise Unreachable(f"{url}: {error}") from None

    async def off_the_loop(path: str, query: Mapping[str, object]) -> Answer:
        return await asyncio.to_thread(get, path, query)

    return off_the_loop
