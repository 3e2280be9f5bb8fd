"""Start the scaled-out network on this machine, kill each of its processes under load, and print what became of it.

    .venv/bin/python deploy/scale-out.py [--seconds 6] [--port-base 18100] [--keep]

Three brokers with three copies of every stream, two processes each of the hub and of matchmaking, a PostgreSQL that
follows the first, and two windows. Everything runs in a folder of its own that goes again. Exit code 0: nothing that
was acknowledged is lost, and nothing was handled twice.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from localnet.accounts import Account, open_accounts
from localnet.api import OPERATOR, Api
from localnet.control import Connection
from localnet.endpoints import Endpoints
from localnet.network import Network, recall
from localnet.paths import Folder
from reference import credit_code
from rich.console import Console
from rich.table import Table

WINDOWS = ("hohhot", "baotou")
NODES = ("hub", *WINDOWS, "matchmaking")
VICTIMS = (
    "nats", "nats-2", "nats-3", "hub", "hub-2", "matchmaking", "matchmaking-2", "postgres-2", "hohhot", "postgres",
)  # fmt: skip
SME, AGENCY = "ex-scale-sme", "ex-scale-agency"
CATEGORY = "technology_quality.testing"
CLIENTS = 2
BACK_S, SETTLED_S = 60.0, 180.0


@dataclass
class Load:
    """What the clients were told. A call goes on until it is answered, as a person's would."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # demand id → window
    slowest_s: float = 0.0
    reads: int = 0
    running: bool = True


@dataclass
class Row:
    """One process that was killed, and what the clients noticed."""

    victim: str
    acknowledged: int
    reads: int
    slowest_s: float
    back_s: float


def hubnet(*words: str, folder: Path) -> None:
    # Meanings are read by a model that would take the processor from the processes that are tried.
    told = {"HUBNET_EMBEDDINGS": "off", "HUBNET_CALLS_PER_MINUTE": "100000"} | os.environ
    subprocess.run(
        [Path(sys.executable).with_name("hubnet"), *words, "--data-dir", folder], check=True, env=told
    )


async def furnish(api: Api) -> dict[str, str]:
    """A provider whose offering fits, and an enterprise at each window."""
    await open_accounts(
        api,
        [
            Account(SME, "sme", WINDOWS[0], "示例企业", "example enterprise"),
            Account(AGENCY, "agency", WINDOWS[0], "示例机构", "example agency"),
        ],
    )
    provider = {
        "name": "示例检测机构", "credit_code": credit_code.complete("91150100MA0F00001"), "division": "150102",
        "categories": [CATEGORY], "contact_name": "示例联系人", "contact_phone": "13700000001",
        "contact_email": "contact@example.com",
    }  # fmt: skip
    made = await api.post(WINDOWS[0], "/v1/providers", provider, who=AGENCY)
    path = f"/v1/providers/{made['id']}/verification"
    await api.post(WINDOWS[0], path, {"decision": "approve"}, who=OPERATOR)
    offering = {
        "provider_id": made["id"], "kind": "service", "title": "乳制品检验检测", "summary": "成分与微生物检测",
        "category": CATEGORY, "division": "150102", "lead_days": 5,
    }  # fmt: skip
    offered = await api.post(WINDOWS[0], "/v1/offerings", offering, who=AGENCY)
    review = f"/v1/offerings/{offered['id']}/review"
    await api.post(WINDOWS[0], review, {"decision": "publish"}, who=OPERATOR)
    enterprises = {}
    for number, window in enumerate(WINDOWS):
        profile = {
            "name": f"示例企业 {number}", "credit_code": credit_code.complete(f"91150100MA0F0001{number}"),
            "division": ("150102", "150202")[number], "industry": "1441", "employees": 46,
            "revenue_cents": 10**9, "contact_name": "示例联系人", "contact_phone": "13700000002",
        }  # fmt: skip
        enterprises[window] = (await api.post(window, "/v1/enterprises", profile, who=SME))["id"]
    return enterprises


async def submit(api: Api, load: Load, window: str, enterprise: str) -> None:
    number = 0
    while load.running:
        number += 1
        began = time.monotonic()
        body = {
            "enterprise_id": enterprise, "title": f"乳制品检测 {number}", "text": "每月送检微生物与理化指标",
            "category": CATEGORY,
        }  # fmt: skip
        made = await api.post(window, "/v1/demands", body, who=SME)
        load.acknowledged[made["id"]] = window
        load.slowest_s = max(load.slowest_s, time.monotonic() - began)
        await asyncio.sleep(0.15)


async def read(api: Api, load: Load) -> None:
    while load.running:
        began = time.monotonic()
        await api.get("hub", "/v1/nodes")
        await api.get("hub", "/v1/catalogue", limit=5)
        load.reads += 2
        load.slowest_s = max(load.slowest_s, time.monotonic() - began)
        await asyncio.sleep(0.1)


async def killed(folder: Folder, load: Load, victim: str, seconds: float) -> Row:
    """Kill -9 one process under load, and wait until it is back."""
    before, reads = len(load.acknowledged), load.reads
    load.slowest_s = 0.0
    with Connection(folder) as connection:
        row = state(connection, victim)
        connection.ask(do="kill", node=victim)
        began = time.monotonic()
        while (now := state(connection, victim))["state"] != "ready" or now["pid"] == row["pid"]:
            if time.monotonic() - began > BACK_S:
                raise SystemExit(f"{victim} did not come back: {now['state']} {now['why']}")
            await asyncio.sleep(0.1)
    back = time.monotonic() - began
    await asyncio.sleep(max(0.0, seconds - back))
    await answered(load)  # also those who were kept waiting
    return Row(victim, len(load.acknowledged) - before, load.reads - reads, load.slowest_s, back)


