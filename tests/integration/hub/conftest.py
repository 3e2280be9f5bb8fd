"""A hub on a real database, driven through its own doors: HTTP, and the inbox the bus feeds."""

import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from common import migrate
from common.contracts import (
    demands,
    engagements,
    invitations,
    matches,
    offerings,
    progress,
    providers,
    quotations,
    ratings,
)
from common.contracts.envelope import Fact, wrap
from common.inbox import Raw, Verdict
from common.settings import Settings
from hub.app import create_app
from hub.provision import first_operator

from tests.integration.hub.handing_in import hand_in, push  # noqa: F401  fixtures for all
from tests.integration.hub.live import living

ROOT = Path(__file__).parents[3]
PASSWORD = "a-long-enough-one"


class Clock:
    """Starts at the real time, for verifiers compare tokens with it; tests move it."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def move(self, **by: float) -> None:
        self.shift += timedelta(**by)


def _server() -> str:
    return os.environ["HUBNET_TEST_POSTGRES_URL"]


def _named(url: str, database: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{database}"


async def _administer(*statements: str) -> None:
    connection = await asyncpg.connect(_server())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template():
    """A database built by the migrations; every test gets a copy."""
    import asyncio

    name = f"test_hub_{secrets.token_hex(4)}"
    asyncio.run(_administer(f"CREATE DATABASE {name}"))
    migrate.upgrade(_named(_server(), name), migrate.PACKAGES["hub"])
    yield name
    asyncio.run(_administer(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(template):
    name = f"test_hub_{secrets.token_hex(4)}"
    await _administer(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(_server(), name)
    await _administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def settings(database, tmp_path):
    pepper, client = tmp_path / "pepper", tmp_path / "client"
    pepper.write_text(secrets.token_urlsafe(32))
    client.write_text(secrets.token_urlsafe(32))
    return Settings(
        node="hub",
        topology=ROOT / "deploy" / "topology.yaml",
        database_url=database,
        pepper_file=pepper,
        bootstrap_client_file=client,
        pool_size=2,
        pool_overflow=4,
    )


class World:
    """One hub and everybody who talks to it."""

    def __init__(self, app: Any, settings: Settings, clock: Clock, password: str):
        self.app, self.settings, self.clock, self.operator_password = app, settings, clock, password
        self.http = self.client()

    def client(self, ip: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(ip, 4711), raise_app_exceptions=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://hub", headers={"Accept-Language": "en"}
        )

    async def grant(self, ip: str = "127.0.0.1", **fields: str) -> httpx.Response:
        async with self.client(ip) as client:
            return await client.post("/oauth/token", data=fields)

    async def operator(self) -> dict[str, str]:
        secret = self.settings.bootstrap_client_file.read_text()
        answer = await self.grant(
            grant_type="client_credentials", client_id="hubnet-cli", client_secret=secret
        )
        return bearer(answer.json()["access_token"])

    async def person(self, username: str, *roles: str, home: str | None = None) -> dict[str, str]:
        made = await self.http.post(
            "/v1/staff",
            json={"username": username, "password": PASSWORD, "roles": roles, "home": home},
            headers=await self.operator(),
        )
        assert made.status_code == 201, made.text
        answer = await self.grant(grant_type="password", username=username, password=PASSWORD)
        return bearer(answer.json()["access_token"])

    async def say(
        self, source: str, *facts: Fact, to: str | None = None, id: UUID | None = None
    ) -> list[Verdict]:
        """Let facts of a node arrive over the bus."""
        return await self.app.state.runtime.inbox.deliver(
            [self.raw(source, fact, to=to, id=id) for fact in facts]
        )

    def raw(
        self,
        source: str,
        fact: Fact,
        *,
        to: str | None = None,
        id: UUID | None = None,
        seq: int | None = None,
    ) -> Raw:
        envelope = wrap(fact, id=id or uuid4(), source=source, at=self.clock(), recipient=to)
        document = json.loads(envelope.model_dump_json(exclude_none=True))
        if seq is not None:
            document["feedseq"] = seq
        return Raw(json.dumps(document).encode(), source, str(envelope.id))

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.settings.database_url)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def world(settings, clock):
    password = await first_operator(settings)
    app = create_app(settings, now=clock)
    world = World(app, settings, clock, password)
    yield world
    await world.http.aclose()
    await app.state.runtime.engine.dispose()


@pytest.fixture
async def hub(settings):
    """The hub with its background work, over HTTP."""
    async with living(settings) as live:
        yield live


class Facts:
    """Facts as platforms say them; whatever is not told has a plain value."""

    def __init__(self, clock: Clock):
        self.now = clock

    def provider(
        self, id: UUID, version: int = 1, state: str = "active", **other: Any
    ) -> providers.ProviderVerified:
        known = {"name": "包头稀土检测中心", "credit_code": "91150200MA0N0000X1", "division": "150200"}
        return providers.ProviderVerified(**known | {"id": id, "version": version, "state": state} | other)

    def offering(
        self, id: UUID, provider_id: UUID, version: int = 1, state: str = "published", **other: Any
    ) -> offerings.Offering:
        known = {
            "provider_name": "包头稀土检测中心", "kind": "service", "title": "稀土材料成分检测",
            "summary": "ICP-MS 检测，三日出报告", "category": "testing", "division": "150200",
        }  # fmt: skip
        fact = {
            "retired": offerings.OfferingRetired, "paused": offerings.OfferingPaused,
        }.get(state, offerings.OfferingPublished)  # fmt: skip
        values = known | {"id": id, "provider_id": provider_id, "version": version, "state": state} | other
        return fact(**values)

    def demand(self, id: UUID, version: int = 1, state: str = "submitted", **other: Any) -> demands.Demand:
        known = {
            "number": "HH-2026-000001", "title": "求购乳品检测服务", "text": "每月十批次奶样检测", "industry": "C",
            "division": "150102", "size_class": "small", "submitted_at": self.now(), "changed_at": self.now(),
        }  # fmt: skip
        fact = {"submitted": demands.DemandSubmitted, "matched": demands.DemandMatched}.get(
            state, demands.DemandProgressed
        )
        return fact(**known | {"id": id, "version": version, "state": state} | other)

    def match(self, demand_id: UUID) -> matches.MatchComputed:
        return matches.MatchComputed(
            id=uuid4(), version=1, demand_id=demand_id, demand_version=1, outcome="no_match", engine="bm25",
            considered=0, computed_at=self.now(),
        )  # fmt: skip

    def invitation(self, demand_id: UUID, *, window: str, platform: str) -> invitations.InvitationIssued:
        return invitations.InvitationIssued(
            id=uuid4(), version=1, demand_id=demand_id, demand_window=window, platform=platform,
            provider_id=uuid4(), provider_name="王小明工作室", offering_id=uuid4(), offering_version=1,
            offering_title="检测", respond_by=self.now(), state="issued", issued_at=self.now(),
            demand={"number": "1", "title": "检测", "text": "检测", "division": "150102", "size_class": "small"},
        )  # fmt: skip

    def quotation(self, demand_id: UUID, *, window: str, platform: str) -> quotations.QuotationSubmitted:
        return quotations.QuotationSubmitted(
            id=uuid4(), version=1, invitation_id=uuid4(), demand_id=demand_id, demand_window=window,
            platform=platform, provider_id=uuid4(), provider_name="王小明工作室", offering_id=uuid4(),
            offering_version=1, state="submitted", revision=1, price_cents=4_200_000, scope="机密方案正文",
            answered_at=self.now(),
        )  # fmt: skip

    def engagement(self, demand_id: UUID, *, window: str, platform: str) -> engagements.EngagementCreated:
        return engagements.EngagementCreated(
            id=uuid4(), version=1, demand_id=demand_id, demand_window=window, demand_number="1", title="检测",
            enterprise_name="蒙原食品", invitation_id=uuid4(), quotation_id=uuid4(), quotation_revision=1,
            platform=platform, provider_id=uuid4(), provider_name="王小明工作室", price_cents=1,
            state="created", created_at=self.now(),
        )  # fmt: skip

    def progress(self, demand_id: UUID, engagement_id: UUID, *, window: str) -> progress.ProgressReported:
        return progress.ProgressReported(
            id=uuid4(), version=1, engagement_id=engagement_id, demand_id=demand_id, demand_window=window,
            provider_id=uuid4(), step="delivered", reported_at=self.now(),
        )  # fmt: skip

    def rating(self, demand_id: UUID, *, platform: str) -> ratings.RatingGiven:
        return ratings.RatingGiven(
            id=uuid4(), version=1, engagement_id=uuid4(), demand_id=demand_id, platform=platform,
            provider_id=uuid4(), grade=5, text="张经理非常满意", rated_at=self.now(),
        )  # fmt: skip


@pytest.fixture
def facts(clock):
    return Facts(clock)
