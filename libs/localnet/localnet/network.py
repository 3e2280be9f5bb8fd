"""One network as a value: which nodes, where they listen, where their things are."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml
from common.node import Node, Topology, parse

from localnet.natsconf import BROKER, Broker, Cluster, tls_files
from localnet.paths import Folder
from localnet.secrets import Secrets, read
from localnet.trouble import USAGE, Trouble

HOST = "127.0.0.1"
PORT_BASE = 18000
POSTGRES, NATS = "postgres", "nats"
SERVERS = (POSTGRES, NATS)
# Scaled out: three brokers, a database that follows the first, and two processes of these kinds of service.
FOLLOWER = "postgres-2"
BROKERS = (NATS, "nats-2", "nats-3")
SCALED = ("hub", "matchmaking")
SECOND = "-2"
PORTS = {
    "hub": 42, "hub-2": 43, "matchmaking": 44, "matchmaking-2": 45,  # of one process, beside the shared one
    NATS: 50, "nats-2": 52, "nats-3": 53, POSTGRES: 60, FOLLOWER: 61,
}  # fmt: skip
MONITORS = {NATS: 51, "nats-2": 54, "nats-3": 55}
ROUTES = {NATS: 56, "nats-2": 57, "nats-3": 58}
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
    scale_out: bool = False

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

    @property
    def brokers(self) -> tuple[str, ...]:
        """Those of this network's own."""
        if self.nats_url:
            return ()
        return BROKERS if self.scale_out else (NATS,)

    @property
    def follower(self) -> str | None:
        return FOLLOWER if self.scale_out and not self.postgres_url else None

    def processes(self, node: Node) -> tuple[str, ...]:
        """Names of the processes that are one node."""
        return (node.id, node.id + SECOND) if self.doubled(node) else (node.id,)

    def doubled(self, node: Node) -> bool:
        return self.scale_out and not self.single_process and node.kind in SCALED

    def node_of(self, process: str) -> Node:
        known = {name: node for node in self.topology.nodes for name in self.processes(node)}
        return known[process]

    @property
    def members(self) -> list[str]:
        """Everything that may run and has a log."""
        servers = [*SERVERS, *self.brokers, *([self.follower] if self.follower else [])]
        return [*dict.fromkeys(servers), *(name for node in self.nodes for name in self.processes(node))]

    def port(self, name: str) -> int:
        """Where callers reach it; processes that are one node share theirs."""
        if name in PORTS and name not in SCALED:
            return self.port_base + PORTS[name]
        return self.port_base + self.topology.node(name).port

    def own_port(self, process: str) -> int:
        """Where this very process answers."""
        node = self.node_of(process)
        return self.port_base + PORTS[process] if self.doubled(node) else self.port(node.id)

    @property
    def monitor_port(self) -> int:
        return self.port_base + MONITORS[NATS]

    def url(self, node: str) -> str:
        return f"http://{HOST}:{self.port(node)}"

    @property
    def bus_url(self) -> str:
        """Of several brokers all, separated by commas."""
        scheme = "tls" if self.tls else "nats"
        return self.nats_url or ",".join(f"{scheme}://{HOST}:{self.port(name)}" for name in self.brokers)

    def database_url(self, node: Node) -> str:
        """As the node's own role, which is named like its database."""
        return self._url(node.database, self.secrets.database_file(node.id), node.database)

    def template_url(self, database: str) -> str:
        """As the role that owns the templates."""
        return self._url(APPLICATION_ROLE, self.secrets.application_file, database)

    def read_url(self, node: Node) -> str | None:
        """The same database at the follower; None without one."""
        if not self.follower:
            return None
        place = self.port(self.follower)
        return self._url(node.database, self.secrets.database_file(node.id), node.database, place)

    def _url(self, role: str, password_file: Path, database: str, port: int | None = None) -> str:
        server = urlsplit(self.postgres_url or f"//{HOST}:{port or self.port(POSTGRES)}")
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
        return self.broker_named(NATS)

    def broker_named(self, name: str) -> Broker:
        cluster = None
        if self.scale_out:
            routes = {one: f"{HOST}:{self.port_base + ROUTES[one]}" for one in self.brokers}
            cluster = Cluster(routes[name], tuple(routes.values()), read(self.secrets.cluster_file))
        return Broker(
            # What a lone server has stored is not a cluster's, and would be dropped by it.
            store=self.folder.nats / (f"cluster-{name}" if cluster else "store"),
            port=self.port(name),
            monitor=f"{HOST}:{self.port_base + MONITORS[name]}",
            max_file_bytes=self.max_file_bytes,
            tls=tls_files(self.folder.certificates, BROKER) if self.tls else None,
            name=name if cluster else "hub",
            cluster=cluster,
        )

    @property
    def listening(self) -> dict[str, int]:
        """Every port this network is about to listen on, by who needs it."""
        ports = {node.id: self.port(node.id) for node in self.nodes}
        for name in (name for node in self.nodes if self.doubled(node) for name in self.processes(node)):
            ports[f"{name} alone"] = self.own_port(name)
        for name in self.brokers:
            ports |= {name: self.port(name), f"{name} monitoring": self.port_base + MONITORS[name]}
            if self.scale_out:
                ports[f"{name} routes"] = self.port_base + ROUTES[name]
        if not self.postgres_url:
            ports[POSTGRES] = self.port(POSTGRES)
        if self.follower:
            ports[self.follower] = self.port(self.follower)
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
        needed = least * max(1, len(self.brokers))
        limit = int(given) if given else min(2 * least, free * 8 // 10)
        if limit < least or free < needed:
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


def check_names(topology: Topology, names: list[str], more: Iterable[str] = ()) -> None:
    """Raises: Trouble naming the ids that are not in the list."""
    known = list(dict.fromkeys([*(node.id for node in topology.nodes), *more]))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Trouble(
            (f"没有这样的节点：{'、'.join(unknown)}", f"no such node: {', '.join(unknown)}"),
            (f"已知节点：{'、'.join(known)}", f"known: {', '.join(known)}"),
            ("核对拼写", "check the spelling"),
            USAGE,
        )
