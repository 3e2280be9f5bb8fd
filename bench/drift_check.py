"""Seconds to compare 100,000 records of an owner with the hub's copies, and bytes to find and mend one that differs.

Seconds are of the two digests, against counting the same rows on both sides in the same run. Bytes are of
every message of the exchange, against sending all records.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import asyncpg
from common import db, ids, migrate
from common.announcements import LIVE
from common.convergence import Line, digest, take
from common.copies import content_hash
from common.messages import Raw
from common.settings import Settings
from hub.app import create_app as hub
from hub.drift.repository import HELD
from hub.members import service as members
from window.app import create_app as window

from bench.running import say
from tests import servers

ROWS = 100_000
ROUNDS = 5
WINDOW = "hohhot"


def records() -> list[tuple[UUID, dict[str, Any], str]]:
    """Published offerings of an ordinary length."""
    provider = str(ids.new())
    found: list[tuple[UUID, dict[str, Any], str]] = []
    for number in range(ROWS):
        id = ids.new()
        body = {
            "id": str(id), "epoch": 1, "version": number % 7 + 1, "provider_id": provider, "provider_name": "示例检测中心",
            "kind": "service", "title": f"示例材料检测 {number}", "summary": "成分分析，三日出具报告。" * 12,
            "category": "technology_quality.testing", "division": "150100", "service_area": ["15"],
            "price": {"from_cents": 10_000, "to_cents": 20_000, "unit": "sample"}, "lead_days": 3,
            "size_classes": [], "qualifications": [], "capacity": None, "finance": None, "achievement": None,
            "attributes": {}, "example": True, "state": "published", "state_reason": None,
        }  # fmt: skip
        found.append((id, body, content_hash(body)))
    return found


async def fill(urls: dict[str, str]) -> int:
    """The same records as the owner's words and as the hub's copies. Bytes of all of them."""
    made = records()
    size = 0
    owner, holder = await asyncpg.connect(urls[WINDOW]), await asyncpg.connect(urls["hub"])
    said, held = [], []
    for id, body, hash_ in made:
        text = json.dumps(body, ensure_ascii=False)
        size += len(text.encode())
        at = (1, body["version"], False, hash_)
        said.append(("offering", id, *at, "offering.published.v1", "[null]", text))
        held.append(
            (
                WINDOW,
                id,
                *at,
                False,
                text,
                UUID(body["provider_id"]),
                "service",
                body["category"],
                ["15"],
                "published",
                "",
            )
        )
    await owner.copy_records_to_table(
        "announcements", records=said,
        columns=["noun", "id", "epoch", "version", "deleted", "content_hash", "type", "recipients", "body"],
    )  # fmt: skip
    await holder.copy_records_to_table(
        "catalogue_offerings", records=held,
        columns=["owner", "id", "epoch", "version", "deleted", "content_hash", "forked", "body", "provider_id", "kind",
                 "category", "area", "state", "search_text"],
    )  # fmt: skip
    for connection in (owner, holder):
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
    return size


async def timed(runtime: Any, live: str) -> tuple[float, float]:
    """Seconds for the digest of an owner's records, and for counting them."""
    digests, counts = [], []
    for _ in range(ROUNDS):
        async with db.begin(runtime.sessions) as tx:
            started = time.perf_counter()
            found = await digest(tx, live, WINDOW)
            digests.append(time.perf_counter() - started)
            assert found.count == ROWS
            connection: Any = (await (await tx.connection()).get_raw_connection()).driver_connection
            started = time.perf_counter()
            await connection.fetchval(f"SELECT count(*) FROM ({live.replace(':owner', repr(WINDOW))}) rows")
            counts.append(time.perf_counter() - started)
    return min(digests), min(counts)


async def carry(apps: dict[str, Any]) -> tuple[int, int]:
    """Deliver what each owes the other until nothing is left: messages and bytes."""
    messages = size = 0
    while True:
        moved = False
        for node, other in ((WINDOW, "hub"), ("hub", WINDOW)):
            connection = await asyncpg.connect(apps[node].state.runtime.settings.database_url)
            rows = await connection.fetch(
                "UPDATE outbox SET sent_at = now() WHERE sent_at IS NULL AND feed = $1 RETURNING id, envelope",
                other,
            )
            await connection.close()
            raws = [
                Raw(row["envelope"].encode(), node, str(row["id"]), trusted=node == "hub")
                for row in sorted(rows, key=lambda row: row["id"])
            ]
            if raws:
                moved = True
                messages += len(raws)
                size += sum(len(raw.data) for raw in raws)
                await apps[other].state.runtime.inbox.deliver(raws)
        if not moved:
            return messages, size


async def measure(urls: dict[str, str]) -> dict[str, Any]:
    of_all = await fill(urls)
    async with AsyncExitStack() as stack:
        apps: dict[str, Any] = {}
        for node, create in (("hub", hub), (WINDOW, window)):
            settings = Settings(node=node, topology=servers.TOPOLOGY, database_url=urls[node])
            apps[node] = create(settings)
            stack.push_async_callback(apps[node].state.runtime.engine.dispose)
        owner, holder = apps[WINDOW].state.runtime, apps["hub"].state.runtime
        mine, counted_here = await timed(owner, LIVE)
        theirs, counted_there = await timed(holder, HELD.live)
        async with db.begin(holder.sessions) as tx:
            await members.enrol(tx, holder.settings.network, at=holder.clock())
        connection = await asyncpg.connect(urls["hub"])
        await connection.execute(
            "DELETE FROM catalogue_offerings WHERE id = (SELECT id FROM catalogue_offerings LIMIT 1)"
        )
        started = time.perf_counter()
        async with db.begin(owner.sessions) as tx:
            await take(tx, Line(WINDOW, "hub"), LIVE, WINDOW, at=owner.clock())
        messages, size = await carry(apps)
        mended = time.perf_counter() - started
        state = await connection.fetchval("SELECT state FROM drift WHERE owner = $1", WINDOW)
        await connection.close()
        assert state == "equal", state
    return {
        "seconds": mine + theirs, "counting": counted_here + counted_there, "owner_s": mine, "hub_s": theirs,
        "mended_s": mended, "messages": messages, "bytes": size, "bytes_of_all": of_all,
    }  # fmt: skip


def main() -> None:
    with servers.folder() as folder, servers.postgres(servers.network(folder)) as url:
        base = url.rsplit("/", 1)[0]
        urls = {node: f"{base}/drift_{node}" for node in ("hub", WINDOW)}

        async def make() -> None:
            connection = await asyncpg.connect(url)
            for node in urls:
                await connection.execute(f"CREATE DATABASE drift_{node}")
            await connection.close()

        asyncio.run(make())
        for node, kind in (("hub", "hub"), (WINDOW, "window")):
            migrate.upgrade(urls[node], migrate.PACKAGES[kind])
        found = asyncio.run(measure(urls))
    print(
        f"digests {found['owner_s']:.3f} s at the owner, {found['hub_s']:.3f} s at the hub; one missing record found"
        f" and mended in {found['mended_s']:.2f} s with {found['messages']} messages"
    )
    say(
        "drift_check", found["seconds"], "s for 2 digests of 100,000", "count(*) of the same rows",
        found["counting"] / found["seconds"], bytes=found["bytes"], bytes_of_all=found["bytes_of_all"],
        bytes_ratio=round(found["bytes"] / found["bytes_of_all"], 5), mended_s=round(found["mended_s"], 3),
    )  # fmt: skip
