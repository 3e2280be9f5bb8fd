"""The network as containers: the compose file of the topology, and where its running services are reached."""

import json
import subprocess
from pathlib import Path
from typing import Any

from common.node import Node, Topology

from localnet import handout
from localnet.endpoints import Endpoints
from localnet.network import HOST, POSTGRES, load
from localnet.paths import Folder
from localnet.trouble import USAGE, Trouble

NAME, TLS_NAME = "docker-compose.yml", "docker-compose.tls.yml"
INSIDE_PORT = 8000  # of every service, in its own container
OFFSETS = 100  # compose cannot add, so a port is the hundreds of the base and two digits of the offset
OWN = "/run/hubnet"  # where a container finds its hand-out
MEGABYTES = {"hub": 384, "matchmaking": 1024}  # what one takes at rest, at least doubled
MEGABYTES_OTHERWISE = 256

KEYS_TOLD = (
    '[provision, --keys-only, --listen, "0.0.0.0:4222", --store, /bus/jetstream, --handout, /handout{}]'
)
PROVISION_TOLD = '[provision, --listen, "0.0.0.0:4222", --store, /bus/jetstream{}]'

HEAD = """\
# Generated from deploy/topology.yaml by `hubnet compose`; changes made here are lost (use an override file).
# How to use it: deploy/README.md. There is no secret in it: `keys` makes them at the first start, each into the
# volume of the one container that needs it. Ports are published on this machine's loopback address only.
name: hubnet

x-closed: &closed
  user: "10001:10001"
  read_only: true
  tmpfs: ["/tmp:size=16m,mode=1777"]
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  init: true
  pids_limit: 128
  logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}

x-step: &step
  <<: *closed
  image: ${HUBNET_IMAGE:-hubnet}
  entrypoint: [hubnet]
  mem_limit: 512m
  restart: "no"
  healthcheck: {disable: true}

x-service: &service
  <<: *closed
  image: ${HUBNET_IMAGE:-hubnet}
  networks: [inside, outside]
  restart: unless-stopped
  stop_grace_period: 15s
  healthcheck:
    test: [CMD, python, -I, -S, /etc/hubnet/ready.py]
    interval: 10s
    timeout: 3s
    start_period: 60s
    retries: 3
  depends_on:
    provision: {condition: service_completed_successfully}
    postgres: {condition: service_healthy}
    nats: {condition: service_healthy}

x-told: &told
  HUBNET_SECRETS_DIR: /run/hubnet
  HUBNET_NKEY_SEED_FILE: /run/hubnet/nkey.seed
  HUBNET_NATS_URL: nats://nats:4222
  HUBNET_HUB_URL: http://hub:8000
  HUBNET_LOG_LEVEL: ${HUBNET_LOG_LEVEL:-INFO}

"""

