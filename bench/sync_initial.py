"""A region's catalogue into the hub and matchmaking: 14 windows with 2,000 offerings each, 10 clusters with 200.

All of it waits in the nodes' outboxes while the bus is down; the time runs from the bus's return until the
last row is at matchmaking. Against PostgreSQL alone: the same rows, in both shapes, upserted 500 at a time.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
from common import migrate

from bench import moving
from bench.moving import COPIES
from bench.running import Running, network, say
from bench.synthetic import Region
from tests import servers

# A smaller region, to look at something: HUBNET_BENCH_SHARE=0.1.
SHARE = float(os.environ.get("HUBNET_BENCH_SHARE", "1"))
AT_WINDOW, AT_CLUSTER = int(2_000 * SHARE), int(200 * SHARE)
BATCH = 500
GIVE_UP_S = 300.0
Rows = dict[str, dict[str, list[str]]]


async def moved(running: Running) -> tuple[int, float, float]:
    """How many entities; seconds until the hub had them, and until matchmaking had."""
    topology = running.network.topology
    counts = {node.id: AT_WINDOW for node in topology.of_kind("window")}
    counts |= {node.id: AT_CLUSTER for node in topology.of_kind("cluster")}
    await asyncio.to_thread(running.command, "stop", "nats")
    await moving.fill(running, Region(), counts)
    total = sum(count + -(-count // moving.EACH) for count in counts.values())
    await asyncio.to_thread(running.command, "start", "nats")
    started = time.perf_counter()
    hub, matchmaking = await asyncio.gather(
        *(_arrived(running, node, total, started) for node in ("hub", "matchmaking"))
    )
    return total, hub, matchmaking


async def _arrived(running: Running, node: str, total: int, started: float) -> float:
    async with moving.database(running, node) as connection:

        async def all_there() -> bool:
            # Counting reads the whole table, which would be a good part of the work that is measured.
            heard = await connection.fetchval("SELECT coalesce(sum(applied_seq), 0) FROM feeds_in")
            return heard >= total and await moving.held(connection, COPIES[node]) == total

        await moving.until(GIVE_UP_S, all_there, pause=0.25)
    return time.perf_counter() - started


async def copied(running: Running) -> Rows:
    """All rows of both services as they hold them, in batches of JSON."""
    rows: Rows = {}
    for node, tables in COPIES.items():
        async with moving.database(running, node) as connection:
            rows[node] = {table: await _batches(connection, table) for table in tables}
    return rows


async def _batches(connection: asyncpg.Connection, table: str) -> list[str]:
    lines = [
        row["line"] for row in await connection.fetch(f"SELECT row_to_json(t)::text AS line FROM {table} t")
    ]
    return [f"[{','.join(lines[start : start + BATCH])}]" for start in range(0, len(lines), BATCH)]


async def alone(rows: Rows) -> float:
    """Seconds PostgreSQL takes for the same rows, in both shapes at once, with nothing else to do."""
    with servers.folder() as folder, servers.postgres(servers.network(folder)) as url:
        server = await asyncpg.connect(url)
        connections = []
        for node in rows:
            await server.execute(f"CREATE DATABASE {node}")
            own = f"{url.rpartition('/')[0]}/{node}"
            await asyncio.to_thread(migrate.upgrade, own, migrate.PACKAGES[node])
            connections.append(await asyncpg.connect(own))
        started = time.perf_counter()
        await asyncio.gather(
            *(_upsert(one, tables) for one, tables in zip(connections, rows.values(), strict=True))
        )
        taken = time.perf_counter() - started
        for one in (*connections, server):
            await one.close()
        return taken


async def _upsert(connection: asyncpg.Connection, tables: dict[str, list[str]]) -> None:
    for table, batches in tables.items():
        columns = await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = $1"
            " AND column_name NOT IN ('owner', 'id')",
            table,
        )
        set_ = ", ".join(f"{row[0]} = excluded.{row[0]}" for row in columns)
        statement = (
            f"INSERT INTO {table} AS held SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)"
            f" ON CONFLICT (owner, id) DO UPDATE SET {set_}"
            " WHERE (excluded.epoch, excluded.version) > (held.epoch, held.version)"
        )
        for batch in batches:
            await connection.execute(statement, batch)


async def measured(running: Running) -> tuple[int, Sequence[float], Any]:
    total, *times = await moved(running)
    return total, times, await copied(running)


def main() -> None:
    with network() as running:
        running.up()
        total, (hub, matchmaking), rows = asyncio.run(measured(running))
    raw = asyncio.run(alone(rows))
    print(f"hub {hub:.1f} s, matchmaking {matchmaking:.1f} s; PostgreSQL alone {raw:.1f} s", flush=True)
    say(
        "sync_initial",
        total / matchmaking,
        "entities/s",
        "PostgreSQL alone, batched upserts of the same rows in the shape of the hub and of matchmaking",
        raw / matchmaking,
        entities=total,
        hub_s=round(hub, 1),
        matchmaking_s=round(matchmaking, 1),
        alone_per_s=round(total / raw),
    )
