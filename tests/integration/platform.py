"""One platform of the network as an app over a database of its own, its clock and its callers in hand."""

import asyncio
import contextlib
import itertools
import os
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
from common import migrate
from common.contracts.envelope import wrap
from common.ids import new
from common.inbox import Raw
from common.settings import Settings
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.servers import TOPOLOGY

KEY = ECKey.generate_key("P-256", {"kid": "test"})
HUB = "http://hub.test"
numbers = itertools.count(1)


class Clock:
    """The platform's clock; tests move it."""

    def __init__(self):
        self.at = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Hohhot

    def __call__(self):
        return self.at

    def forward(self, **by):
        self.at += timedelta(**by)


class Platform:
    """The app, and people who call it."""

    def __init__(self, app, clock, node):
        self.app, self.clock, self.node = app, clock, node
        self.runtime = app.state.runtime
        self._clients = []

    def caller(self, subject, *roles, home=None):
        claims = {
            "iss": HUB, "aud": "hubnet", "sub": subject, "exp": int(time.time()) + 5 * 10**8,
            "roles": list(roles), "home": home,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://platform.test",
            headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
        )
        self._clients.append(client)
        return client

    async def hear(self, fact, *, source, recipient=None, message_id=None):
        """Deliver a fact as the hub would pass it on."""
        envelope = wrap(fact, id=message_id or new(), source=source, at=self.clock(), recipient=recipient)
        raw = Raw(envelope.model_dump_json().encode(), "hub", str(envelope.id), trusted=True)
        return (await self.runtime.inbox.deliver([raw]))[0]

    async def rows(self, query, *values):
        async with self.runtime.sessions() as session:
            connection = (await (await session.connection()).get_raw_connection()).driver_connection
            return await connection.fetch(query, *values)

    async def said(self, pattern="%"):
        """The envelopes owed to the hub, oldest first."""
        query = "SELECT envelope::json AS e FROM outbox WHERE feed = 'hub' AND type LIKE $1 ORDER BY id"
        return [row["e"] for row in await self.rows(query, pattern)]


@contextlib.asynccontextmanager
async def running(url, node, create):
    """The app that `create(settings, clock)` makes for a node on a database."""
    settings = Settings(node=node, topology=TOPOLOGY, database_url=url, hub_url=HUB, calls_per_minute=100_000)
    clock = Clock()

    async def keys():
        return {"keys": [KEY.as_dict(private=False)]}

    app = create(settings, clock)
    app.state.runtime.verifier.fetch = keys
    here = Platform(app, clock, node)
    try:
        yield here
    finally:
        for client in here._clients:
            await client.aclose()
        await here.runtime.engine.dispose()


def server() -> str:
    return os.environ["HUBNET_TEST_POSTGRES_URL"]


def url_of(role, database):
    parts = urlsplit(server())
    return urlunsplit(
        parts._replace(netloc=f"{role}:{role}@{parts.hostname}:{parts.port}", path=f"/{database}")
    )


def superuser_url(database):
    return urlunsplit(urlsplit(server())._replace(path=f"/{database}"))


async def execute(*statements, database=None):
    connection = await asyncpg.connect(superuser_url(database) if database else server())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def empty(of="upgrade"):
    """A database without tables, owned by an ordinary role as in a real installation; the name of both."""
    name = f"test_{of}_{new().hex[-12:]}"
    await execute(
        f"CREATE ROLE {name} LOGIN PASSWORD '{name}' NOSUPERUSER", f"CREATE DATABASE {name} OWNER {name}"
    )
    yield name
    await execute(f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}")


@contextlib.contextmanager
def migrated(packages):
    """A migrated database to copy, its owner's name."""
    with asyncio.Runner() as runner:
        place = empty(packages[-1])
        name = runner.run(place.__aenter__())
        migrate.upgrade(url_of(name, name), packages)
        yield name
        runner.run(place.__aexit__(None, None, None))


@contextlib.asynccontextmanager
async def copied(template):
    """The URL of a fresh copy of a migrated database."""
    name = f"{template}_{next(numbers)}"
    await execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {template}")
    yield url_of(template, name)
    await execute(f"DROP DATABASE {name} WITH (FORCE)")
