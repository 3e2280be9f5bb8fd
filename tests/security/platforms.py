"""The four kinds of service as apps over databases of their own, and the words to drive them."""

import asyncio
import importlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import httpx
from common import ids, migrate
from common.contracts.envelope import Fact, wrap
from common.inbox import Raw, Verdict
from common.limits import Limiter
from common.settings import Settings
from joserfc import jwt
from joserfc.jwk import ECKey

from tests import servers

NODES = {"hub": "hub", "window": "hohhot", "cluster": "baotou-rare-earth", "matchmaking": "matchmaking"}
ISSUER = "http://127.0.0.1:18000"
KEY = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"})
PEPPER = secrets.token_urlsafe(32)  # one, as several processes of a hub over one database have
EVERY_ROLE = ("sme", "agency", "window_staff", "cluster_staff", "operator", "department")
METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    """One call of a service's OpenAPI document."""

    method: str
    path: str
    media: str | None  # of its body, None: it takes none
    example: Any
    queries: tuple[str, ...]  # those it cannot do without

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def url(self, **known: str) -> str:
        """Its address, with a made-up value for every part of the path that is not known."""
        made = {
            "owner": NODES["window"], "platform": NODES["window"], "version": "1", "number": "1", "form": "csv",
        } | known  # fmt: skip
        path = re.sub(r"\{(\w+)\}", lambda part: made.get(part[1], str(uuid4())), self.path)
        return path + ("?" + "&".join(self.queries) if self.queries else "")


class Platform:
    """One service: its app, its callers, its database."""

    def __init__(self, kind: str, database: str, folder: Path, **settings: Any):
        self.kind, self.node = kind, NODES[kind]
        pepper = folder / "pepper"
        if not pepper.exists():
            pepper.write_text(PEPPER)
        self.settings = Settings(
            node=self.node, topology=servers.TOPOLOGY, database_url=database, hub_url=ISSUER, pepper_file=pepper,
            bootstrap_client_file=pepper, pool_size=2, pool_overflow=4,
            **{"calls_per_minute": 10**9} | settings,
        )  # fmt: skip
        self.app = importlib.import_module(f"{kind}.app").create_app(self.settings)
        self.runtime = self.app.state.runtime
        self.runtime.verifier.fetch = _keys
        if kind == "hub":
            for limit in ("_person", "_address", "_machine", "_registration"):
                setattr(self.app.state.hub.attempts, limit, Limiter(10**9))
        self._connection: asyncpg.Connection | None = None
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=f"http://{self.node}",
        )

    @property
    def operations(self) -> list[Operation]:
        return operations(self.app.openapi())

    def claims(self, subject: str, *roles: str, home: str | None = None) -> dict[str, Any]:
        return {
            "iss": ISSUER, "aud": "hubnet", "sub": subject, "roles": list(roles), "home": home,
            "exp": int(time.time()) + 600, "jti": str(uuid4()),
        }  # fmt: skip

    def who(self, subject: str, *roles: str, home: str | None = None) -> dict[str, str]:
        return bearer(signed(self.claims(subject, *roles, home=home)))

    def anybody(self) -> dict[str, str]:
        """A new caller with every role there is, at home on this platform."""
        return self.who(str(uuid4()), *EVERY_ROLE, home=self.node)

    async def post(self, path: str, who: dict[str, str], body: Any = None, **headers: str) -> Any:
        answer = await self.http.post(path, json=body, headers=who | headers)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        return answer.json()

    async def get(self, path: str, who: dict[str, str]) -> Any:
        answer = await self.http.get(path, headers=who)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        if self._connection is None:
            self._connection = await asyncpg.connect(self.settings.database_url)
        return await self._connection.fetch(query, *values)

    async def alive(self) -> bool:
        return (await self.http.get("/readyz")).status_code == 200

    def heard(self, fact: Fact, source: str, **envelope: Any) -> dict[str, Any]:
        """The envelope of a fact as JSON, for tests to spoil."""
        made = wrap(fact, id=ids.new(), source=source, at=self.runtime.clock(), recipient=self.node)
        return json.loads(made.model_dump_json(exclude_none=True)) | envelope

    async def hear(self, data: bytes, sender: str, *, key: str | None = None) -> Verdict:
        """Let bytes arrive over the bus. The hub trusts nobody, the others trust the hub."""
        trusted = self.kind != "hub" and sender == "hub"
        (verdict,) = await self.runtime.inbox.deliver([Raw(data, sender, key or str(uuid4()), trusted)])
        return verdict

    async def close(self) -> None:
        await self.http.aclose()
        if self._connection is not None:
            await self._connection.close()
        await self.runtime.engine.dispose()


async def _keys() -> dict[str, Any]:
    return {"keys": [KEY.as_dict(private=False)]}


def signed(claims: dict[str, Any], key: ECKey = KEY, **header: Any) -> str:
    return jwt.encode({"alg": "ES256", "kid": "test"} | header, claims, key)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def operations(document: dict[str, Any]) -> list[Operation]:
    return list(_operations(document))


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if method not in METHODS:
                continue
            content = call.get("requestBody", {}).get("content", {})
            media = next(iter(content), None)
            queries = tuple(
                f"{p['name']}=2026-11-23T02:00:00Z"
                for p in call.get("parameters", ())
                if p["in"] == "query" and p.get("required")
            )
            # A stream that is asked for no time says what it has and ends.
            queries += tuple("seconds=0" for p in call.get("parameters", ()) if p["name"] == "seconds")
            example = _example(document, content[media]) if media else None
            yield Operation(method, path, media, example, queries)


def _example(document: dict[str, Any], content: dict[str, Any]) -> Any:
    schema = content["schema"]
    if "example" in content:
        return content["example"]
    for choice in schema.get("anyOf", [schema]):
        if "$ref" in choice:
            return document["components"]["schemas"][choice["$ref"].rpartition("/")[2]]["examples"][0]
    return {"grant_type": "password", "username": "nobody", "password": "not-the-right-one"}


class Cradle:
    """Makes and drops the databases of the platforms."""

    def __init__(self, server: str):
        self.server, self._made = server, list[str]()

    async def database(self, kind: str) -> str:
        name = f"test_security_{kind}_{secrets.token_hex(4)}"
        await self._administer(f"CREATE DATABASE {name}")
        self._made.append(name)
        url = f"{self.server.rsplit('/', 1)[0]}/{name}"
        await asyncio.to_thread(migrate.upgrade, url, migrate.PACKAGES[kind])
        return url

    async def drop(self) -> None:
        await self._administer(*(f"DROP DATABASE {name} WITH (FORCE)" for name in self._made))

    async def _administer(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.server)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
