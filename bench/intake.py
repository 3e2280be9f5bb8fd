"""Demands accepted per second by one window, against a bare FastAPI + asyncpg insert in the same run.

Both keep what they answer: one durable commit before the 201. Ours also authenticates, validates, and
writes the fact for the network and the audit line; the bus runs and takes what is sent meanwhile.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit

import asyncpg

from bench import load, people
from bench.running import Running, network, say

CLIENTS = 16
SECONDS = 6.0
ROUNDS = 5


def bare(running: Running) -> subprocess.Popen[bytes]:
    """The peer, on the same PostgreSQL, in a database of its own."""

    async def make() -> None:
        connection = await asyncpg.connect(running.network.superuser_url)
        await connection.execute("CREATE DATABASE bare")
        await connection.close()

    asyncio.run(make())
    url = urlsplit(running.network.superuser_url)._replace(path="/bare").geturl()
    environment = os.environ | {"BARE_DATABASE_URL": url, "BARE_PORT": str(running.base + 63)}
    return subprocess.Popen([sys.executable, "-m", "bench.bare"], env=environment)


def main() -> None:
    with network() as running:
        running.up("--only", "hub,hohhot")
        peer = bare(running)
        try:
            bearers = [people.token(running.endpoints, "bench-one")]
            enterprise = people.enterprise(running.endpoints, bearers[0])
            body = people.demand(enterprise)
            plain = {"path": "/demands", "headers": [{}], "body": [body], "vary": ["title"]}
            # The figure is one window's. The hub's work on what it hears would take the same two cores.
            running.command("stop", "hub")
            time.sleep(2)
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(load.run("127.0.0.1", running.base + 63, CLIENTS, SECONDS, plain))
                plan = {
                    "path": "/v1/demands",
                    "headers": [{"authorization": f"Bearer {bearer}"} for bearer in bearers],
                    "body": [body],
                    "vary": ["title"],
                }
                ours.append(load.run("127.0.0.1", running.network.port("hohhot"), CLIENTS, SECONDS, plan))
                for name, result in (("bare", theirs[-1]), ("window", ours[-1])):
                    print(
                        f"{name:7} {result['per_second']:7.0f}/s  p50 {result['p50_ms']:.1f} ms  p99 {result['p99_ms']:.1f} ms"
                    )
                    assert result["failures"] == 0, f"{result['failures']} refused"
        finally:
            peer.terminate()
            peer.wait()
        ratios = [mine["per_second"] / other["per_second"] for mine, other in zip(ours, theirs, strict=True)]
        value = statistics.median(result["per_second"] for result in ours)
        say("intake", value, "demands/s", "bare FastAPI + asyncpg insert", statistics.median(ratios))
