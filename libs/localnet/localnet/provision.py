"""The one step that makes what services need and may not make themselves. Safe to repeat."""

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import credentials
from common.node import Node

from localnet import databases, processes, streams
from localnet.network import STREAM_BYTES, Network
from localnet.settings import settings_for
from localnet.trouble import Trouble, unexpected

COPIES = 3  # of every stream, where there are so many brokers
Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Work:
    """What to provide, and whom to tell.

    Shape: `report` gets {"part", "done", "total"}, and {"operator": text} once in a network's life;
    `keep` are descriptors it writes to, which children must not close; `log` is None for the terminal.
    """

    network: Network
    nodes: Sequence[Node]
    report: Report
    log: Path | None
    keep: tuple[int, ...] = ()

    def progress(self, part: str) -> Callable[[int, int], None]:
        return lambda done, total: self.report({"part": part, "done": done, "total": total})


def provision(work: Work) -> None:
    """Databases of these nodes, the bus of all nodes, and the first operator.

    Raises: Trouble; SystemExit when a child has already reported one.
    """
    bus = processes.fork(lambda: attempt(lambda: provide_bus(work), work.report), work.log, keep=work.keep)
    try:
        databases.provision(work.network, work.nodes, work.log, work.progress("databases"))
    finally:
        code = processes.join([bus])[0]
    if code:
        raise SystemExit(code)
    if work.network.topology.hub in work.nodes:
        report_operator(work.network, work.report)


def provide_bus(work: Work) -> None:
    network = work.network
    seed_file = network.secrets.seed_file(network.topology.hub.id)
    nodes = network.topology.spokes
    tls = credentials.tls(settings_for(network, network.topology.hub))
    told = work.progress("streams")
    replicas = COPIES if len(network.bus_url.split(",")) >= COPIES else 1
    asyncio.run(streams.provision(network.bus_url, seed_file, nodes, STREAM_BYTES, told, tls, replicas))


def report_operator(network: Network, report: Report) -> None:
    """The first operator is the hub's to make; its password is told once and kept nowhere."""
    if importlib.util.find_spec("hub.provision") is None:
        return
    make = importlib.import_module("hub.provision").first_operator
    told = asyncio.run(make(settings_for(network, network.topology.hub)))
    if told:
        report({"operator": told})


def attempt(work: Callable[[], None], report: Report) -> int:
    """Run a step of a child process and report how it failed; answers its exit code."""
    try:
        work()
        return 0
    except Trouble as trouble:
        report({"trouble": trouble.as_json()})
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        report({"trouble": unexpected("provision", error).as_json()})
        raise
    return 1
