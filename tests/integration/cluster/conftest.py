"""One platform of the network as an app over a database of its own, its clock and its callers in hand."""

import asyncio
import itertools
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import yaml
from cluster.app import create_app
from cluster.resources.schemas import ResourceIn
from common import migrate
from common.ids import new
from common.node import parse
from common.settings import Settings
from joserfc import jwt
from joserfc.jwk import ECKey
from reference import credit_code

ROOT = Path(__file__).parents[3]
KEY = ECKey.generate_key("P-256", {"kid": "test"})
PACKAGES = ("common", "agency", "cluster")
TOPOLOGY = ROOT / "deploy/topology.yaml"
NODE = next(
    node.id for node in parse(yaml.safe_load(TOPOLOGY.read_text(encoding="utf-8"))).of_kind("cluster")
)
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


def _as(role, database):
    parts = urlsplit(server())
    return urlunsplit(
        parts._replace(netloc=f"{role}:{role}@{parts.hostname}:{parts.port}", path=f"/{database}")
    )


@pytest.fixture(scope="session")
def template():
    """A migrated database that tests copy."""
    name = f"test_cluster_{new().hex[-12:]}"
    # Owned and migrated by an ordinary role, as in a real installation.
    asyncio.run(
        _execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{name}' NOSUPERUSER", f"CREATE DATABASE {name} OWNER {name}"
        )
    )
    migrate.upgrade(_as(name, name), PACKAGES)
    yield name
    asyncio.run(_execute(f"DROP DATABASE {name}", f"DROP ROLE {name}"))


@pytest.fixture
def template_url(template):
    return _as(template, template)


@pytest.fixture
async def url(template):
    name = f"{template}_{next(_numbers)}"
    await _execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {template}")
    yield _as(template, name)
    await _execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def platform(url):
    settings = Settings(node=NODE, topology=TOPOLOGY, database_url=url, hub_url=HUB, calls_per_minute=100_000)
    clock = Clock()

    async def keys():
        return {"keys": [KEY.as_dict(private=False)]}

    app = create_app(settings, clock)
    app.state.runtime.verifier.fetch = keys
    here = Platform(app, clock, NODE)
    yield here
    await here.close()


@pytest.fixture
def staff(platform):
    return platform.caller("staff-1", "cluster_staff", home=platform.node)


@pytest.fixture
def lab(platform):
    return platform.caller("lab-1", "agency")


@pytest.fixture
def sme(platform):
    return platform.caller("sme-1", "sme")


@pytest.fixture
async def provider(lab, staff):
    """An active provider of `lab`."""
    body = {
        "name": "示例·稀土实验室", "credit_code": credit_code.complete(f"121502{next(_numbers):011d}"),
        "division": "150203", "contact_name": "李四", "contact_phone": "0472-5200000",
        "contact_email": "lab@example.com",
    }  # fmt: skip
    made = (await lab.post("/v1/providers", json=body)).json()
    done = await staff.post(f"/v1/providers/{made['id']}/verification", json={"decision": "approve"})
    assert done.status_code == 200, done.text
    return done.json()


def form(provider_id, **changes):
    (example,) = ResourceIn.model_config["json_schema_extra"]["examples"]
    return example | {"provider_id": provider_id} | changes


@pytest.fixture
def resource_form():
    """A form that is right, for tests to spoil."""
    return form


@pytest.fixture
async def resource(lab, staff, provider):
    """A published instrument, open on working days from 8:30 to 17:30."""
    made = await lab.post("/v1/resources", json=form(provider["id"]))
    assert made.status_code == 201, made.text
    done = await staff.post(f"/v1/resources/{made.json()['id']}/review", json={"decision": "publish"})
    assert done.status_code == 200, done.text
    return done.json()
