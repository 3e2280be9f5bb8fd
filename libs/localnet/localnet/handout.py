"""What each server and service is handed: a folder of its own with its own secrets and no others."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from common.node import Node

from localnet.network import NATS, POSTGRES, Network, load
from localnet.paths import find_topology, refused_by_disk

BUS = "bus"  # the broker's store: empty, but somebody must own it
SEED, PEPPER, CLIENT, PASSWORD, CONFIGURATION = "nkey.seed", "pepper", "client", "password", "nats.conf"
DATABASE_URL = "hubnet_database_url"  # named as the setting: `serve` reads it from HUBNET_SECRETS_DIR


def names(nodes: Iterable[Node]) -> list[str]:
    return [*(node.id for node in nodes), POSTGRES, NATS, BUS]


def contents(network: Network) -> dict[str, dict[str, str]]:
    """Every folder's files and what they hold."""
    secrets, hub = network.secrets, network.topology.hub.id
    given = {
        node.id: {
            SEED: secrets.seed_file(node.id).read_text(encoding="ascii"),
            DATABASE_URL: network.database_url(node),
        }
        for node in network.topology.nodes
    }
    given[hub] |= {
        PEPPER: secrets.pepper_file.read_text(encoding="ascii"),
        CLIENT: secrets.client_file.read_text(encoding="ascii"),
    }
    given[POSTGRES] = {PASSWORD: secrets.postgres_file.read_text(encoding="ascii")}
    given[NATS] = {CONFIGURATION: (network.folder.nats / "nats.conf").read_text(encoding="utf-8")}
    return given


def give(network: Network, root: Path) -> None:
    """Write every folder below `root`; a file is replaced whole, and what is no longer given is removed.

    Raises: Trouble when the disk refuses.
    """
    try:
        for name, files in contents(network).items():
            hand(root / name, files)
    except OSError as error:
        raise refused_by_disk(root, error) from error


def hand(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in files:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, text in files.items():
        draft = folder / f".{name}.draft"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(folder / name)


def main(data: Path, root: Path) -> None:
    """The empty folders of the image, for new volumes to take their owner from."""
    for folder in (data, *(root / name for name in names(load(find_topology()).nodes))):
        folder.mkdir(mode=0o700, parents=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
