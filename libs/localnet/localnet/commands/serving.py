"""serve: one service of its own. provision: what it needs, for servers that run elsewhere."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from common.settings import Settings
from pydantic import ValidationError

from localnet import handout
from localnet.broker import write_configuration
from localnet.commands.running import plan
from localnet.commands.screen import DataDir, TopologyFile, out, show
from localnet.natsconf import Broker, Cluster, Tls
from localnet.network import check_names
from localnet.paths import find_topology
from localnet.secrets import read
from localnet.trouble import USAGE, Trouble


def serve(
    node: Annotated[str, typer.Argument(help="节点编号 · A node's id")], topology: TopologyFile = None
) -> None:
    """在前台运行一个服务 · Serve one node in the foreground, told by HUBNET_* variables.

    HUBNET_SECRETS_DIR names a folder where the value of a setting may stand in a file of its name instead
    (hubnet_database_url).
    """
    from localnet import fleet  # loads uvicorn, which the other commands do not need

    told: dict[str, Any] = {"node": node, "topology": find_topology(topology)}
    if folder := os.environ.get("HUBNET_SECRETS_DIR"):
        told["_secrets_dir"] = folder
    try:
        settings = Settings(**told)
    except ValidationError as error:
        missing = ", ".join(
            f"HUBNET_{str(part['loc'][0]).upper()}" if part["loc"] else part["msg"] for part in error.errors()
        )
        raise Trouble(
            (f"设置缺失或无效：{missing}", f"missing or not valid: {missing}"),
            ("一个服务由 HUBNET_* 变量设置", "a service is told by HUBNET_* variables"),
            ("设好这些变量；整个网络用 hubnet up", "set them; for the whole network use hubnet up"),
            USAGE,
        ) from error
    check_names(settings.network, [node])
    raise typer.Exit(fleet.serve([settings]))


def elsewhere(
    listen: str, store: Path, tls: Path | None, max_file_bytes: int, cluster: Cluster | None = None
) -> Broker:
    """A broker on another machine or in a container; its monitoring stays on that machine's loopback.

    Shape: of a cluster's server the monitoring is open to probes from outside; a firewall has to close it.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise Trouble(
            (f"监听地址无效：{listen}", f"not an address to listen on: {listen}"),
            ("格式为 主机:端口", "it is host:port"),
            ("例如 --listen 0.0.0.0:4222", "for example --listen 0.0.0.0:4222"),
            USAGE,
        )
    files = Tls(tls / "server.crt", tls / "server.key", tls / "ca.crt") if tls else None
    # One file serves all servers of a cluster: each is told its own name by its environment.
    alone = Broker(store, host, int(port), max_file_bytes=max_file_bytes, tls=files)
    if cluster is None:
        return alone
    return replace(alone, name="$HUBNET_SERVER_NAME", monitor="0.0.0.0:8222", cluster=cluster)


def provision(
    keys_only: Annotated[
        bool, typer.Option("--keys-only", help="只生成密钥与 nats.conf · Only keys and nats.conf")
    ] = False,
    listen: Annotated[
        str, typer.Option(help="消息服务器监听地址 · Where the broker listens")
    ] = "0.0.0.0:4222",
    store: Annotated[Path, typer.Option(help="消息服务器的存储目录 · The broker's store")] = Path(
        "/data/jetstream"
    ),
    tls: Annotated[
        Path | None, typer.Option(help="证书目录 · Folder with server.crt, server.key, ca.crt")
    ] = None,
    routes: Annotated[
        str,
        typer.Option(
            help="集群中各消息服务器的 主机:端口，逗号分隔 · host:port of every server of a cluster, comma-separated"
        ),
    ] = "",
    handouts: Annotated[
        Path | None,
        typer.Option("--handout", help="按节点分发密钥的目录 · Folder to fill with one folder a node"),
    ] = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """为外部服务器准备：密钥、nats.conf、数据库、迁移、消息流 · Prepare servers that run elsewhere.

    HUBNET_POSTGRES_URL and HUBNET_NATS_URL name them. Safe to repeat.
    """
    network = plan(data_dir, topology)
    network.folder.make()
    network.secrets.make(node.id for node in network.topology.nodes)
    network = network.limited()
    network.remember()
    cluster = None
    if named := tuple(route.strip() for route in routes.split(",") if route.strip()):
        cluster = Cluster(f"0.0.0.0:{named[0].rpartition(':')[2]}", named, read(network.secrets.cluster_file))
    broker = elsewhere(listen, store, tls, network.max_file_bytes, cluster)
    write_configuration(network, network.folder.nats / "nats.conf", broker)
    out.print(f"密钥与配置 · keys and configuration: {network.folder.root}")
    if handouts:
        handout.give(network, handouts)
    if keys_only:
        return
    if not network.postgres_url or not network.nats_url:
        raise Trouble(
            ("没有指定服务器", "no servers are named"),
            (
                "HUBNET_POSTGRES_URL 与 HUBNET_NATS_URL 指明它们",
                "HUBNET_POSTGRES_URL and HUBNET_NATS_URL name them",
            ),
            (
                "设好变量，或只生成密钥：--keys-only；本机网络用 hubnet up",
                "set them, or use --keys-only; here, use hubnet up",
            ),
            USAGE,
        )
    from localnet.provision import Work, attempt
    from localnet.provision import provision as provide

    said = {"failed": False}

    def report(line: dict[str, Any]) -> None:
        if "trouble" in line:
            said["failed"] = True
            show(Trouble.from_json(line["trouble"]))
        elif "operator" in line:
            out.print(f"首位管理员 · first operator (shown once): {line['operator']}")
        elif line["done"] == line["total"]:
            out.print(f"{line['part']}: {line['done']}")

    raise typer.Exit(attempt(lambda: provide(Work(network, network.nodes, report, None)), report))


COMMANDS = {"serve": serve, "provision": provision}
