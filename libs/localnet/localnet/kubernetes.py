"""The network for Kubernetes: a kustomize base made from the list of nodes.

The database is not in it: an operator for PostgreSQL runs one better than a bare StatefulSet would.
"""

from typing import Any

import yaml
from common.node import Node, Topology

from localnet import handout
from localnet.compose import MEGABYTES, MEGABYTES_OTHERWISE, OWN
from localnet.network import NATS, SCALED

FOLDER = "kubernetes"
PORT, CLIENTS, ROUTES, MONITORING = 8000, 4222, 6222, 8222
BROKERS = 3
NAMESPACE = "hubnet"
USER = 10001
NATS_URL = ",".join(f"nats://{NATS}-{number}.{NATS}:{CLIENTS}" for number in range(BROKERS))
ROUTE_LIST = ",".join(f"{NATS}-{number}.{NATS}:{ROUTES}" for number in range(BROKERS))
HEAD = "# Generated from deploy/topology.yaml by `hubnet kubernetes`; changes made here are lost (use an overlay).\n"
CLOSED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
Document = dict[str, Any]


def render(topology: Topology) -> dict[str, str]:
    """Every file of the base by its name."""
    files = {
        "namespace.yaml": [namespace(), policy()],
        "nats.yaml": broker(),
        **{f"{node.id}.yaml": service(node) for node in topology.nodes},
    }
    kustomization: Document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "labels": [{"pairs": {"app.kubernetes.io/part-of": "hubnet"}}],
        "images": [{"name": "hubnet", "newTag": "latest"}, {"name": "nats", "newTag": "2.15-alpine"}],
        "resources": list(files),
    }
    return {name: text(documents) for name, documents in files.items()} | {
        "kustomization.yaml": text([kustomization])
    }


def text(documents: list[Document]) -> str:
    return HEAD + "---\n".join(
        yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110) for document in documents
    )


def namespace() -> Document:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": enforced}}


def policy() -> Document:
    """The brokers are reached by services and by each other; services by whoever the ingress lets in."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": NATS},
        "spec": {
            "podSelector": {"matchLabels": {"app": NATS}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [{"podSelector": {}}], "ports": [{"port": CLIENTS}]},
                {
                    "from": [{"podSelector": {"matchLabels": {"app": NATS}}}],
                    "ports": [{"port": ROUTES}],
                },
            ],
        },
    }


def broker() -> list[Document]:
    """Three servers, each on a machine of its own, with a volume of its own."""
    labels = {"app": NATS}
    health = {"path": "/healthz?js-enabled-only=true", "port": MONITORING}
    container: Document = {
        "name": NATS,
        "image": "nats",
        "args": ["-c", f"{OWN}/{handout.CONFIGURATION}"],
        "env": [
            {"name": "HUBNET_SERVER_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "ports": [
            {"name": "clients", "containerPort": CLIENTS},
            {"name": "routes", "containerPort": ROUTES},
            {"name": "monitoring", "containerPort": MONITORING},
        ],
        "startupProbe": {"httpGet": health, "periodSeconds": 3, "failureThreshold": 40},
        "livenessProbe": {"httpGet": health, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "readinessProbe": {
            "httpGet": health | {"path": "/healthz?js-server-only=true"}, "periodSeconds": 5, "timeoutSeconds": 5,
        },
        "resources": resources(512, "250m"),
        "securityContext": CLOSED,
        "volumeMounts": [
            {"name": "own", "mountPath": OWN, "readOnly": True},
            {"name": "store", "mountPath": "/bus"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }  # fmt: skip
    volume = {
        "metadata": {"name": "store"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
    }
    spec = pod(NATS, container, handed=NATS, grace=60)
    spec["spec"]["affinity"] = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
            ]
        }
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NATS},
            "spec": {
                "clusterIP": "None",
                "selector": labels,
                # Servers find each other before they are ready: they become so together.
                "publishNotReadyAddresses": True,
                "ports": [{"name": "clients", "port": CLIENTS}, {"name": "routes", "port": ROUTES}],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": NATS},
            "spec": {
                "serviceName": NATS,
                "replicas": BROKERS,
                "podManagementPolicy": "Parallel",
                "selector": {"matchLabels": labels},
                "template": spec,
                "volumeClaimTemplates": [volume],
            },
        },
        budget(NATS),
    ]


def service(node: Node) -> list[Document]:
    """A node: two processes where the whole network depends on it."""
    doubled = node.kind in SCALED
    megabytes = MEGABYTES.get(node.kind, MEGABYTES_OTHERWISE)
    told = {
        "HUBNET_SECRETS_DIR": OWN,
        "HUBNET_NKEY_SEED_FILE": f"{OWN}/{handout.SEED}",
        "HUBNET_NATS_URL": NATS_URL,
        "HUBNET_HUB_URL": f"http://hub:{PORT}",
    }
    if node.kind == "hub":
        told |= {
            "HUBNET_PEPPER_FILE": f"{OWN}/{handout.PEPPER}",
            "HUBNET_BOOTSTRAP_CLIENT_FILE": f"{OWN}/{handout.CLIENT}",
        }
    container: Document = {
        "name": node.id,
        "image": "hubnet",
        "args": [node.id],
        "env": [{"name": name, "value": value} for name, value in told.items()],
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": probe("/readyz", 3, 60),
        "livenessProbe": probe("/healthz", 10, 6),
        "readinessProbe": probe("/readyz", 5, 2),
        "resources": resources(megabytes, "100m" if not doubled else "500m"),
        "securityContext": CLOSED,
        "volumeMounts": [
            {"name": "own", "mountPath": OWN, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    template = pod(node.id, container, handed=node.id, grace=15)
    if doubled:
        template["spec"]["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": node.id}},
            }
        ]
    documents: list[Document] = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": node.id, "annotations": {"zh": node.zh, "en": node.en}},
            "spec": {
                "replicas": 2 if doubled else 1,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "selector": {"matchLabels": {"app": node.id}},
                "template": template,
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": node.id},
            "spec": {"selector": {"app": node.id}, "ports": [{"name": "http", "port": PORT}]},
        },
    ]
    return [*documents, budget(node.id)] if doubled else documents


def pod(name: str, container: Document, *, handed: str, grace: int) -> Document:
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": grace,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "own", "secret": {"secretName": f"for-{handed}", "defaultMode": 0o440}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
        },
    }


def budget(name: str) -> Document:
    """Maintenance takes one at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}},
    }


def probe(path: str, period: int, failures: int) -> Document:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def resources(megabytes: int, cpu: str) -> Document:
    return {
        "requests": {"cpu": cpu, "memory": f"{megabytes // 2}Mi"},
        "limits": {"memory": f"{megabytes}Mi"},
    }
