"""One platform of the network as an app over a database of its own, its clock and its callers in hand."""

import asyncio
import itertools
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from agency import slices
from common import migrate
from common.contracts.envelope import wrap
from common.http import build
from common.ids import new
from common.inbox import Raw
from common.settings import Settings
from joserfc import jwt
from joserfc.jwk import ECKey
from reference import credit_code

ROOT = Path(__file__).parents[3]
KEY = ECKey.generate_key("P-256", {"kid": "test"})
PACKAGES = ("common", "agency")
NODE = "baotou"
HUB = "http://hub.test"
_numbers = itertools.count(1)


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

    async def close(self):
        for client in self._clients:
            await client.aclose()
        await self.runtime.engine.dispose()


def server() -> str:
    return os.environ["HUBNET_TEST_POSTGRES_URL"]


async def _execute(*statements):
    connection = await asyncpg.connect(server())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template():
    """A migrated database that tests copy."""
    name = f"test_agency_{new().hex[-12:]}"
    asyncio.run(_execute(f"CREATE DATABASE {name}"))
    migrate.upgrade(server().rsplit("/", 1)[0] + "/" + name, PACKAGES)
    yield name
    asyncio.run(_execute(f"DROP DATABASE {name}"))


@pytest.fixture
async def url(template):
    name = f"{template}_{next(_numbers)}"
    await _execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server().rsplit("/", 1)[0] + "/" + name
    await _execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def platform(url):
    settings = Settings(
        node=NODE,
        topology=ROOT / "deploy/topology.yaml",
        database_url=url,
        hub_url=HUB,
        calls_per_minute=100_000,
    )
    clock = Clock()

    async def keys():
        return {"keys": [KEY.as_dict(private=False)]}

    app = build(
        settings, title="t", summary="s", routers=slices.routers, routes=slices.routes(NODE, clock), now=clock
    )
    app.state.runtime.verifier.fetch = keys
    here = Platform(app, clock, NODE)
    yield here
    await here.close()


@pytest.fixture
def staff(platform):
    return platform.caller("staff-1", "window_staff", "cluster_staff", home=platform.node)


@pytest.fixture
def agency(platform):
    return platform.caller("agency-1", "agency")


@pytest.fixture
def other(platform):
    return platform.caller("agency-2", "agency")


def fresh_code() -> str:
    return credit_code.complete(f"911502{next(_numbers):011d}")


def registration(**changes):
    return {
        "name": "示例·包头稀土检测有限公司", "credit_code": fresh_code(), "division": "150203",
        "categories": ["technology_quality.testing"], "profile": "检测", "contact_name": "张三丰",
        "contact_phone": "13800138000", "contact_email": "secret.person@example.com",
    } | changes  # fmt: skip


def offering(provider_id, **changes):
    return {
        "provider_id": provider_id, "title": "磁性能检测", "summary": "五日出报告",
        "category": "technology_quality.testing", "service_area": ["1502"],
        "price": {"from_cents": 100, "to_cents": 200, "unit": "sample"},
    } | changes  # fmt: skip


@pytest.fixture
async def provider(agency, staff):
    """An active provider of `agency`."""
    made = (await agency.post("/v1/providers", json=registration())).json()
    done = await staff.post(f"/v1/providers/{made['id']}/verification", json={"decision": "approve"})
    assert done.status_code == 200, done.text
    return done.json()


@pytest.fixture
def make():
    """Bodies that are right, for tests to spoil."""

    class Make:
        registration = staticmethod(registration)
        offering = staticmethod(offering)
        code = staticmethod(fresh_code)

    return Make
