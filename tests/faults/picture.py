"""Everything the databases hold once nothing moves any more, read past all doors."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from common import audit

from tests.faults.network import Running

QUERIES = {
    "offerings": "SELECT id, epoch, version, state, title FROM offerings",
    "providers": "SELECT id, epoch, version, state, name AS title FROM providers",
    "demands": "SELECT id, epoch, version, content_version, state, title, engagement_id FROM demands",
    "unmatched": "SELECT id FROM demands WHERE state = 'submitted'",
    "results": "SELECT id, demand_id, version, (body->>'demand_version')::bigint AS demand_version FROM matches",
}
AT_HUB = {
    "offerings": "SELECT owner, id, epoch, version, deleted, content_hash, forked, body->>'title' AS title FROM catalogue_offerings",
    "providers": "SELECT owner, id, epoch, version, deleted, content_hash, forked, body->>'name' AS title FROM catalogue_providers",
    "cases": "SELECT id, owner AS window FROM cases",
}
AT_MATCHMAKING = {
    "offerings": "SELECT owner, id, epoch, version, deleted, content_hash, forked, body->>'title' AS title FROM offerings",
    "providers": "SELECT owner, id, epoch, version, deleted, content_hash, forked, body->>'name' AS title FROM providers",
    "demands": "SELECT owner, id, epoch, version, deleted, state FROM demands",
    "matches": "SELECT owner, demand_id, demand_epoch, demand_version, count(*) FROM matches GROUP BY 1, 2, 3, 4",
    "told": """SELECT envelope::jsonb->'data'->>'id' AS id, envelope::jsonb->'data'->>'version' AS version, count(*)
               FROM outbox WHERE type = 'match.computed.v1' GROUP BY 1, 2""",
}
EVERYWHERE = {
    "dead": "SELECT message_key, source, reason, detail FROM dead_letters",
    "owed": "SELECT feed, count(*) FROM outbox WHERE sent_at IS NULL GROUP BY 1",
    "unconfirmed": "SELECT feed, last_seq, confirmed_seq FROM feeds_out WHERE feed <> 'self' AND confirmed_seq < last_seq",
    "unsealed": "SELECT count(*) FROM audit WHERE seq IS NULL",
    "audited": """SELECT object_id, action, detail->>'version' AS version, count(*) FROM audit
                  WHERE detail ? 'version' GROUP BY 1, 2, 3""",
}
MOVING = frozenset({"owed", "unconfirmed", "unsealed", "unmatched"})
LOOKS, PAUSE_S = 3, 0.1
Rows = list[asyncpg.Record]


@dataclass
class Picture:
    """Rows by node and name of a query; and what is wrong with each node's audit chain."""

    rows: Mapping[str, Mapping[str, Rows]]
    chains: Mapping[str, list[str]] = field(default_factory=dict)

    def of(self, node: str, name: str) -> Rows:
        return self.rows[node].get(name, [])


def queries(running: Running, node: str) -> dict[str, str]:
    kind = running.network.topology.node(node).kind
    own = {
        "hub": AT_HUB,
        "matchmaking": AT_MATCHMAKING,
        "window": QUERIES,
        "cluster": {name: QUERIES[name] for name in ("offerings", "providers")},
    }[kind]
    return EVERYWHERE | own


async def take(running: Running, only: Collection[str] | None = None) -> Picture:
    """All of it, with the audit chains recomputed; or `only` some of the queries."""

    async def one(node: str) -> tuple[dict[str, Rows], list[str]]:
        async with running.reading(node) as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                rows = {
                    name: await connection.fetch(query)
                    for name, query in queries(running, node).items()
                    if only is None or name in only
                }
            wrong = [problem async for problem in audit.verify(connection)] if only is None else []
            return rows, wrong

    read = await asyncio.gather(*(one(node) for node in running.nodes))
    return Picture(
        {node: rows for node, (rows, _) in zip(running.nodes, read, strict=True)},
        {node: wrong for node, (_, wrong) in zip(running.nodes, read, strict=True)},
    )


async def moving(running: Running) -> list[str]:
    """What is still on its way; empty when nothing is and every receipt is in."""
    try:
        found = await waiting(running)
        picture = await take(running, MOVING)
    except (OSError, asyncpg.PostgresError, TimeoutError, httpx.TransportError) as error:
        return [f"somebody is away: {type(error).__name__}"]
    for node in running.nodes:
        found += [f"{node} owes {row['feed']} {row['count']}" for row in picture.of(node, "owed")]
        found += [
            f"{node} lacks receipts of {row['feed']} from {row['confirmed_seq'] + 1} to {row['last_seq']}"
            for row in picture.of(node, "unconfirmed")
        ]
        found += [f"{node} seals {row['count']}" for row in picture.of(node, "unsealed") if row["count"]]
        found += [f"{node} awaits a match of {row['id']}" for row in picture.of(node, "unmatched")]
    return found


async def waiting(running: Running) -> list[str]:
    """What still moves on the bus itself, receipts left aside: unsent rows, and messages not yet settled."""
    owed = [
        f"{node} owes {row['count']}"
        for node in running.nodes
        for row in await running.fetch(
            node, "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND feed <> 'self'"
        )
        if row["count"]
    ]
    url = f"http://127.0.0.1:{running.network.monitor_port}/jsz"
    async with httpx.AsyncClient(trust_env=False) as client:
        said = (
            await client.get(url, params={"accounts": "true", "streams": "true", "consumers": "true"})
        ).json()
    for account in said.get("account_details", ()):
        for stream in account.get("stream_detail", ()):
            for consumer in stream.get("consumer_detail") or ():
                left = consumer["num_pending"] + consumer["num_ack_pending"]
                owed += [f"{consumer['name']} of {stream['name']} has {left}"] if left else []
    return owed


async def quiet(look: Callable[[], Awaitable[list[str]]], limit_s: float) -> list[str]:
    """Look until nothing moves; what still does at the limit.

    A message may pass between two databases while one of them is being read, so one look is not enough.
    """
    deadline, looks = time.monotonic() + limit_s, 0
    while looks < LOOKS:
        still = await look()
        looks = 0 if still else looks + 1
        if still and time.monotonic() > deadline:
            return still
        await asyncio.sleep(PAUSE_S)
    return []


def copies(picture: Picture, node: str, noun: str) -> dict[tuple[str, UUID], Any]:
    return {(row["owner"], row["id"]): row for row in picture.of(node, noun)}


def counted(rows: Rows, *names: str) -> Counter[tuple[Any, ...]]:
    return Counter({tuple(row[name] for name in names): row["count"] for row in rows})


def told(row: Any) -> str:
    return json.dumps({k: str(v) for k, v in dict(row).items()}, ensure_ascii=False)
