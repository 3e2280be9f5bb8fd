"""A network in a folder of its own for a figure, driven by the command that users have."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localnet.endpoints import Endpoints
from localnet.network import Network
from localnet.paths import Folder

from tests import servers

HUBNET = str(Path(sys.executable).parent / "hubnet")


def say(figure: str, value: float, unit: str, against: str, ratio: float, **more: Any) -> None:
    """The line that ends a figure."""
    line = {
        "figure": figure,
        "value": round(value, 3),
        "unit": unit,
        "against": against,
        "ratio": round(ratio, 3),
    }
    print(json.dumps(line | more, ensure_ascii=False), flush=True)


class Running:
    """A network on a free port base."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.base = servers.free_base()
        self.network = Network(folder=Folder(folder), topology_path=servers.TOPOLOGY, port_base=self.base)

    def command(self, *words: str, check: bool = True) -> str:
        environment = os.environ | {
            "HUBNET_DATA_DIR": str(self.folder),
            "HUBNET_CALLS_PER_MINUTE": "100000000",
        }
        done = subprocess.run([HUBNET, *words], env=environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"hubnet {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def up(self, *more: str) -> float:
        """Seconds until every service answers that it is ready."""
        started = time.perf_counter()
        self.command("up", "--detach", "--port-base", str(self.base), *more)
        return time.perf_counter() - started

    def down(self) -> None:
        self.command("down")

    def status(self) -> list[dict[str, Any]]:
        return json.loads(self.command("status", "--json"))["nodes"]

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints.of(self.network)


@contextlib.contextmanager
def network() -> Iterator[Running]:
    """A network that is stopped and deleted at the end."""
    with servers.folder() as folder:
        running = Running(folder)
        try:
            yield running
        finally:
            running.command("down", check=False)
            running.command("reset", "--yes", check=False)
