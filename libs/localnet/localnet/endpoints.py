"""Where a running network is reached, and with which secret; wherever it runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.node import Node, Topology

from localnet.network import HOST, PORT_BASE, Network
from localnet.paths import Folder
from localnet.secrets import Secrets, read
from localnet.trouble import Trouble

SECRET_FILE = "HUBNET_CLIENT_SECRET_FILE"


@dataclass(frozen=True)
class Endpoints:
    """A running network as a caller sees it.

    Shape: `urls` by node; `secret` of the client hubnet-cli; `users` the file that keeps the example
    users' passwords.
    """

    topology: Topology
    urls: Mapping[str, str]
    secret: str
    users: Path

    @classmethod
    def of(cls, network: Network) -> "Endpoints":
        """Of the network whose data folder we have."""
        urls = {node.id: network.url(node.id) for node in network.topology.nodes}
        return cls(
            network.topology, urls, secret_in(Secrets(network.folder).client_file), network.folder.users
        )

    @classmethod
    def published(
        cls, topology: Topology, folder: Folder, port_base: int | None = None, secret: Path | None = None
    ) -> "Endpoints":
        """Of containers, whose ports are published on this machine; the folder keeps what we learn."""
        base = port_base or PORT_BASE
        urls = {node.id: f"http://{HOST}:{base + node.port}" for node in topology.nodes}
        told = os.environ.get(SECRET_FILE)
        path = secret or (Path(told) if told else Secrets(folder).client_file)
        return cls(topology, urls, secret_in(path), folder.users)

    @property
    def hub(self) -> str:
        return self.topology.hub.id

    def node(self, id: str) -> Node:
        return self.topology.node(id)


def secret_in(path: Path) -> str:
    """Raises: Trouble when the file cannot be read."""
    try:
        return read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(
            (f"读不到客户端密钥：{path}", f"the client's secret cannot be read: {path}: {error}"),
            ("调用接口须有 hubnet-cli 的密钥", "calls are made with the secret of hubnet-cli"),
            (
                f"先 hubnet up；网络在别处时用 {SECRET_FILE} 或 --client-secret-file 指定",
                f"hubnet up first; for a network elsewhere name the file: {SECRET_FILE} or --client-secret-file",
            ),
        ) from error
