"""A whole catalogue of 100,000 offerings by file: rows per second and memory, against COPY of the same rows.

The hub runs as a process of its own on a database of its own. The clock runs from the first byte of the
upload until the catalogue is switched to and found by everybody: reading, checking, staging, the switch. The
word index and the messages to matchmaking follow in parts. The peer is PostgreSQL's COPY of the very same rows, as text that lies ready, into
a table with the same columns and no index; beside it, into one with the same indexes.
"""

import asyncio
import csv
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
from common import migrate
from common.settings import Settings
from hub.provision import first_operator
from hub.snapshots.columns import COLUMNS
from reference import examples

from bench.running import say
from tests import servers

OFFERINGS = 100_000
OFFERINGS_EACH = 50
NODE = "hohhot"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
LEAST_RATIO, MOST_MB = 0.2, 200.0
BUSY = """SELECT EXISTS (SELECT FROM catalogue_offerings WHERE NOT indexed)
  OR EXISTS (SELECT FROM snapshots WHERE untold_xid IS NOT NULL)
  OR EXISTS (SELECT FROM outbox WHERE feed_seq IS NULL)"""
MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def records(size: int, seed: int) -> Iterator[dict[str, Any]]:
    """Made-up providers and offerings, marked as examples; the same seed gives the same."""
    dice = Random(seed)
    texts = [service["offering"] for service in examples.government_services()]
    areas = ["1501", "1502", "1503", "1504", "1505", "1506", "1507", "1508", "1509", "1522", "1525", "1529"]
    for number in range(size // OFFERINGS_EACH):
        provider = str(UUID(int=dice.getrandbits(128), version=4))
        name = f"示例·服务机构{number}"
        data: dict[str, Any] = {"name": name, "credit_code": f"911501{number:012d}", "division": "150102"}
        data |= {"profile": dice.choice(texts)["summary"][:200], "example": True, "state": "active"}
        yield {"noun": "provider", "id": provider, "version": 1, "data": data}
        for _ in range(OFFERINGS_EACH):
            text, other = dice.choice(texts), dice.choice(texts)
            low = dice.randrange(0, 1_000_000, 100)
            yield {
                "noun": "offering", "id": str(UUID(int=dice.getrandbits(128), version=4)), "version": 1,
                "data": {
                    "provider_id": provider, "provider_name": name, "kind": "service",
                    "title": f"示例·{text['title']}"[:200], "summary": (text["summary"] + other["summary"])[:300],
                    "category": text["category"], "division": "150102",
                    "service_area": dice.sample(areas, dice.randint(0, 3)),
                    "price": {"from_cents": low, "to_cents": low * 2, "unit": "case"},
                    "lead_days": dice.randint(1, 60), "example": True, "state": "published",
                },
            }  # fmt: skip


def write_ndjson(path: Path, size: int, seed: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        for line in records(size, seed):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_csv(path: Path, size: int, seed: int) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        table = csv.writer(out)
        table.writerow([column.title for column in COLUMNS])
        for line in records(size, seed):
            data = line["data"]
            price = data.get("price", {})
            cells = data | {
                "noun": line["noun"],
                "id": line["id"],
                "version": line["version"],
                "example": "是",
            }
            cells["service_area"] = ";".join(data.get("service_area", ()))
            if price:
                cells["price_from_yuan"], cells["price_to_yuan"] = (
                    price["from_cents"] / 100,
                    price["to_cents"] / 100,
                )
                cells["price_unit"] = price["unit"]
            table.writerow([cells.get(column.code, "") for column in COLUMNS])


class Hub:
    """A hub as a process of its own, and how much memory it takes."""

    def __init__(self, url: str, folder: Path):
        self.url, self.port = url, servers.free_base()
        pepper, client = folder / "pepper", folder / "client"
        pepper.write_text(secrets.token_urlsafe(32))
        client.write_text(secrets.token_urlsafe(32))
        told = {
            "node": "hub", "topology": str(servers.TOPOLOGY), "database_url": url, "port": str(self.port),
            "pepper_file": str(pepper), "bootstrap_client_file": str(client), "log_level": "ERROR",
            "hub_url": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip
        asyncio.run(first_operator(Settings(**told)))  # pyright: ignore[reportArgumentType]
        environment = os.environ | {f"HUBNET_{name.upper()}": value for name, value in told.items()}
        hubnet = str(Path(sys.executable).parent / "hubnet")
        self.process = subprocess.Popen(
            [hubnet, "serve", "hub"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=300, trust_env=False)
        self._wait()
        granted = self.http.post(
            "/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "hubnet-cli",
                "client_secret": client.read_text(),
            },
        )
        self.http.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
        self.peak_mb = 0.0

    def _wait(self) -> None:
        until = time.perf_counter() + 60
        while True:
            try:
                if self.http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if time.perf_counter() > until or self.process.poll() is not None:
                raise RuntimeError("the hub does not start")
            time.sleep(0.1)

    def resident_mb(self) -> float:
        """Of the process and of those it started."""
        total = 0
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (str(self.process.pid), *children):
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
        return total * os.sysconf("SC_PAGE_SIZE") / 1e6

    def watch(self, ended: threading.Event) -> None:
        while not ended.wait(0.02):
            self.peak_mb = max(self.peak_mb, self.resident_mb())

    def take(self, path: Path, form: str) -> dict[str, Any]:
        """Hand in a file and wait until it is switched to."""
        with path.open("rb") as file:
            headers = {"Content-Type": MEDIA[form]}
            answer = self.http.put(f"/v1/nodes/{NODE}/catalogue", content=file, headers=headers)
        answer.raise_for_status()
        while True:
            snapshot = self.http.get(answer.headers["Location"]).json()
            if snapshot["state"] in ("applied", "partial", "rejected", "held"):
                return snapshot
            time.sleep(0.05)

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait()


async def copy_s(url: str, text: Path, seen: bool) -> tuple[float, float]:
    """Seconds of COPY of the rows that the hub holds, without any index and with its own; `seen`: the text is there.

    Shape: not before the hub has passed on, numbered and indexed what it took, for that would slow COPY down.
    """
    connection = await asyncpg.connect(url)
    try:
        while await connection.fetchval(BUSY):
            await asyncio.sleep(0.2)
        if not seen:
            # As they are at the switch: their words are not in the index yet.
            columns = await connection.fetchval(
                "SELECT string_agg(CASE column_name WHEN 'indexed' THEN 'false' ELSE column_name END, ', '"
                " ORDER BY ordinal_position) FROM information_schema.columns"
                " WHERE table_name = 'catalogue_offerings'"
            )
            await connection.copy_from_query(f"SELECT {columns} FROM catalogue_offerings", output=str(text))
        taken: list[float] = []
        for like in ("", " INCLUDING INDEXES"):
            await connection.execute("DROP TABLE IF EXISTS bare")
            await connection.execute(f"CREATE TABLE bare (LIKE catalogue_offerings{like})")
            await connection.execute("CHECKPOINT")
            started = time.perf_counter()
            await connection.copy_to_table("bare", source=str(text))
            taken.append(time.perf_counter() - started)
        return taken[0], taken[1]
    finally:
        await connection.close()


async def empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("TRUNCATE catalogue_offerings, catalogue_providers, outbox, snapshot_outcomes")
    await connection.execute("CHECKPOINT")
    await connection.close()


def measure(
    hub: Hub, form: str, file: Path, text: Path
) -> tuple[list[float], list[tuple[float, float]], float]:
    """Seconds of the hub and of COPY, each round one after the other, and the peak above idle in MB."""
    ours: list[float] = []
    theirs: list[tuple[float, float]] = []
    idle = hub.resident_mb()
    hub.peak_mb = 0.0
    ended = threading.Event()
    watcher = threading.Thread(target=hub.watch, args=(ended,))
    watcher.start()
    try:
        for _ in range(ROUNDS):
            asyncio.run(empty(hub.url))
            started = time.perf_counter()
            snapshot = hub.take(file, form)
            ours.append(time.perf_counter() - started)
            assert snapshot["state"] == "applied", snapshot
            assert snapshot["counts"]["created"] == OFFERINGS + OFFERINGS // OFFERINGS_EACH, snapshot
            theirs.append(asyncio.run(copy_s(hub.url, text, text.exists())))
            bare, indexed = theirs[-1]
            print(
                f"{form:7} {ours[-1]:6.2f} s   COPY {bare:5.2f} s, with indexes {indexed:5.2f} s", flush=True
            )
    finally:
        ended.set()
        watcher.join()
    return ours, theirs, hub.peak_mb - idle


def main() -> None:
    with (
        servers.folder() as folder,
        servers.postgres(servers.network(folder)) as root,
        tempfile.TemporaryDirectory() as made,
    ):
        place = Path(made)

        async def make() -> None:
            connection = await asyncpg.connect(root)
            await connection.execute("CREATE DATABASE snapshot_import")
            await connection.close()

        asyncio.run(make())
        url = urlsplit(root)._replace(path="/snapshot_import").geturl()
        migrate.upgrade(url, migrate.PACKAGES["hub"])
        files = {"ndjson": place / "catalogue.ndjson", "csv": place / "catalogue.csv"}
        write_ndjson(files["ndjson"], OFFERINGS, seed=4)
        write_csv(files["csv"], OFFERINGS, seed=4)
        hub = Hub(url, place)
        try:
            for form, file in files.items():
                ours, theirs, peak_mb = measure(hub, form, file, place / "rows.copy")
                rows = OFFERINGS / statistics.median(ours)
                ratio, indexed = (
                    statistics.median(other[way] / mine for mine, other in zip(ours, theirs, strict=True))
                    for way in (0, 1)
                )
                say(
                    f"snapshot_import_{form}", rows, "rows/s", "COPY of the same rows", ratio,
                    ratio_with_its_indexes=round(indexed, 3), peak_mb_above_idle=round(peak_mb, 1), least_ratio=LEAST_RATIO, most_mb=MOST_MB,
                )  # fmt: skip
        finally:
            hub.stop()


if __name__ == "__main__":
    main()
