"""The hybrid search a user would build on PostgreSQL: tsvector with GIN, pgvector with HNSW, both in one query.

The words are cut by the same dictionary; hard conditions are in WHERE; the two lists are fused by rank.
The server has memory for all of it, parallel workers, and statements that are prepared.
"""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from localnet.postgres import EmbeddedPostgres
from matchmaking.demands.domain import categories_within
from matchmaking.matching import words
from matchmaking.matching.listing import wording
from matchmaking.matching.retrieval import Document
from matchmaking.offerings.domain import document

from bench.synthetic import Asked, Batch
from tests import servers

SETTINGS = {
    "shared_buffers": "2GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "2GB",
    "max_wal_size": "4GB",
    "max_parallel_workers_per_gather": "2",
    "max_parallel_maintenance_workers": "2",
    "max_worker_processes": "8",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
}
SESSION = (
    "hnsw.ef_search = 100",
    "hnsw.iterative_scan = relaxed_order",
    "plan_cache_mode = force_custom_plan",
)
TABLE = """
CREATE UNLOGGED TABLE offerings (
  id uuid PRIMARY KEY, platform text NOT NULL, provider_name text NOT NULL, title text NOT NULL,
  category text NOT NULL, division text NOT NULL, service_area text[] NOT NULL, from_cents bigint, to_cents bigint,
  lead_days int, size_classes text[] NOT NULL, state text NOT NULL, words tsvector NOT NULL, meaning halfvec(384)
)"""
TAKEN = """
INSERT INTO offerings SELECT id, platform, provider_name, title, category, division, service_area, from_cents,
  to_cents, lead_days, size_classes, state, words::tsvector, meaning::vector(384)::halfvec(384)
FROM taken"""
INDEXES = (
    "CREATE INDEX words ON offerings USING gin (words)",
    "CREATE INDEX meaning ON offerings USING hnsw (meaning halfvec_ip_ops) WITH (m = 16, ef_construction = 64)",
)
HARD = """state = 'published' AND (service_area = '{}' OR service_area && $3)
  AND (size_classes = '{}' OR $4 = ANY (size_classes)) AND ($5::bigint IS NULL OR from_cents <= $5)"""
FUSED = """
WITH said AS (
  SELECT id, row_number() OVER (ORDER BY rank DESC, id) AS place FROM (
    SELECT id, ts_rank(words, $1::text::tsquery) AS rank FROM offerings WHERE words @@ $1::text::tsquery AND {hard}
    ORDER BY rank DESC LIMIT 100) AS best
), meant AS (
  SELECT id, row_number() OVER (ORDER BY distance, id) AS place FROM (
    SELECT id, meaning <#> $2::real[]::vector(384)::halfvec(384) AS distance FROM offerings WHERE {hard}
    ORDER BY meaning <#> $2::real[]::vector(384)::halfvec(384) LIMIT 100) AS nearest
), fused AS (
  SELECT id, sum(1.0 / (60 + place)) AS score FROM (SELECT * FROM said UNION ALL SELECT * FROM meant) AS proposed
  GROUP BY id ORDER BY score DESC, id LIMIT 20
)
SELECT fused.score, o.id, o.platform, o.provider_name, o.title, o.category, o.division, o.from_cents, o.to_cents,
  o.lead_days FROM fused JOIN offerings AS o USING (id) ORDER BY fused.score DESC, o.id"""
COLUMNS = (
    "id", "platform", "provider_name", "title", "category", "division", "service_area", "from_cents", "to_cents",
    "lead_days", "size_classes", "state", "words", "meaning",
)  # fmt: skip
TYPES = [
    "uuid",
    "text",
    "text",
    "text",
    "text",
    "text",
    "text[]",
    "bigint",
    "bigint",
    "int",
    "text[]",
    "text",
    "text",
    "real[]",
]


class Peer:
    """A table of offerings and its query."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def prepare(self) -> None:
        await self._connection.execute("CREATE EXTENSION vector")
        columns = ", ".join(f"{name} {type_}" for name, type_ in zip(COLUMNS, TYPES, strict=True))
        await self._connection.execute(TABLE)
        await self._connection.execute(f"CREATE TEMPORARY TABLE taken ({columns})")
        for setting in SESSION:
            await self._connection.execute(f"SET {setting}")

    async def begin(self) -> None:
        """Before rows are added: they are indexed afterwards, all at once."""
        await self._connection.execute("DROP INDEX IF EXISTS words, meaning")

    async def add(self, batch: Batch) -> None:
        rows: list[tuple[Any, ...]] = []
        for (owner, packed, _), vector in zip(batch.said, batch.vectors, strict=True):
            body = json.loads(packed)
            text = document(body)
            price = body["price"]
            row = (
                body["id"], owner, body["provider_name"], body["title"], body["category"], body["division"],
                body["service_area"], price["from_cents"], price["to_cents"], body["lead_days"],
                body["size_classes"], body["state"], lexemes(text), vector.tolist(),
            )  # fmt: skip
            rows.append(row)
        await self._connection.copy_records_to_table("taken", records=rows, columns=COLUMNS)
        await self._connection.execute(TAKEN)
        await self._connection.execute("TRUNCATE taken")

    async def index(self) -> float:
        """Seconds to build both indexes."""
        started = time.perf_counter()
        for statement in INDEXES:
            await self._connection.execute(statement)
        await self._connection.execute("VACUUM ANALYZE offerings")
        return time.perf_counter() - started

    async def times(self, needs: Sequence[Asked], rounds: int) -> list[list[float]]:
        """Milliseconds of each need in each round; one more goes before, unmeasured."""
        everywhere = await self._connection.prepare(FUSED.format(hard=HARD))
        within = await self._connection.prepare(FUSED.format(hard=f"{HARD} AND category = ANY ($6)"))
        found: list[list[float]] = []
        for _ in range(rounds + 1):
            found.append([])
            for asked in needs:
                given, own = arguments(asked), categories_within(asked.demand.category)
                started = time.perf_counter()
                # What is cut and packed for the query is part of the search, as it is of ours.
                rows = await (everywhere.fetch(*given) if own is None else within.fetch(*given, list(own)))
                found[-1].append((time.perf_counter() - started) * 1000)
                assert len(rows) <= 20
        return found[1:]


def lexemes(text: Document) -> str:
    """Words with their places, those of the title weighing more."""
    titled, said = words.of(text.title), words.of(text.body)
    placed = [f"{quoted(word)}:{place}A" for place, word in enumerate(titled, 1)]
    placed += [f"{quoted(word)}:{place}" for place, word in enumerate(said, len(titled) + 1)]
    return " ".join(placed)


def quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def arguments(asked: Asked) -> list[Any]:
    demand = asked.demand
    said = " | ".join(map(quoted, words.sought(wording(demand))))
    area = [demand.division[:2], demand.division[:4], demand.division]
    return [said, asked.vector.tolist(), area, demand.size_class, demand.budget.to_cents]


@contextlib.asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    """On a server of its own, which goes again."""
    with servers.folder() as folder:
        place = servers.network(folder)
        server = EmbeddedPostgres(
            place.folder.postgres,
            place.port("postgres"),
            place.secrets.postgres_file,
            place.folder.log("postgres"),
        )
        server.prepare()
        try:
            connection = await asyncpg.connect(server.start())
            for name, value in SETTINGS.items():
                await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            await connection.close()
            server.stop()
            connection = await asyncpg.connect(server.start())
            made = Peer(connection)
            await made.prepare()
            yield made
            await connection.close()
        finally:
            server.stop()
