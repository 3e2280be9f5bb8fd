"""The whole network, forked as `hubnet up` does it, with the example catalogue; one for all tests of this folder."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from localnet import loading
from localnet.api import Api
from localnet.control import Connection
from localnet.endpoints import Endpoints
from localnet.network import Network, recall
from localnet.paths import Folder
from localnet.preflight import free

HUBNET = Path(sys.executable).with_name("hubnet")
OFFSETS = 61


def free_base():
    """A port base below which nobody listens; above the range that outgoing connections take none is sure."""
    for _ in range(200):
        base = random.randrange(20_000, 32_000, 100)
        if all(free(base + offset) for offset in range(OFFSETS)):
            return base
    raise RuntimeError("no free range of ports")


def hubnet(folder, *words, check=True):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBNET_")}
    # Reading the meaning of 1,249 examples would take a core for minutes beside all other tests;
    # meanings are tried on a matchmaking of their own.
    environment["HUBNET_EMBEDDINGS"] = "off"
    done = subprocess.run(
        [HUBNET, *words, "--data-dir", folder.root], env=environment, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip
    if check and done.returncode:
        logs = "\n".join(
            log.read_text(errors="replace")[-2000:] for log in sorted(folder.logs.glob("[ps]*.log"))
        )
        raise AssertionError(
            f"hubnet {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}\n{logs}"
        )
    return done


@pytest.fixture(scope="package")
def network():
    """A running network in a folder of its own; gone afterwards, whatever happened."""
    root = Path(tempfile.mkdtemp(prefix="hubnet-federation-"))
    root.chmod(0o755)  # as root, PostgreSQL runs as another user, who must reach it
    folder = Folder(root / "net")
    try:
        hubnet(folder, "up", "--detach", "--port-base", str(free_base()))
        yield Network.from_json(recall(folder))
    finally:
        hubnet(folder, "down", check=False)
        hubnet(folder, "reset", "--yes", check=False)
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="package")
async def example(network):
    """The example catalogue is loaded; what that came to."""
    async with Api(Endpoints.of(network)) as api:
        return await loading.load_example(api)


@pytest.fixture
async def api(network, example):
    async with Api(Endpoints.of(network)) as api:
        yield api


@pytest.fixture
def supervisor(network):
    """The line to the supervisor: what `hubnet stop`, `start` and `kill` speak through."""
    with Connection(network.folder) as connection:
        yield connection
