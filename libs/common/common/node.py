"""A deployment is a value: the nodes of the network, read from one list."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["hub", "window", "cluster", "matchmaking"]
KINDS: tuple[Kind, ...] = ("hub", "window", "cluster", "matchmaking")


@dataclass(frozen=True)
class Node:
    """One platform of the network.

    Shape: `divisions` are GB/T 2260 code prefixes; `port` is an offset to the network's port base.
    """

    id: str
    kind: Kind
    zh: str
    en: str
    divisions: tuple[str, ...]
    port: int

    @property
    def database(self) -> str:
        return f"hubnet_{self.id.replace('-', '_')}"

    @property
    def account(self) -> str:
        """Its NATS account."""
        return self.id.upper().replace("-", "_")


@dataclass(frozen=True)
class Topology:
    """Every node of the network, in the order of the list."""

    nodes: tuple[Node, ...]

    def node(self, id: str) -> Node:
        for node in self.nodes:
            if node.id == id:
                return node
        raise KeyError(f"no node {id!r} in the topology; known: {', '.join(n.id for n in self.nodes)}")

    def of_kind(self, *kinds: Kind) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.kind in kinds)

    @property
    def hub(self) -> Node:
        return self.of_kind("hub")[0]

    @property
    def spokes(self) -> tuple[Node, ...]:
        """All nodes but the hub: those that have an account and two streams."""
        return tuple(node for node in self.nodes if node.kind != "hub")

    def window_for(self, division: str) -> Node | None:
        """The window whose longest code prefix covers the place, or None outside the region."""
        owned = [
            (len(prefix), node)
            for node in self.of_kind("window")
            for prefix in node.divisions
            if division.startswith(prefix)
        ]
        return max(owned, key=lambda pair: pair[0])[1] if owned else None


def parse(document: Any) -> Topology:
    """Read a topology from its parsed YAML.

    Raises: ValueError naming the node and the field.
    """
    nodes: list[Node] = []
    for number, entry in enumerate(document.get("nodes") or (), start=1):
        missing = {"id", "kind", "zh", "en", "divisions", "port"} - set(entry)
        if missing:
            raise ValueError(f"topology node {number} ({entry.get('id', '?')}): missing {sorted(missing)}")
        if entry["kind"] not in KINDS:
            raise ValueError(f"topology node {entry['id']}: kind must be one of {KINDS}")
        divisions = tuple(map(str, entry["divisions"]))
        nodes.append(Node(entry["id"], entry["kind"], entry["zh"], entry["en"], divisions, entry["port"]))
    for field in ("id", "port"):
        values = [getattr(node, field) for node in nodes]
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise ValueError(f"topology: {field} used twice: {sorted(twice)}")
    topology = Topology(tuple(nodes))
    for kind in ("hub", "matchmaking"):
        if len(topology.of_kind(kind)) != 1:
            raise ValueError(f"topology: exactly one node of kind {kind} is needed")
    return topology