SERVERS = """\
  # The official image starts as root, makes its folders and goes on as the user postgres; hence the capabilities.
  postgres:
    image: ${HUBNET_POSTGRES_IMAGE:-postgres:18}
    # Not POSTGRES_PASSWORD_FILE: the image reads that after it has become postgres, who may not.
    entrypoint: [sh, -c, 'POSTGRES_PASSWORD=$$(cat /run/hubnet/password) exec docker-entrypoint.sh "$$@"', --]
    command: [postgres, -c, max_connections=300, -c, shared_buffers=128MB, -c, random_page_cost=1.1]
    environment: {PGDATA: /var/lib/postgresql/18/docker}
    volumes: ["postgres:/var/lib/postgresql", "for-postgres:/run/hubnet:ro"]
    networks: [inside]
    read_only: true
    tmpfs: ["/tmp:size=16m,mode=1777", "/var/run/postgresql:size=1m,mode=1777"]
    cap_drop: [ALL]
    cap_add: [CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID]
    security_opt: ["no-new-privileges:true"]
    shm_size: 128m
    mem_limit: 2g
    pids_limit: 512
    restart: unless-stopped
    stop_signal: SIGINT
    stop_grace_period: 60s
    logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}
    healthcheck:
      test: [CMD, pg_isready, -q, -h, 127.0.0.1, -U, postgres]
      interval: 3s
      timeout: 3s
      start_period: 60s
      retries: 5
    depends_on:
      keys: {condition: service_completed_successfully}

  nats:
    <<: *closed
    image: ${HUBNET_NATS_IMAGE:-nats:2.15-alpine}
    command: [-c, /run/hubnet/nats.conf]
    volumes: ["bus:/bus", "for-nats:/run/hubnet:ro"]
    networks: [inside]
    mem_limit: 512m
    restart: unless-stopped
    stop_grace_period: 30s
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8222/healthz?js-enabled-only=true"]
      interval: 3s
      timeout: 3s
      start_period: 60s
      retries: 5
    depends_on:
      keys: {condition: service_completed_successfully}

  # Databases, migrations, streams; told once in its log: the first operator's password.
  provision:
    <<: *step
    command: [provision, --listen, "0.0.0.0:4222", --store, /bus/jetstream]
    environment: {HUBNET_POSTGRES_URL: "postgresql://postgres@postgres:5432/postgres", HUBNET_NATS_URL: "nats://nats:4222"}
    volumes: ["data:/data"]
    networks: [inside]
    depends_on:
      postgres: {condition: service_healthy}
      nats: {condition: service_healthy}

"""


def render(topology: Topology) -> str:
    """The compose file's text.

    Raises: Trouble when a port's offset has more than two digits.
    """
    for node in topology.nodes:
        if not 0 <= node.port < OFFSETS:
            raise Trouble(
                (f"节点 {node.id} 的端口偏移 {node.port} 过大", f"node {node.id}: the port offset {node.port} is too large"),
                ("容器的端口偏移须小于 100", "containers publish offsets below 100"),
                ("在节点清单中改正", "change it in the list of nodes"),
                USAGE,
            )  # fmt: skip
    services = "\n".join(service(node) for node in topology.nodes)
    names = ["data", POSTGRES, "bus", *(f"for-{name}" for name in handed(topology))]
    return (
        f"{HEAD}services:\n{keys(topology)}{SERVERS}{services}\n"
        "networks:\n  inside: {internal: true}\n  outside:\n\n"
        f"volumes:\n{''.join(f'  {name}:{chr(10)}' for name in names)}"
    )


def handed(topology: Topology) -> list[str]:
    return [name for name in handout.names(topology.nodes) if name != handout.BUS]


def keys(topology: Topology) -> str:
    mounts = "".join(f"      - for-{name}:/handout/{name}\n" for name in handed(topology))
    return f"""\
  # Seeds, passwords and nats.conf at the first start; later it only hands out again what is there.
  keys:
    <<: *step
    build:
      context: ..
      dockerfile: deploy/Dockerfile
      args: [PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_TRUSTED_HOST]
    network_mode: none
    command: {KEYS_TOLD.format("")}
    environment: {{HUBNET_POSTGRES_URL: "postgresql://postgres@postgres:5432/postgres"}}
    volumes:
      - data:/data
      - bus:/handout/bus
{mounts}
"""


def service(node: Node) -> str:
    port = f"${{HUBNET_PORT_HUNDREDS:-180}}{node.port:02d}"
    secrets = ""
    if node.kind == "hub":
        secrets = (
            f"\n      HUBNET_PEPPER_FILE: {OWN}/{handout.PEPPER}"
            f"\n      HUBNET_BOOTSTRAP_CLIENT_FILE: {OWN}/{handout.CLIENT}"
        )
    return f"""\
  {node.id}: # {node.zh} {node.en}
    <<: *service
    command: [{node.id}]
    mem_limit: {MEGABYTES.get(node.kind, MEGABYTES_OTHERWISE)}m
    environment:
      <<: *told
      HUBNET_PUBLIC_URL: http://{HOST}:{port}{secrets}
    volumes: ["for-{node.id}:{OWN}:ro"]
    ports: ["{HOST}:{port}:{INSIDE_PORT}"]
"""


