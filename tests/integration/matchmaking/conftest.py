"""A matchmaking service on a real PostgreSQL, fed through its inbox."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import Collection, Iterator

import asyncpg
import pytest
from common import migrate
from common.settings import Settings
from matchmaking.app import create_app
from sqlalchemy import text

from tests.integration.matchmaking.network import Clock, Network
from tests.integration.platform import HUB

TOPOLOGY = """
nodes:
  - {id: hub, kind: hub, zh: 枢纽平台, en: Hub, divisions: ["15"], port: 0}
  - {id: hohhot, kind: window, zh: 呼和浩特窗口平台, en: Hohhot window, divisions: ["1501"], port: 1}
  - {id: baotou, kind: window, zh: 包头窗口平台, en: Baotou window, divisions: ["1502"], port: 2}
  - {id: matchmaking, kind: matchmaking, zh: 供需对接, en: Matchmaking, divisions: ["15"], port: 40}
"""


@contextlib.contextmanager
def _settings(factory: pytest.TempPathFactory, **changes: object) -> Iterator[Settings]:
    server = os.environ["HUBNET_TEST_POSTGRES_URL"]
    name = f"test_matchmaking_{uuid.uuid4().hex[:8]}"
    url = f"{server.rpartition('/')[0]}/{name}"

    async def on_server(statement: str) -> None:
        connection = await asyncpg.connect(server)
        await connection.execute(statement)
        await connection.close()

    topology = factory.mktemp("matchmaking") / "topology.yaml"
    topology.write_text(TOPOLOGY, encoding="utf-8")
    asyncio.run(on_server(f"CREATE DATABASE {name}"))
    try:
        migrate.upgrade(url, migrate.PACKAGES["matchmaking"])
        given = {
            "node": "matchmaking", "topology": topology, "database_url": url, "hub_url": HUB,
            "calls_per_minute": 100_000,
        }  # fmt: skip
        yield Settings.model_validate(given | changes)
    finally:
        asyncio.run(on_server(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def matchmaking_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with _settings(tmp_path_factory, embeddings="off") as found:
        yield found


@pytest.fixture(scope="session")
def meanings_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """With the embedded model. What it has read of the anchors stays from test to test."""
    with _settings(tmp_path_factory, embeddings="embedded", embeddings_timeout_s=60) as found:
        yield found


async def _empty(network: Network, but: Collection[str] = ()) -> None:
    tables = await network.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = {row["tablename"] for row in tables} - {"alembic_version", *but}
    async with network.runtime.sessions.begin() as tx:
        await tx.execute(text(f"TRUNCATE {', '.join(sorted(names))}"))


@pytest.fixture
async def opened():
    """Opens processes of the service: `opened(settings, clock)`; all are closed again."""
    networks: list[Network] = []

    def open_(settings: Settings, clock: Clock | None = None) -> Network:
        clock = clock or Clock()
        networks.append(Network(create_app(settings, now=clock), clock))
        return networks[-1]

    yield open_
    for network in networks:
        await network.close()


@pytest.fixture
async def network(matchmaking_settings: Settings, opened):
    """One process that goes by words alone."""
    found = opened(matchmaking_settings)
    await _empty(found)
    return found


@pytest.fixture
async def meanings(meanings_settings: Settings, opened):
    """One process with the embedded model, its space known."""
    found = opened(meanings_settings)
    await _empty(found, but=("vectors", "memos"))
    await found.read()
    return found
