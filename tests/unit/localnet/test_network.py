"""Where things listen, alone and scaled out."""

from dataclasses import replace
from pathlib import Path

import pytest
from localnet.network import Network
from localnet.paths import Folder

TOPOLOGY = Path(__file__).parents[3] / "deploy" / "topology.yaml"


@pytest.fixture
def network(tmp_path):
    made = Network(folder=Folder(tmp_path).make(), topology_path=TOPOLOGY, port_base=20_000)
    made.secrets.make(node.id for node in made.topology.nodes)
    return made


@pytest.mark.parametrize("scale_out", [False, True])
def test_no_port_is_used_twice_and_all_lie_in_one_span(network, scale_out):
    ports = list(replace(network, scale_out=scale_out).listening.values())
    assert len(set(ports)) == len(ports)
    assert all(20_000 <= port < 20_064 for port in ports)


def test_alone_nothing_is_doubled(network):
    assert network.brokers == ("nats",)
    assert network.follower is None
    assert network.bus_url == "nats://127.0.0.1:20050"
    assert network.broker.cluster is None
    assert all(network.processes(node) == (node.id,) for node in network.topology.nodes)
    assert network.own_port("hub") == network.port("hub")


def test_scaled_out_two_processes_share_a_port_and_have_one_each(network):
    wide = replace(network, scale_out=True)
    hub = wide.topology.hub
    assert wide.processes(hub) == ("hub", "hub-2")
    assert wide.node_of("hub-2") == hub
    assert len({wide.port("hub"), wide.own_port("hub"), wide.own_port("hub-2")}) == 3
    assert wide.processes(wide.topology.node("hohhot")) == ("hohhot",)
    assert wide.bus_url == "tls://127.0.0.1:20050,tls://127.0.0.1:20052,tls://127.0.0.1:20053".replace(
        "tls", "nats"
    )
    assert wide.read_url(hub).startswith("postgresql://hub")


def test_the_brokers_of_a_cluster_name_each_other_and_store_apart(network):
    wide = replace(network, scale_out=True)
    brokers = [wide.broker_named(name) for name in wide.brokers]
    assert len({broker.store for broker in brokers} | {network.broker.store}) == 4
    assert len({broker.name for broker in brokers}) == 3
    assert {broker.cluster.routes for broker in brokers} == {
        ("127.0.0.1:20056", "127.0.0.1:20057", "127.0.0.1:20058")
    }


def test_what_was_chosen_is_remembered(network):
    wide = replace(network, scale_out=True, tls=True)
    assert Network.from_json(wide.as_json()) == wide
