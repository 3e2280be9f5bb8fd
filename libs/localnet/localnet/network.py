"""One network as a value: which nodes, where they listen, where their things are."""

import json
import os
import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from common.node import Node, Topology, parse

from localnet.natsconf import BROKER, Broker, tls_files
from localnet.paths import Folder
from localnet.secrets import Secrets, read
from localnet.trouble import USAGE, Trouble

HOST = "127.0.0.1"
PORT_BASE = 18000
NATS_OFFSET, MONITOR_OFFSET, POSTGRES_OFFSET = 50, 51, 60
POSTGRES, NATS = "postgres", "nats"
SERVERS = (POSTGRES, NATS)
APPLICATION_ROLE = "hubnet"
STREAM_BYTES = 32 * 2**20
STREAM_ROOM = 2 * STREAM_BYTES  # what one node's two streams may fill


@dataclass(frozen=True)
class Network:
    """What a supervisor runs.

    Shape: `selected` are the node ids that `up` starts; `postgres_url` and `nats_url` are set when
    servers from elsewhere are used.
    """

    folder: Folder
    topology_path: Path
    port_base: int = PORT_BASE
    selected: tuple[str, ...] = ()
    single_process: bool = False
    postgres_url: str | None = None
    nats_url: str | None = None
    max_file_bytes: int = 0
    tls: bool = False  # between the embedded broker and everybody

    @cached_property
    def topology(self) -> Topology:
        return load(self.topology_path)

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.folder)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The selected ones, in the order of the list."""
        return tuple(n for n in self.topology.nodes if not self.selected or n.id in self.selected)

    def port(self, name: str) -> int:
        offsets = {POSTGRES: POSTGRES_OFFSET, NATS: NATS_OFFSET}
        return self.port_base + (offsets[name] if name in offsets else self.topology.node(name).port)

    @property
    def monitor_port(self) -> int:
        return self.port_base + MONITOR_OFFSET

    def url(self, node: str) -> str:
        return f"http://{HOST}:{self.port(node)}"

    @property
    def bus_url(self) -> str:
        return self.nats_url or f"{'tls' if self.tls else 'nats'}://{HOST}:{self.port(NATS)}"

    def database_url(self, node: Node) -> str:
        """As the node's own role, which is named like its database."""
        return self._url(node.database, self.secrets.database_file(node.id), node.database)

    def template_url(self, database: str) -> str:
        """As the role that owns the templates."""
        return self._url(APPLICATION_ROLE, self.secrets.application_file, database)

    def _url(self, role: str, password_file: Path, database: str) -> str:
        server = urlsplit(self.postgres_url or f"//{HOST}:{self.port(POSTGRES)}")
        password = quote(read(password_file), safe="")
        query = f"?{server.query}" if server.query else ""
        return f"postgresql://{role}:{password}@{server.netloc.rpartition('@')[2]}/{database}{query}"

    @property
    def superuser_url(self) -> str:
        """As the role that makes databases; a URL that tells a user and no password gets the kept one."""
        url = self.postgres_url or f"postgresql://postgres@{HOST}:{self.port(POSTGRES)}/postgres"
        told = urlsplit(url)
        if not told.username or told.password is not None:
            return url
        password = quote(read(self.secrets.postgres_file), safe="")
        user, _, host = told.netloc.rpartition("@")
        return told._replace(netloc=f"{user}:{password}@{host}").geturl()

    @property
    def broker(self) -> Broker:
        return Broker(
            store=self.folder.nats / "store",
            port=self.port(NATS),
            monitor=f"{HOST}:{self.monitor_port}",
            max_file_bytes=self.max_file_bytes,
            tls=tls_files(self.folder.certificates, BROKER) if self.tls else None,
        )

    @property
    def listening(self) -> dict[str, int]:
        """Every port this network is about to listen on, by who needs it."""
        ports = {node.id: self.port(node.id) for node in self.nodes}
        if not self.nats_url:
            ports |= {NATS: self.port(NATS), "nats monitoring": self.monitor_port}
        if not self.postgres_url:
            ports[POSTGRES] = self.port(POSTGRES)
        return ports

    def as_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "folder"}
        return told | {"folder": str(self.folder.root), "topology_path": str(self.topology_path)}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Network":
        known = {name: told[name] for name in cls.__dataclass_fields__ if name in told}
        known |= {
            "folder": Folder(Path(told["folder"])),
            "topology_path": Path(told["topology_path"]),
            "selected": tuple(told.get("selected", ())),
        }
        return cls(**known)

    def remember(self) -> None:
        """Keep what later commands need; never a server's URL, which may hold a password."""
        told = {name: value for name, value in self.as_json().items() if not name.endswith("_url")}
        draft = self.folder.record.with_suffix(".draft")
        draft.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.folder.record)

    def limited(self) -> "Network":
        """With a broker limit that this disk can hold.

        Raises: Trouble when the disk has no room for the streams.
        """
        if self.max_file_bytes:
            return self
        given = os.environ.get("HUBNET_NATS_MAX_FILE_BYTES")
        free = shutil.disk_usage(self.folder.root).free
        least = len(self.topology.spokes) * STREAM_ROOM  # the broker reserves every stream's limit
        limit = int(given) if given else min(2 * least, free * 8 // 10)
        if limit < least or free < least:
            raise Trouble(
                (f"磁盘空间不足：剩余 {free >> 20} MB", f"the disk is nearly full: {free >> 20} MB are free"),
                (
                    f"消息流需要空闲 {least * 5 // 4 >> 20} MB",
                    f"the streams need {least * 5 // 4 >> 20} MB free",
                ),
                ("清理磁盘，或 --data-dir 换盘", "free the disk, or use another one: --data-dir DIR"),
            )
        return replace(self, max_file_bytes=limit)


def load(path: Path) -> Topology:
    """Raises: Trouble when the list does not parse."""
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise Trouble(
            (f"节点清单无效 {path}：{error}", f"the list of nodes {path} is not valid: {error}"),
            (
                "每个节点须有 id、kind、zh、en、divisions、port",
                "every node has id, kind, zh, en, divisions and port",
            ),
            ("改正该文件，或 --topology 指定另一份", "correct that file, or name another: --topology FILE"),
            USAGE,
        ) from error


def recall(folder: Folder) -> dict[str, Any]:
    """The record of the last start; empty when there was none."""
    try:
        return json.loads(folder.record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def check_names(topology: Topology, names: list[str], servers: bool = False) -> None:
    """Raises: Trouble naming the ids that are not in the list."""
    known = [node.id for node in topology.nodes] + (list(SERVERS) if servers else [])
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Trouble(
            (f"没有这样的节点：{'、'.join(unknown)}", f"no such node: {', '.join(unknown)}"),
            (f"已知节点：{'、'.join(known)}", f"known: {', '.join(known)}"),
            ("核对拼写", "check the spelling"),
            USAGE,
        )