async def answered(load: Load) -> None:
    """Every client has had another answer."""
    served = len(load.acknowledged) + len(WINDOWS) * CLIENTS
    for _ in range(int(BACK_S / 0.05)):
        if len(load.acknowledged) >= served:
            return
        await asyncio.sleep(0.05)


def state(connection: Connection, victim: str) -> dict:
    return next(row for row in connection.ask(do="status")["members"] if row["node"] == victim)


async def rows(network: Network, node: str, query: str, *values: object) -> list:
    connection = await asyncpg.connect(network.database_url(network.topology.node(node)))
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def faults(network: Network, load: Load) -> list[str]:
    """What contradicts the promises, after everything has had its time."""
    deadline = time.monotonic() + SETTLED_S
    while found := await missing(network, load):
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)
    twice = []
    matched = Counter(
        str(r["demand_id"]) for r in await rows(network, "matchmaking", "SELECT demand_id FROM matches")
    )
    twice += [f"matched {count} times: {id}" for id, count in matched.items() if count > 1]
    said = await rows(network, "matchmaking", "SELECT entity FROM outbox WHERE type LIKE 'match.computed%'")
    counts = Counter(str(r["entity"]) for r in said)
    twice += [f"told {count} times: {id}" for id, count in counts.items() if count > 1]
    for node in NODES:
        parked = await rows(network, node, "SELECT reason, detail FROM dead_letters")
        twice += [f"{node} parked a message: {row['reason']} {row['detail']}" for row in parked]
    return twice


async def missing(network: Network, load: Load) -> list[str]:
    """What was acknowledged and is not yet everywhere it belongs."""
    ids = list(load.acknowledged)
    found = []
    cases = {str(r["id"]) for r in await rows(network, "hub", "SELECT id FROM cases")}
    found += [f"not at the hub: {id}" for id in ids if id not in cases]
    matched = {
        str(r["demand_id"]) for r in await rows(network, "matchmaking", "SELECT demand_id FROM matches")
    }
    found += [f"not matched: {id}" for id in ids if id not in matched]
    for window in WINDOWS:
        waiting = await rows(network, window, "SELECT id FROM demands WHERE state = 'submitted'")
        found += [f"still waits at {window}: {row['id']}" for row in waiting]
        owed = await rows(network, window, "SELECT last_seq, confirmed_seq FROM feeds_out WHERE feed = 'hub'")
        found += [f"{window} owes the hub" for row in owed if row["last_seq"] > row["confirmed_seq"]]
    return found


async def trial(folder: Folder, seconds: float) -> tuple[list[Row], Load, list[str]]:
    network = Network.from_json(recall(folder))
    async with Api(Endpoints.of(network), patience_s=BACK_S) as api:
        enterprises = await furnish(api)
        load, done = Load(), []
        async with asyncio.TaskGroup() as clients:
            for window, enterprise in enterprises.items():
                for _ in range(CLIENTS):
                    clients.create_task(submit(api, load, window, enterprise))
            clients.create_task(read(api, load))
            await asyncio.sleep(seconds)
            for victim in VICTIMS:
                done.append(await killed(folder, load, victim, seconds))
            load.running = False
    began = time.monotonic()
    found = await faults(network, load)
    done.append(Row("(settled)", len(load.acknowledged), load.reads, 0.0, time.monotonic() - began))
    return done, load, found


def report(done: list[Row], load: Load, found: list[str]) -> None:
    table = Table(title="kill -9 under load")
    for head in ("killed", "acknowledged meanwhile", "reads", "slowest call s", "back after s"):
        table.add_column(head, justify="left" if head == "killed" else "right")
    for row in done:
        table.add_row(
            row.victim, str(row.acknowledged), str(row.reads), f"{row.slowest_s:.1f}", f"{row.back_s:.1f}"
        )
    console = Console(width=100)
    console.print(table)
    for fault in found[:20]:
        console.print(f"[red]{fault}")
    print(json.dumps({"scale_out": {"acknowledged": len(load.acknowledged), "lost_or_twice": len(found)}}))


def main() -> int:
    told = argparse.ArgumentParser(description="Kill each process of a scaled-out network.")
    told.add_argument("--seconds", type=float, default=6.0, help="load beside each kill")
    told.add_argument("--port-base", type=int, default=18100)
    told.add_argument("--keep", action="store_true", help="leave it running, and its folder")
    given = told.parse_args()
    place = Path(tempfile.mkdtemp(prefix="hubnet-scale-"))
    place.chmod(0o755)
    folder = place / "net"
    try:
        hubnet(
            "up", "--detach", "--scale-out", "--only", ",".join(NODES), "--port-base", str(given.port_base),
            folder=folder,
        )  # fmt: skip
        done, load, found = asyncio.run(trial(Folder(folder), given.seconds))
        report(done, load, found)
        return 1 if found else 0
    finally:
        if given.keep:
            print(f"kept: {folder}")
        else:
            hubnet("down", folder=folder)
            hubnet("reset", "--yes", folder=folder)
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
