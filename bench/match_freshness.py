"""From an offering's publication to the first match that holds it, while a hundred offerings a second change.

Twice: through the network (window, hub, matchmaking; three services beside the servers), and from
matchmaking's inbox on, where the network's own pace has no part. Every text is new and is read by the
embedded model meanwhile; a match by words counts. HUBNET_BENCH_RATE=50 tells another rate.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import asyncpg
import httpx
from common import ids, migrate
from common.contracts.demands import DemandSubmitted
from common.contracts.envelope import Fact, wrap
from common.contracts.offerings import OfferingPublished
from common.contracts.providers import ProviderVerified
from common.inbox import Raw
from common.settings import Settings
from fastapi import FastAPI
from localnet.accounts import Account, open_accounts
from localnet.agencies import establish
from localnet.api import OPERATOR, Api
from localnet.examples import Agency
from matchmaking.app import create_app
from matchmaking.matching.listing import key
from reference import examples

from bench import people, synthetic
from bench.running import Running, network, say
from bench.synthetic import Region
from tests import servers

RATE = float(os.environ.get("HUBNET_BENCH_RATE", "100"))
SECONDS = 36.0
LIMIT_MS = 1000.0
CHANGED = 200
PROBES, PROBE_EVERY_S = 120, 0.3
MARKED_EVERY = 20
HELD = 1_000
BATCH = 100
WRITERS = 4
# As often as a page asks; asked more often, the asking would be most of the load.
POLL_S = 0.05
GIVE_UP_S = 60.0
WINDOW, CATEGORY = "hohhot", "technology_quality.testing"


def mark(number: int) -> str:
    """A word that one offering alone has."""
    return f"xq{number:06d}z"


def spread(times: list[float]) -> tuple[float, float]:
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.99)]


# Through the network.


async def through_window(running: Running, region: Region) -> tuple[list[float], float]:
    """Milliseconds of each probe, and changes a second that the window took."""
    staff = Account("bench-agency", "agency", WINDOW, "机构", "agency")
    async with Api(running.endpoints) as api:
        await open_accounts(api, [staff])
        agency = _agency(region, staff)
        await establish(api, agency, "bench")
        held = [item async for item in api.all(WINDOW, "/v1/offerings", OPERATOR)]
        provider = held[0]["provider_id"]
        probes = [await _submit(api, staff, region, provider, number) for number in range(PROBES)]
        bearer = people.token(running.endpoints, "bench-six")
        body = people.demand(people.enterprise(running.endpoints, bearer))
        async with httpx.AsyncClient(
            base_url=running.endpoints.urls[WINDOW], trust_env=False, timeout=30,
            headers={"Authorization": f"Bearer {bearer}"},
        ) as sme:  # fmt: skip
            await _appears(sme, body | {"title": held[0]["title"]}, held[0]["id"])  # warm, all have arrived
            bearer, until = await api.token(staff.username), time.perf_counter() + SECONDS
            async with asyncio.TaskGroup() as tasks:
                writers = [
                    tasks.create_task(_write(running, bearer, held[part::WRITERS], until, part))
                    for part in range(WRITERS)
                ]
                looking: list[asyncio.Task[float]] = []
                for number, id in enumerate(probes):
                    looking.append(tasks.create_task(_probe(api, sme, body, number, id)))
                    await asyncio.sleep(PROBE_EVERY_S)
    times = [one.result() for one in looking]
    written = sum(writer.result() for writer in writers)
    return times, written / SECONDS


def _agency(region: Region, owner: Account) -> Agency:
    example = next(one for one in examples.example_providers() if one["division"].startswith("1501"))
    offerings: Any = [
        {
            "external_ref": f"bench-{number}", "kind": "service", "title": body["title"],
            "summary": body["summary"], "category": CATEGORY, "service_area": [],
            "price": body["price"], "lead_days": 5, "attributes": {}, "example": True,
        }
        for number, body in enumerate(map(region.offering, range(CHANGED)))
    ]  # fmt: skip
    provider: Any = example | {"offerings": offerings, "resources": [], "qualifications": []}
    return Agency(node=WINDOW, owner=owner, provider=provider)


async def _submit(api: Api, owner: Account, region: Region, provider: str, number: int) -> str:
    body = region.offering(CHANGED + number)
    draft = {
        "provider_id": provider, "title": f"{mark(number)} {body['title']}", "summary": body["summary"],
        "category": CATEGORY, "price": {"from_cents": 100_000, "to_cents": 200_000},
    }  # fmt: skip
    return (await api.post(WINDOW, "/v1/offerings", draft, who=owner.username))["id"]


async def _probe(api: Api, sme: httpx.AsyncClient, body: dict[str, Any], number: int, id: str) -> float:
    started = time.perf_counter()
    await api.post(WINDOW, f"/v1/offerings/{id}/review", {"decision": "publish"}, who=OPERATOR)
    need = {"title": f"{mark(number)} 检测", "text": f"需要 {mark(number)} 的检测"}
    await _appears(sme, {"enterprise_id": body["enterprise_id"], **need}, id)
    return (time.perf_counter() - started) * 1000


async def _appears(sme: httpx.AsyncClient, body: dict[str, Any], offering: str) -> None:
    """One demand after another, until a match holds the offering."""
    started = time.perf_counter()
    while time.perf_counter() - started < GIVE_UP_S:
        answer = (await sme.post("/v1/demands", json=body)).raise_for_status()
        path = f"/v1/demands/{answer.json()['id']}/matches"
        while (match := (await sme.get(path)).raise_for_status().json())["outcome"] == "pending":
            await asyncio.sleep(POLL_S)
        if any(candidate["offering_id"] == offering for candidate in match["candidates"]):
            return
    raise RuntimeError(f"offering {offering} is in no match after {GIVE_UP_S:.0f} s")


async def _write(running: Running, bearer: str, held: list[dict[str, Any]], until: float, part: int) -> int:
    """Edit offerings at this writer's share of the rate, or as fast as the window takes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.network.port(WINDOW))
    tags: dict[str, str] = {}
    start, done = time.perf_counter() + part / RATE, 0
    while time.perf_counter() < until:
        await asyncio.sleep(max(0.0, start + done * WRITERS / RATE - time.perf_counter()))
        item = held[done % len(held)]
        content = json.dumps({"title": f"{item['title']} {part}-{done}"}).encode()
        head = (
            f"PATCH /v1/offerings/{item['id']} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        )
        head += f"content-length: {len(content)}\r\nauthorization: Bearer {bearer}\r\n"
        head += f"if-match: {tags.get(item['id'], _tag(item))}\r\n\r\n"
        writer.write(head.encode() + content)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        text = await reader.readexactly(int(headers["content-length"]))
        if not lines[0].startswith("HTTP/1.1 200"):
            raise RuntimeError(f"{lines[0]} {text.decode()}")
        tags[item["id"]] = headers["etag"]
        done += 1
    writer.close()
    return done


def _tag(item: dict[str, Any]) -> str:
    return f'"{item["epoch"]}.{item["version"]}"'


# From matchmaking's inbox on.


class Clocked:
    """One process of the service, told things as the bus tells them."""

    def __init__(self, app: FastAPI, region: Region) -> None:
        self.app, self.region = app, region
        self.matchmaker, self.runtime = app.state.matchmaker, app.state.runtime
        self.waiting: asyncio.Queue[Raw] = asyncio.Queue()
        self.looked_for: dict[int, float] = {}
        self.times: list[float] = []

    def offering(self, number: int, version: int = 1, marked: int | None = None) -> OfferingPublished:
        body = self.region.offering(number) | {"id": ids.derived("offering", str(number)), "epoch": 1}
        title = body["title"] if marked is None else f"{mark(marked)} {body['title']}"
        told = {"version": version, "title": f"{title} {version}", "service_area": [], "size_classes": []}
        return OfferingPublished.model_validate(body | told | {"provider_id": PROVIDER})

    def raw(self, fact: Fact) -> Raw:
        envelope = wrap(fact, id=ids.new(), source=WINDOW, at=synthetic.AT)
        return Raw(envelope.model_dump_json().encode(), "hub", str(envelope.id), trusted=True)

    async def hold(self) -> None:
        """Be told of a provider and its offerings, before anything is measured."""
        await self.runtime.inbox.deliver([self.raw(_provider())])
        for start in range(0, HELD, BATCH):
            facts = [self.offering(number) for number in range(start, start + BATCH)]
            await self.runtime.inbox.deliver(list(map(self.raw, facts)))

    async def listen(self) -> None:
        """As the bus does: all that has arrived, in one batch."""
        while True:
            batch = [await self.waiting.get()]
            while len(batch) < BATCH and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            await self.runtime.inbox.deliver(batch)
            self.runtime.wake()

    async def tell(self) -> int:
        """Changes at the rate; each `MARKED_EVERY`th is looked for."""
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS:
            await asyncio.sleep(max(0.0, start + done / RATE - time.perf_counter()))
            marked = done if done % MARKED_EVERY == 0 else None
            fact = self.offering(done % HELD, 2 + done // HELD, marked)
            self.waiting.put_nowait(self.raw(fact))
            if marked is not None:
                self.looked_for[marked] = time.perf_counter()
            done += 1
        return done

    async def look(self) -> None:
        """Match a need for each change that is looked for, over and over until it is held."""
        while True:
            for number, since in list(self.looked_for.items()):
                async with self.runtime.transaction() as tx:
                    found = await self.matchmaker.search(tx, _demand(number), at=synthetic.AT)
                wanted = key(WINDOW, ids.derived("offering", str(number % HELD)))
                if any(one.listing.key == wanted for one in found.ranking.fitting):
                    self.times.append((time.perf_counter() - since) * 1000)
                    del self.looked_for[number]
            await asyncio.sleep(0.005)


PROVIDER = ids.derived("provider", "bench")


def _provider() -> ProviderVerified:
    return ProviderVerified.model_validate(
        {
            "id": PROVIDER, "version": 1, "name": "示例机构", "credit_code": "91150100MA0EXAMPL1",
            "division": "150105", "state": "active",
        }
    )  # fmt: skip


def _demand(number: int) -> DemandSubmitted:
    return DemandSubmitted.model_validate(
        {
            "id": ids.derived("demand", str(number)), "version": 1, "number": f"D-{number}",
            "title": f"{mark(number)} 检测", "text": f"需要 {mark(number)} 的检测", "industry": "C",
            "division": "150102", "size_class": "small", "state": "submitted", "submitted_at": synthetic.AT,
            "changed_at": synthetic.AT,
        }
    )  # fmt: skip


@contextlib.asynccontextmanager
async def service() -> AsyncIterator[FastAPI]:
    """Matchmaking alone in this process, on a PostgreSQL of its own."""
    with servers.folder() as folder:
        place = servers.network(folder)
        with servers.postgres(place) as url:
            connection = await asyncpg.connect(url)
            await connection.execute("CREATE DATABASE matchmaking")
            await connection.close()
            own = f"{url.rpartition('/')[0]}/matchmaking"
            await asyncio.to_thread(migrate.upgrade, own, migrate.PACKAGES["matchmaking"])
            settings = Settings(
                node="matchmaking", topology=servers.TOPOLOGY, database_url=own, log_level="CRITICAL"
            )
            app = create_app(settings)
            async with app.router.lifespan_context(app):
                yield app


async def from_inbox(region: Region) -> tuple[list[float], float]:
    async with service() as app:
        clocked = Clocked(app, region)
        await clocked.hold()
        async with app.state.runtime.transaction() as tx:
            await clocked.matchmaker.search(tx, _demand(0), at=synthetic.AT)
        tasks = [asyncio.create_task(clocked.listen()), asyncio.create_task(clocked.look())]
        told = await clocked.tell()
        await _empty(clocked)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return clocked.times, told / SECONDS


async def _empty(clocked: Clocked) -> None:
    async with asyncio.timeout(GIVE_UP_S):
        while clocked.looked_for:
            await asyncio.sleep(0.1)


def _measured(name: str, work: Awaitable[tuple[list[float], float]]) -> tuple[float, float, float]:
    async def run() -> tuple[list[float], float]:
        return await work

    times, rate = asyncio.run(run())
    count = len(times)
    p50, p99 = spread(times)
    print(f"{name}: {rate:.0f} changes/s, {count} looked for: p50 {p50:.0f} ms  p99 {p99:.0f} ms", flush=True)
    return p50, p99, rate


def main() -> None:
    region = Region()
    inbox = _measured("from the inbox", from_inbox(region))
    with network() as running:
        running.up("--only", f"hub,{WINDOW},matchmaking")
        window = _measured("from the window", through_window(running, region))
    say(
        "match_freshness",
        window[1],
        "ms",
        "limit of 1 s for the p99, at 100 changes/s",
        window[1] / LIMIT_MS,
        changes_per_s=round(window[2]),
        p50_ms=round(window[0]),
        inbox_changes_per_s=round(inbox[2]),
        inbox_p50_ms=round(inbox[0]),
        inbox_p99_ms=round(inbox[1]),
    )
