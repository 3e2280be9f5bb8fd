"""What the figures of the federation share: catalogues to move, edits at a rate, and who holds what by now."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from localnet.api import OPERATOR, Api
from reference import credit_code

from bench.running import Running
from bench.synthetic import Region

EACH = 4  # offerings of a provider
CATEGORY = "technology_quality.testing"
# Where the copies of a service lie: offerings, providers.
COPIES = {
    "hub": ("catalogue_offerings", "catalogue_providers"),
    "matchmaking": ("offerings", "providers"),
}
OWN = ("offerings", "providers")


def lines(region: Region, start: int, count: int) -> bytes:
    """An import file of invented agencies with invented offerings."""
    return b"\n".join(json.dumps(_line(region, number)).encode() for number in range(start, start + count))


def _line(region: Region, number: int) -> dict[str, Any]:
    body, provider = region.offering(number), number // EACH
    return {
        "provider": {
            "name": f"示例机构{provider}", "credit_code": credit_code.complete(f"911501{provider:011d}"),
            "division": "150102", "example": True,
        },
        "offering": {
            "external_ref": f"bench-{number}", "title": body["title"], "summary": body["summary"],
            "category": CATEGORY, "price": body["price"], "lead_days": 5, "example": True,
        },
    }  # fmt: skip


async def fill(running: Running, region: Region, counts: dict[str, int]) -> None:
    """Import so many offerings at each of these nodes."""
    start = 0
    async with Api(running.endpoints) as api:
        for node, count in counts.items():
            answer = await api.send_lines(
                node, "/v1/offerings/import", lines(region, start, count), who=OPERATOR
            )
            if answer["created"] != count:
                raise RuntimeError(f"{node}: {answer['created']} of {count} were created")
            start += -(-count // EACH) * EACH


@contextlib.asynccontextmanager
async def database(running: Running, node: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(running.network.database_url(running.network.topology.node(node)))
    try:
        yield connection
    finally:
        await connection.close()


async def held(connection: asyncpg.Connection, tables: Sequence[str]) -> int:
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    return sum(await connection.fetchrow(f"SELECT {counts}") or ())


async def states(connection: asyncpg.Connection, tables: Sequence[str], owner: str) -> set[tuple[Any, ...]]:
    """What a service holds of an owner's records, as id and version."""
    condition = "" if tables == OWN else " WHERE owner = $1"
    rows = [
        row
        for table in tables
        for row in await connection.fetch(
            f"SELECT id, epoch, version, state FROM {table}{condition}", *([owner] if condition else [])
        )
    ]
    return set(map(tuple, rows))


async def until(seconds: float, check: Any, pause: float = 0.05) -> float:
    """Seconds until it is so.

    Raises: TimeoutError.
    """
    started = time.perf_counter()
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(pause)
    return time.perf_counter() - started


@dataclass
class Editor:
    """One that edits a node's offerings over and over, and notes when each version was answered."""

    running: Running
    node: str
    bearer: str
    items: list[dict[str, Any]]
    tags: dict[str, str] = field(default_factory=dict)
    done: int = 0
    written: dict[tuple[str, int], float] = field(default_factory=dict)

    async def write(self, *, changes: int | None = None, rate: float | None = None, until: float = 0) -> None:
        """So many changes as fast as they are taken, or at a rate until a moment."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.network.port(self.node))
        started, count = time.perf_counter(), 0
        while count < changes if changes is not None else time.perf_counter() < until:
            if rate is not None:
                await asyncio.sleep(max(0.0, started + count / rate - time.perf_counter()))
            await self._edit(reader, writer)
            count += 1
        writer.close()

    async def _edit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        item = self.items[self.done % len(self.items)]
        self.done += 1
        content = json.dumps({"title": f"{item['title'][:150]} {self.done}"}).encode()
        tag = self.tags.get(item["id"], f'"{item["epoch"]}.{item["version"]}"')
        writer.write(
            (
                f"PATCH /v1/offerings/{item['id']} HTTP/1.1\r\nhost: bench\r\n"
                f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
                f"authorization: Bearer {self.bearer}\r\nif-match: {tag}\r\n\r\n"
            ).encode()
            + content
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        text = await reader.readexactly(int(headers["content-length"]))
        if not head[0].startswith("HTTP/1.1 200"):
            raise RuntimeError(f"{head[0]} {text.decode()}")
        self.tags[item["id"]] = headers["etag"]
        self.written[item["id"], json.loads(text)["version"]] = time.perf_counter()


async def editors(running: Running, node: str, count: int) -> list[Editor]:
    """Editors of a node, each with a share of its offerings."""
    async with Api(running.endpoints) as api:
        items = [item async for item in api.all(node, "/v1/offerings", OPERATOR)]
        bearer = await api.token(OPERATOR)
    return [Editor(running, node, bearer, items[part::count]) for part in range(count)]
