"""Call the network's HTTP APIs as its users do, and stay patient while a service restarts."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx
import hubnet_client
from hubnet_client import ClientSecret, Password
from hubnet_client.connecting import Connected
from hubnet_client.patience import PATIENCE_S, REPEAT, AsyncPatient
from hubnet_client.signing import TOKEN_PATH, Signing

from localnet.endpoints import Endpoints
from localnet.passwords import Passwords
from localnet.trouble import Trouble

OPERATOR = "hubnet-cli"  # the machine client with the role operator; every other name is a user's
TIMEOUT_S = 15.0
IMPORT_TIMEOUT_S = 60.0
EXPORT_TIMEOUT_S = 120.0
NDJSON = {"Content-Type": "application/x-ndjson"}
C = TypeVar("C", bound=Connected)


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


@contextmanager
def told(node: str, url: str, who: str | None = None) -> Iterator[None]:
    """What the client library raises, as trouble of this node."""
    try:
        yield
    except hubnet_client.Refused as error:
        zh, en, call = error.zh, error.en, f"{error.call} ({node})"
        if error.call.endswith(TOKEN_PATH) and who:
            zh, en, call = f"{who}：{zh}", f"{who}: {en}", f"{error.call} ({who})"
        raise Refused(call, error.status, error.code, zh, en, error.field) from error
    except httpx.TransportError as error:
        raise away(node, url, error) from error


class Api:
    """One pool of connections for all nodes and users. Repeats what failed on the way, with the same key.

    Raises: Refused with the service's own words; Trouble when it stays away.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        passwords: Passwords | None = None,
        patience_s: float = PATIENCE_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ):
        self.endpoints = endpoints
        self.passwords = passwords or Passwords(endpoints.users)
        self._patience_s = patience_s
        self._transport = transport or httpx.AsyncHTTPTransport()
        self._http = self._pool()
        self._signings: dict[str, Signing] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def _pool(self, **options: Any) -> AsyncPatient:
        # A proxy of the environment is for the world outside; the network is reached directly.
        return AsyncPatient(
            transport=self._transport, trust_env=False, timeout=TIMEOUT_S, patience_s=self._patience_s,
            headers={"Accept-Language": "zh"}, **options,
        )  # fmt: skip

    def at(self, kind: Callable[..., C], node: str, who: str | None = None) -> C:
        """The typed client of a node's service, for awaited calls: `api.at(hub.Client, "hub", OPERATOR)`."""
        client = kind(base_url=self.endpoints.urls[node])
        client.set_async_httpx_client(self._pool(base_url=self.endpoints.urls[node], auth=self._signing(who)))
        return client

    def telling(self, node: str, who: str | None = None) -> Any:
        """Around typed calls: what they raise is told as by the others."""
        return told(node, self.endpoints.urls[node], who)

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
        return await self._call("POST", node, path, who, headers=headers, json=body, extensions=REPEAT)

    async def send_lines(
        self, node: str, path: str, lines: bytes, *, who: str, language: str = "zh"
    ) -> dict[str, Any]:
        """POST NDJSON."""
        headers = NDJSON | {"Idempotency-Key": str(uuid4()), "Accept-Language": language}
        return await self._call(
            "POST", node, path, who, headers=headers, content=lines, timeout=IMPORT_TIMEOUT_S
        )

    async def stream(self, node: str, path: str, who: str, **params: Any) -> AsyncIterator[bytes]:
        """A long answer, as it comes."""
        url = self.endpoints.urls[node] + path
        with told(node, url, who):
            async with self._http.stream(
                "GET", url, params=params, auth=self._signing(who), timeout=EXPORT_TIMEOUT_S
            ) as answer:
                async for chunk in answer.aiter_bytes():
                    yield chunk

    async def token(self, who: str) -> str:
        """A token issued just now."""
        hub = self.endpoints.hub
        url = self.endpoints.urls[hub] + TOKEN_PATH
        with told(hub, url, who):
            grant = self._credentials(who).grant()
            answer = await self._http.post(url, data=grant, auth=Signing(url, None))
        return answer.json()["access_token"]

    async def _call(self, method: str, node: str, path: str, who: str | None, **request: Any) -> Any:
        url = self.endpoints.urls[node] + path
        with told(node, url, who):
            answer = await self._http.request(method, url, auth=self._signing(who), **request)
        return answer.json()

    def _signing(self, who: str | None) -> Signing:
        """Raises: Trouble when the user's password is not kept here."""
        hub = self.endpoints.urls[self.endpoints.hub]
        if who is None:
            return Signing(hub, None)
        if who not in self._signings:
            self._signings[who] = Signing(hub, self._credentials(who))
        return self._signings[who]

    def _credentials(self, who: str) -> ClientSecret | Password:
        if who == OPERATOR:
            return ClientSecret(OPERATOR, self.endpoints.secret)
        return Password(who, self.passwords.of(who))


def away(node: str, url: str, error: Exception | None) -> Trouble:
    said = f"{type(error).__name__}: {error}" if error else ""
    return Trouble(
        (f"{node} 没有应答：{url}", f"{node} does not answer: {url} {said}".rstrip()),
        ("网络须在运行", "the network must be running"),
        (f"hubnet status 查看，hubnet logs {node} 看原因", f"see hubnet status and hubnet logs {node}"),
    )
