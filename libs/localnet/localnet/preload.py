"""What the parent does once so that its 26 children need not."""

import contextlib
import importlib
import os
import sys
import time
import traceback
from pathlib import Path

from common.settings import Settings
from sqlalchemy.orm import configure_mappers

from localnet import fleet
from localnet.network import Network
from localnet.settings import settings_for

LATE = (
    "anyio._backends._asyncio",
    "httpcore",
    "localnet.fleet",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "fastapi.telemetry._runtime",
    "encodings.idna",
    "nkeys",
    "opentelemetry._logs",
    "opentelemetry.metrics",
    "opentelemetry.trace",
    "sqlalchemy.dialects.postgresql.asyncpg",
)


def preload(network: Network) -> dict[str, Settings]:
    """Import and build every service before the fork: 26 apps cost the parent 0.2 s, and each child nothing.

    A built app holds no connection, thread or loop; those begin with its lifespan, in the child. Answers
    what each process is told: working that out touches 4 MB of pages, which a child would have to itself.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # a numeric library must not start threads at import
    if network.postgres_url is None:  # nobody else is on the way to it
        os.environ.setdefault("PGSSLMODE", "disable")
    for late in LATE:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(late)
    told: dict[str, Settings] = {}
    for node in network.nodes:
        try:
            for name in network.processes(node):
                told[name] = settings_for(network, node, name)
                fleet.build(told[name])
        except Exception:  # its child will fail the same way, in its own log
            traceback.print_exc()
    configure_mappers()  # else every child does it at its first query, on 5 MB of pages of its own
    if sys.platform == "linux" and not alone():
        print("warning: a service package keeps a thread; forking beside it is not safe", flush=True)
    return told


def alone() -> bool:
    """Whether this process has one thread; short-lived ones, such as a library's timer, are waited for."""
    deadline = time.monotonic() + 1
    while several := len(list(Path("/proc/self/task").iterdir())) > 1:
        if time.monotonic() > deadline:
            break
        time.sleep(0.005)
    return not several
