"""The trust model: what each node's account may reach, read back from the generated text."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from common.node import Topology, parse
from localnet.broker import program
from localnet.natsconf import Broker, Cluster, Tls, render
from localnet.secrets import new_seed
from nkeys import from_seed

ROOT = Path(__file__).parents[3]
BROKER = Broker(Path('/var/my 数据/"store"'), port=14222)


@pytest.fixture(scope="module")
def topology() -> Topology:
    return parse(yaml.safe_load((ROOT / "deploy/topology.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def keys(topology: Topology) -> dict[str, str]:
    names = [node.id for node in topology.nodes] + ["sys"]
    return {name: bytes(from_seed(new_seed().encode()).public_key).decode() for name in names}


def block(text: str, account: str) -> str:
    """One account's text, up to the next account."""
    return re.split(r"\n  (?:[A-Z_]+) \{", text.split(f"\n  {account} {{", 1)[1])[0]


def test_the_server_accepts_it(topology: Topology, keys: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "nats.conf"
    path.write_text(render(topology, keys, BROKER), encoding="utf-8")
    checked = subprocess.run([program(), "-c", path, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_node_is_exported_exactly_its_own_five_subjects(
    topology: Topology, keys: dict[str, str]
) -> None:
    exported = re.findall(
        r'service: "([^"]+)", accounts: \[(\w+)\], response: (\w+)', render(topology, keys, BROKER)
    )
    for node in topology.spokes:
        n = node.id
        assert [(s, kind) for s, account, kind in exported if account == node.account] == [
            (f"up.{n}.>", "singleton"),
            (f"$JS.API.CONSUMER.MSG.NEXT.DOWN_{n}.{n}", "stream"),
            (f"$JS.ACK.DOWN_{n}.{n}.>", "singleton"),
            (f"$JS.ACK.*.*.DOWN_{n}.{n}.>", "singleton"),
            (f"hb.{n}", "singleton"),
        ]
    assert len(exported) == 5 * len(topology.spokes)


def test_a_node_publishes_what_is_exported_and_hears_its_inbox_only(
    topology: Topology, keys: dict[str, str]
) -> None:
    text = render(topology, keys, BROKER)
    for node in topology.spokes:
        own = block(text, node.account)
        published = re.search(r"publish: \[ (.*) \]", own)
        subscribed = re.search(r"subscribe: \[ (.*) \]", own)
        imported = re.findall(r'account: HUB, subject: ("[^"]+")', own)
        assert published and subscribed
        assert published[1].split(", ") == imported
        assert len(imported) == 5
        assert subscribed[1] == f'"_INBOX_{node.id}.>"'
        assert keys[node.id] in own


def test_no_subject_of_a_node_names_another_node(topology: Topology, keys: dict[str, str]) -> None:
    text = render(topology, keys, BROKER)
    for node in topology.spokes:
        for subject in re.findall(r'subject: "([^"]+)"', block(text, node.account)):
            tokens = set(re.split(r"[.>]", subject.replace("DOWN_", "")))
            assert tokens & {n.id for n in topology.nodes} == {node.id}


def test_what_durability_and_isolation_depend_on(topology: Topology, keys: dict[str, str]) -> None:
    text = render(topology, keys, BROKER)
    assert "sync_interval: always" in text
    assert "max_payload: 262144" in text
    assert "system_account: SYS" in text
    assert "no_auth_user" not in text
    assert "tls {" not in text
    assert 'http: "127.0.0.1:8222"' in text
    assert text.count("jetstream: enabled") == 1


def test_the_server_accepts_its_place_in_a_cluster(
    topology: Topology, keys: dict[str, str], tmp_path: Path
) -> None:
    place = Cluster("127.0.0.1:6222", ("127.0.0.1:6222", "127.0.0.1:6223"), "a-secret")
    text = render(topology, keys, replace(BROKER, name="$HUBNET_SERVER_NAME", cluster=place))
    assert "nats-route://hub:a-secret@127.0.0.1:6223" in text
    path = tmp_path / "nats.conf"
    path.write_text(text, encoding="utf-8")
    checked = subprocess.run(
        [program(), "-c", path, "-t"], capture_output=True, text=True, check=False,
        env={"HUBNET_SERVER_NAME": "nats-1"},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_the_servers_of_a_cluster_prove_themselves_to_each_other(
    topology: Topology, keys: dict[str, str]
) -> None:
    files = Tls(Path("/tls/server.crt"), Path("/tls/server.key"), Path("/tls/ca.crt"))
    place = Cluster("127.0.0.1:6222", ("127.0.0.1:6222",), "a-secret")
    text = render(topology, keys, replace(BROKER, tls=files, cluster=place))
    cluster = text.split("cluster {", 1)[1].split("jetstream {", 1)[0]
    assert "verify: true" in cluster
    assert "handshake_first" not in cluster


def test_tls_demands_a_client_certificate(topology: Topology, keys: dict[str, str]) -> None:
    files = Tls(Path("/tls/server.crt"), Path("/tls/server.key"), Path("/tls/ca.crt"))
    text = render(topology, keys, replace(BROKER, tls=files))
    assert "verify: true" in text
    assert 'min_version: "1.3"' in text
    assert "handshake_first: true" in text


def test_a_node_that_changes_its_key_has_two_users_with_the_same_rights(
    topology: Topology, keys: dict[str, str]
) -> None:
    node = topology.spokes[0]
    text = render(topology, keys, BROKER, {node.id: ["NEWKEY"]})
    own = block(text, node.account)
    rights = re.findall(r"nkey: (\w+), permissions (\{.*?\n    \})", own, re.DOTALL)
    assert [key for key, _ in rights] == [keys[node.id], "NEWKEY"]
    assert rights[0][1] == rights[1][1]
    assert text.count("NEWKEY") == 1


@pytest.mark.parametrize("id", ["sys", "SYS"])
def test_a_node_cannot_take_the_brokers_own_account(
    topology: Topology, keys: dict[str, str], id: str
) -> None:
    taken = replace(topology.spokes[0], id=id)
    with pytest.raises(ValueError, match="SYS"):
        render(Topology((topology.hub, taken)), keys | {id: keys["sys"]}, BROKER)


def test_the_example_in_deploy_is_what_the_generator_writes(topology: Topology) -> None:
    keys = {name: f"<public key of {name}>" for name in [*(node.id for node in topology.nodes), "sys"]}
    small = Topology(tuple(n for n in topology.nodes if n.id in ("hub", "hohhot", "matchmaking")))
    example = (ROOT / "deploy/nats/example.conf").read_text(encoding="utf-8")
    assert example == render(small, keys, Broker(Path("/data/jetstream"), host="0.0.0.0"))
