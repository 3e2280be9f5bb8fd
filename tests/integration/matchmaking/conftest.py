"""A matchmaking service on a real PostgreSQL, fed through its inbox."""

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from common import migrate
from common.settings import Settings
from matchmaking.app import create_app
from sqlalchemy import text

from tests.integration.matchmaking.network import NOW, Network

TOPOLOGY = """
nodes:
  - {id: hub, kind: hub, zh: 枢纽平台, en: Hub, divisions: ["15"], port: 0}
  - {id: hohhot, kind: window, zh: 呼和浩特窗口平台, en: Hohhot window, divisions: ["1501"], port: 1}
  - {id: baotou, kind: window, zh: 包头窗口平台, en: Baotou window, divisions: ["1502"], port: 2}
  - {id: matchmaking, kind: matchmaking, zh: 供需对接, en: Matchmaking, divisions: ["15"], port: 40}
"""
TABLES = (
    "offerings, offering_versions, providers, provider_versions, ratings, demands, matches, runs, vectors, memos, "
    "invitations, quotations, engagements, rankings, subscriptions, opportunities, told_demands, "
    "opportunity_searches, allocations, campaign_lines, campaign_inputs, campaign_plans, campaigns, outbox, inbox, audit, dead_letters, inbox_failures, idempotency_keys"
)


@pytest.fixture(scope="session")
def matchmaking_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    server = os.environ["HUBNET_TEST_POSTGRES_URL"]
    name = f"test_matchmaking_{uuid.uuid4().hex[:8]}"
    url = f"{server.rpartition('/')[0]}/{name}"

    async def on_server(statement: str) -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(statement)
        await connection.close()

    folder: Path = tmp_path_factory.mktemp("matchmaking")
    (folder / "topology.yaml").write_text(TOPOLOGY, encoding="utf-8")
    asyncio.run(on_server(f"CREATE DATABASE {name}"))
    try:
        migrate.upgrade(url, migrate.PACKAGES["matchmaking"])
        yield Settings(
            node="matchmaking", topology=folder / "topology.yaml", database_url=url, embeddings="off"
        )
    finally:
        asyncio.run(on_server(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def network(matchmaking_settings: Settings):
    app = create_app(matchmaking_settings, now=lambda: NOW)
    found = Network(app)
    async with app.state.runtime.sessions.begin() as tx:
        await tx.execute(text(f"TRUNCATE {TABLES}"))
    yield found
    await app.state.runtime.engine.dispose()
