"""Which network a command calls: this machine's own, or that of the compose file."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from localnet import compose, preflight
from localnet.commands.screen import folder_of
from localnet.control import not_running
from localnet.endpoints import SECRET_FILE, Endpoints
from localnet.network import Network, load, recall
from localnet.paths import Folder, find_folder, find_topology

COMPOSE_FOLDER = ".hubnet-compose"


class Via(StrEnum):
    """What runs the network."""

    EMBEDDED = "embedded"
    COMPOSE = "compose"


HowItRuns = Annotated[Via, typer.Option("--via", help="本机或容器 · On this machine or in containers")]
PortBase = Annotated[int | None, typer.Option(min=1024, max=65000, help="首个端口 · First port")]
SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--client-secret-file", help="容器网络的客户端密钥 · The client's secret; HUBNET_CLIENT_SECRET_FILE"
    ),
]


def composed(
    data_dir: Path | None, topology: Path | None, port_base: int | None, secret: Path | None
) -> Endpoints:
    """The network of the compose file; what we learn of it is kept apart from the embedded one's.

    Shape: without a secret's file, Docker is asked for the ports and the secret.
    """
    path = find_topology(topology)
    folder = find_folder(data_dir, path)
    if data_dir is None:
        folder = Folder(folder.root.with_name(COMPOSE_FOLDER))
    if secret is None and SECRET_FILE not in os.environ:
        return compose.endpoints(path, folder)
    return Endpoints.published(load(path), folder, port_base, secret)


def running(data_dir: Path | None) -> Endpoints:
    """The network that runs in this folder.

    Raises: Trouble when none does.
    """
    folder = folder_of(data_dir)
    if not preflight.held(folder):
        raise not_running(folder)
    return Endpoints.of(Network.from_json(recall(folder)))