TLS_HEAD = """\
# Generated from deploy/topology.yaml by `hubnet compose --tls`: mutual TLS 1.3 between the broker and every node, so
# that nodes may live at other sites. Use it after the main file: -f docker-compose.yml -f docker-compose.tls.yml
# HUBNET_TLS (default ./tls) has a folder a node and one for nats. HUBNET_BUS is where the broker is published.
x-told: &told
  HUBNET_NATS_URL: tls://nats:4222
  HUBNET_NATS_CA_FILE: /tls/ca.crt
  HUBNET_NATS_CERT_FILE: /tls/node.crt
  HUBNET_NATS_KEY_FILE: /tls/node.key

services:
"""


def render_tls(topology: Topology) -> str:
    """The override file that adds certificates."""
    folder = "${HUBNET_TLS:-./tls}"
    hub = topology.hub.id
    nodes = "".join(
        f'  {node.id}: {{environment: *told, volumes: ["{folder}/{node.id}:/tls:ro"]}}\n'
        for node in topology.nodes
    )
    return f"""\
{TLS_HEAD}\
  keys:
    command: {KEYS_TOLD.format(", --tls, /tls")}
  nats:
    volumes: ["{folder}/nats:/tls:ro"]
    networks: [inside, outside]
    ports: ["${{HUBNET_BUS:-{HOST}:4222}}:4222"]
  provision:
    command: {PROVISION_TOLD.format(", --tls, /tls")}
    environment: *told
    volumes: ["{folder}/{hub}:/tls:ro"]
{nodes}"""


def endpoints(topology_path: Path, folder: Folder) -> Endpoints:
    """Where the running containers are reached, asked of Docker; the folder keeps what callers learn.

    Raises: Trouble when they do not run or Docker does not answer.
    """
    topology = load(topology_path)
    file = topology_path.with_name(NAME)
    urls = published(ask(file, "ps", "--format", "json"))
    missing = [node.id for node in topology.nodes if node.id not in urls]
    if missing:
        raise Trouble(
            (f"没有运行的容器：{'、'.join(missing)}", f"containers that do not run: {', '.join(missing)}"),
            ("演示用到整个网络", "the whole network is needed"),
            (f"docker compose -f {file} up -d --wait", f"docker compose -f {file} up -d --wait"),
        )
    secret = ask(file, "exec", "-T", topology.hub.id, "cat", f"{OWN}/{handout.CLIENT}").strip()
    return Endpoints(topology, urls, secret, folder.users)


def published(listing: str) -> dict[str, str]:
    """Each service's URL from `ps --format json`: a list, or in later versions one object a line."""
    rows: list[dict[str, Any]] = (
        json.loads(listing)
        if listing.startswith("[")
        else [json.loads(line) for line in listing.splitlines()]
    )
    return {
        row["Service"]: f"http://{HOST}:{port['PublishedPort']}"
        for row in rows
        for port in row.get("Publishers") or ()
        if port["TargetPort"] == INSIDE_PORT and port["PublishedPort"]
    }


def ask(file: Path, *words: str) -> str:
    """Raises: Trouble with Docker's own words."""
    try:
        done = subprocess.run(
            ["docker", "compose", "--file", str(file), *words],
            capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=60, check=False,
        )  # fmt: skip
        said = done.stderr.strip().splitlines()
        if done.returncode == 0:
            return done.stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        said = [str(error)]
    why = said[-1] if said else ""
    raise Trouble(
        (f"docker compose {words[0]} 失败：{why}", f"docker compose {words[0]} failed: {why}"),
        ("容器网络由 Docker Compose v2 运行", "the containers are run by Docker Compose v2"),
        ("核对 Docker 在运行且有权使用；见 deploy/README.md", "see that Docker runs and that you may use it; deploy/README.md"),
    )  # fmt: skip
