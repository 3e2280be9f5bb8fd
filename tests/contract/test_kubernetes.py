"""The base for Kubernetes is made from the topology, holds no secret, and is what a cluster accepts."""

import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from localnet import kubernetes
from localnet.network import load

DEPLOY = Path(__file__).parents[2] / "deploy"
BASE = DEPLOY / kubernetes.FOLDER
TOPOLOGY = load(DEPLOY / "topology.yaml")
RENDERED = kubernetes.render(TOPOLOGY)
LISTED = yaml.safe_load(RENDERED["kustomization.yaml"])["resources"]
DOCUMENTS = [d for name in LISTED for d in yaml.safe_load_all(RENDERED[name])]
PODS = [d for d in DOCUMENTS if d["kind"] in ("Deployment", "StatefulSet")]


def name(document):
    return f"{document['kind']}-{document['metadata']['name']}"


def test_the_committed_files_are_the_generated_ones():
    committed = {path.name: path.read_text(encoding="utf-8") for path in BASE.glob("*.yaml")}
    assert committed == RENDERED, "run `hubnet kubernetes`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_it_fits_the_published_schema(document):
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_kustomize_renders_all_of_it():
    """With kubectl where it is installed; else as kustomize reads it: every file that is listed."""
    if shutil.which("kubectl"):
        done = subprocess.run(
            ["kubectl", "kustomize", BASE], capture_output=True, text=True, timeout=60, check=True
        )
        rendered = list(yaml.safe_load_all(done.stdout))
    else:
        rendered = [
            d for file in LISTED for d in yaml.safe_load_all((BASE / file).read_text(encoding="utf-8"))
        ]
    assert sorted(map(name, rendered)) == sorted(map(name, DOCUMENTS))


def test_what_all_depend_on_runs_more_than_once():
    replicas = {d["metadata"]["name"]: d["spec"]["replicas"] for d in PODS}
    assert {n: count for n, count in replicas.items() if count > 1} == {"nats": 3, "hub": 2, "matchmaking": 2}
    assert set(replicas) == {"nats", *(node.id for node in TOPOLOGY.nodes)}
    budgets = {d["metadata"]["name"] for d in DOCUMENTS if d["kind"] == "PodDisruptionBudget"}
    assert budgets == {"nats", "hub", "matchmaking"}


@pytest.mark.parametrize("document", PODS, ids=name)
def test_a_pod_is_closed_and_has_its_own_secret_only(document):
    spec = document["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == kubernetes.CLOSED
    assert container["resources"]["limits"]["memory"]
    assert [v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v] == [
        f"for-{document['metadata']['name']}"
    ]
    assert not any("PASSWORD" in entry["name"] for entry in container["env"])
    for which in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[which]["httpGet"]["port"] in (8000, 8222)
