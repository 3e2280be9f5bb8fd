"""From the network's value to one service's settings and code."""

from typing import Any

from common.node import Node
from common.settings import Settings

from localnet.natsconf import tls_files
from localnet.network import HOST, Network


def settings_for(network: Network, node: Node, process: str | None = None) -> Settings:
    """Everything a service is told at its start; what else `HUBNET_*` variables say stays in force.

    Shape: `process` is one of several that are the node.
    """
    secrets, hub = network.secrets, network.topology.hub
    own: dict[str, Any] = {
        "node": node.id,
        "topology": network.topology_path,
        "database_url": network.database_url(node),
        "nats_url": network.bus_url,
        "nkey_seed_file": secrets.seed_file(node.id),
        "host": HOST,
        "port": network.port(node.id),
        "hub_url": network.url(hub.id),
    }
    if network.tls:
        files = tls_files(network.folder.certificates, node.id)
        own |= {
            "nats_ca_file": files.ca_file,
            "nats_cert_file": files.cert_file,
            "nats_key_file": files.key_file,
        }
    if process and network.doubled(node):
        own["own_port"] = network.own_port(process)
    if node == hub and (read_url := network.read_url(node)):
        own["database_read_url"] = read_url
    if node == hub:
        own |= {"pepper_file": secrets.pepper_file, "bootstrap_client_file": secrets.client_file}
    return Settings(**own)
