"""The real servers that tests run on: from wheels, or in containers when HUBNET_TEST_BACKEND=docker."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from localnet.broker import EmbeddedBroker, write_configuration
from localnet.natsconf import Broker
from localnet.network import Network
from localnet.paths import Folder
from localnet.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[1]
TOPOLOGY = ROOT / "deploy" / "topology.yaml"
BACKEND = os.environ.get("HUBNET_TEST_BACKEND", "embedded")
MEMORY_NEEDED = 3 * 2**30
SPAN = 64  # ports a network may use from its base
# testcontainers would pull one more image to clean up after killed runs; the contexts below stop what they start.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")


def free_base() -> int:
    """A port base whose whole span is free now."""
    for base in range(20_000 + os.getpid() % 100 * 64, 60_000, SPAN):
        with ExitStack() as stack:
            try:
                for port in range(base, base + SPAN):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise RuntimeError("no free ports for a test network")


@contextmanager
def folder(inside: Path | None = None) -> Iterator[Path]:
    """A folder that goes again, which the user that PostgreSQL runs as under root may enter."""
    with tempfile.TemporaryDirectory(prefix="hubnet-test-", dir=inside) as made:
        Path(made).chmod(0o755)
        yield Path(made) / "net"


def memory() -> Path | None:
    """Where files are kept in memory, if there is room: a database there is made in a tenth of the time."""
    place = Path("/dev/shm")
    return place if place.is_dir() and shutil.disk_usage(place).free > MEMORY_NEEDED else None


def network(folder: Path) -> Network:
    """A network of the whole topology in a folder of its own, with its keys made."""
    made = Network(folder=Folder(folder).make(), topology_path=TOPOLOGY, port_base=free_base())
    made.secrets.make([node.id for node in made.topology.nodes])
    return made.limited()


@contextmanager
def postgres(place: Network) -> Iterator[str]:
    """The URL of a superuser of a running PostgreSQL."""
    if BACKEND == "docker":
        from testcontainers.community.postgres import PostgresContainer

        with PostgresContainer("postgres:18", driver=None) as container:
            yield container.get_connection_url()
        return
    server = EmbeddedPostgres(
        place.folder.postgres,
        place.port("postgres"),
        place.secrets.postgres_file,
        place.folder.log("postgres"),
    )
    server.prepare()
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def broker(place: Network) -> Iterator[Network]:
    """A running nats-server with the network's accounts; yields the network that reaches it."""
    if BACKEND == "docker":
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy

        path = place.folder.nats / "nats.conf"
        inside = Broker(store=Path("/tmp/js"), host="0.0.0.0", port=4222, max_file_bytes=place.max_file_bytes)
        write_configuration(place, path, inside)
        path.chmod(0o644)
        container = DockerContainer("nats:2.15-alpine").with_command(["-c", "/etc/nats/nats.conf"])
        container.with_volume_mapping(str(path), "/etc/nats/nats.conf", "ro").with_exposed_ports(4222)
        with container.waiting_for(LogMessageWaitStrategy("Server is ready")):
            url = f"nats://{container.get_container_host_ip()}:{container.get_exposed_port(4222)}"
            yield replace(place, nats_url=url)
        return
    server = EmbeddedBroker(place)
    try:
        server.start()
        yield place
    finally:
        server.stop()
