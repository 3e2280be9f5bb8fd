"""How fast the network starts: `hubnet up` against the same 26 services as separate processes."""

import http.client
import os
import statistics
import subprocess
import time

from common.node import Node
from localnet.broker import EmbeddedBroker
from localnet.postgres import EmbeddedPostgres
from localnet.settings import settings_for

from bench.running import HUBNET, Running, network, say

RUNS = 3


def ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def environment(running: Running, node: Node) -> dict[str, str]:
    told = settings_for(running.network, node)
    names = {
        "database_url",
        "nats_url",
        "nkey_seed_file",
        "host",
        "port",
        "hub_url",
        "pepper_file",
        "topology",
    }
    values = {
        f"HUBNET_{name.upper()}": str(getattr(told, name))
        for name in names
        if getattr(told, name) is not None
    }
    return {**os.environ, **values, "HUBNET_BOOTSTRAP_CLIENT_FILE": str(running.network.secrets.client_file)}


def separately(running: Running) -> float:
    """Seconds for both servers and 26 processes of `hubnet serve`, on the same migrated data folder."""
    place = running.network.limited()
    postgres = EmbeddedPostgres(
        place.folder.postgres,
        place.port("postgres"),
        place.secrets.postgres_file,
        place.folder.log("postgres"),
    )
    broker = EmbeddedBroker(place)
    processes: list[subprocess.Popen[bytes]] = []
    started = time.perf_counter()
    try:
        postgres.prepare()
        postgres.start()
        broker.start()
        for node in place.topology.nodes:
            processes.append(
                subprocess.Popen(
                    [HUBNET, "serve", node.id],
                    env=environment(running, node),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        waiting = [place.port(node.id) for node in place.topology.nodes]
        while waiting:
            if time.perf_counter() - started > 180:
                raise RuntimeError(f"not ready after 180 s: {waiting}")
            waiting = [port for port in waiting if not ready(port)]
            time.sleep(0.05)
        return time.perf_counter() - started
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        broker.stop()
        postgres.stop()


def main() -> None:
    with network() as running:
        first = running.up()
        print(f"first start, empty folder: {first:.1f} s (limit 40)")
        ours, apart = [], []
        for _ in range(RUNS):
            running.down()
            apart.append(separately(running))
            ours.append(running.up())
            print(f"up {ours[-1]:.1f} s, separate processes {apart[-1]:.1f} s")
        time.sleep(5)
        status = running.status()
        services = [row for row in status if row["kind"] not in ("postgres", "nats")]
        pss = {
            "services": sum(row["pss_mb"] for row in services),
            "all": sum(row["pss_mb"] for row in status),
        }
        print(
            f"PSS of {len(services)} services {pss['services']:.0f} MB (limit 1000), with both servers {pss['all']:.0f} MB"
        )
        value, peer = statistics.median(ours), statistics.median(apart)
        say(
            "startup", value, "s", "26 separate processes", value / peer,
            first_s=round(first, 1), pss_mb=round(pss["services"]), pss_all_mb=round(pss["all"]),
        )  # fmt: skip
