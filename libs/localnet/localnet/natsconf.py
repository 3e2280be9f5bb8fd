"""The broker's configuration: the whole trust model, generated from the list of nodes.

What the HUB account exports to a node's account is all that node can reach. Users in one shared account
would not be enough: a chosen reply subject would let one node speak in another's name.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.node import Node, Topology

HUB = "HUB"
SYSTEM_ACCOUNT = "SYS"
MAX_PAYLOAD_BYTES = 256 * 1024


@dataclass(frozen=True)
class Tls:
    """Mutual TLS for a deployment over several machines."""

    cert_file: Path
    key_file: Path
    ca_file: Path


BROKER = "nats"


def tls_files(folder: Path, holder: str) -> Tls:
    """Where a folder of certificates has those of the broker or of a node."""
    place, stem = folder / holder, "server" if holder == BROKER else "node"
    return Tls(place / f"{stem}.crt", place / f"{stem}.key", place / "ca.crt")


@dataclass(frozen=True)
class Cluster:
    """One server's place among the brothers that keep its streams too.

    Shape: `routes` are host:port of all of them; `password` proves a brother.
    """

    listen: str
    routes: tuple[str, ...]
    password: str


@dataclass(frozen=True)
class Broker:
    """How one broker listens and stores."""

    store: Path
    host: str = "127.0.0.1"
    port: int = 4222
    monitor: str = "127.0.0.1:8222"
    max_file_bytes: int = 4 * 2**30  # stays below 80 % of the disk: a full disk would need a restart
    tls: Tls | None = None
    name: str = "hub"
    cluster: Cluster | None = None


def up(node: Node) -> str:
    return f"UP_{node.id}"


def down(node: Node) -> str:
    return f"DOWN_{node.id}"


def inbox(node: str) -> str:
    return f"_INBOX_{node}"


def exports(node: Node) -> tuple[tuple[str, str], ...]:
    """What a node may call, as (subject, kind of response); nothing else of the hub's account exists for it."""
    heard = f"{down(node)}.{node.id}"
    return (
        (f"up.{node.id}.>", "singleton"),  # say, under its own name only
        (f"$JS.API.CONSUMER.MSG.NEXT.{heard}", "stream"),  # hear what is addressed to it
        (f"$JS.ACK.{heard}.>", "singleton"),
        (f"$JS.ACK.*.*.{heard}.>", "singleton"),  # the form of the same when a domain is set
        (f"hb.{node.id}", "singleton"),  # heartbeat, not stored; the hub answers with receipts
    )


def text(value: object) -> str:
    """A quoted string: JSON's escapes are the configuration's too, except those for non-ASCII."""
    return json.dumps(str(value), ensure_ascii=False)


def account(node: Node, keys: Sequence[str]) -> str:
    """Its users have the same rights: two of them while the node changes its key."""
    subjects = [subject for subject, _ in exports(node)]
    users = ", ".join(
        f"""{{ nkey: {key}, permissions {{
      publish: [ {", ".join(map(text, subjects))} ]
      subscribe: [ {text(inbox(node.id) + ".>")} ]
    }} }}"""
        for key in keys
    )
    imports = "\n".join(f"      {{ service: {{ account: {HUB}, subject: {text(s)} }} }}" for s in subjects)
    return f"""  {node.account} {{
    users: [ {users} ]
    limits: {{ max_connections: 8, max_subscriptions: 64, max_payload: {MAX_PAYLOAD_BYTES} }}
    imports: [
{imports}
    ]
  }}"""


def tls_block(tls: Tls | None, *, clients: bool = True) -> str:
    if tls is None:
        return ""
    first = "  handshake_first: true  # nothing in the clear; a port 443 that looks for TLS lets it pass\n"
    return f"""tls {{
  cert_file: {text(tls.cert_file)}
  key_file: {text(tls.key_file)}
  ca_file: {text(tls.ca_file)}
  verify: true
  min_version: "1.3"
{first if clients else ""}}}
"""


def cluster_block(cluster: Cluster | None, tls: Tls | None) -> str:
    if cluster is None:
        return ""
    password = text(cluster.password)
    routes = "\n".join(
        f"    {text(f'nats-route://hub:{cluster.password}@{route}')}" for route in cluster.routes
    )
    inner = "".join(f"  {line}\n" for line in tls_block(tls, clients=False).splitlines())
    return f"""cluster {{
  name: hub
  listen: {text(cluster.listen)}
  no_advertise: true  # clients are told of every server, and through no other
  authorization {{ user: hub, password: {password} }}
{inner}  routes: [
{routes}
  ]
}}
"""


def render(
    topology: Topology,
    keys: Mapping[str, str],
    broker: Broker,
    also: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The configuration text.

    Shape: `keys` has the public nkey of every node id and of "sys"; `also` further ones accepted of a node.
    Raises: ValueError when a node's account name is reserved.
    """
    for node in topology.spokes:
        if node.account in (HUB, SYSTEM_ACCOUNT):
            raise ValueError(f"node {node.id}: its account {node.account} is the broker's own")
    exported = "\n".join(
        f"      {{ service: {text(subject)}, accounts: [{node.account}], response: {kind} }}"
        for node in topology.spokes
        for subject, kind in exports(node)
    )
    accepted = {name: (key, *(also or {}).get(name, ())) for name, key in keys.items()}
    accounts = "\n".join(account(node, accepted[node.id]) for node in topology.spokes)
    hubs = ", ".join(f"{{ nkey: {key} }}" for key in accepted[topology.hub.id])
    return f"""# Generated from the topology at every start; changes made here are lost.
server_name: {broker.name}
listen: {text(f"{broker.host}:{broker.port}")}
http: {text(broker.monitor)}
max_payload: {MAX_PAYLOAD_BYTES}
max_connections: 200
write_deadline: "30s"  # a line of 64 kbit/s needs so long for one batch
ping_interval: "20s"
ping_max: 2
logtime_utc: true
{tls_block(broker.tls)}{cluster_block(broker.cluster, broker.tls)}jetstream {{
  store_dir: {text(broker.store)}
  domain: hub
  sync_interval: always  # the default acknowledges what a power cut then takes away
  max_mem: 64MB
  max_file: {broker.max_file_bytes}
}}
accounts {{
  {HUB} {{
    jetstream: enabled
    users: [ {hubs} ]
    exports: [
{exported}
    ]
  }}
{accounts}
  {SYSTEM_ACCOUNT} {{ users: [ {{ nkey: {keys["sys"]} }} ] }}
}}
system_account: {SYSTEM_ACCOUNT}
"""
