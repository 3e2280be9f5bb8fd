"""up, down, reset."""

import os
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from localnet import preflight
from localnet.commands.screen import DataDir, TopologyFile, folder_of, out
from localnet.commands.session import Session, ask_down
from localnet.control import Connection
from localnet.network import FOLLOWER, PORT_BASE, Network, check_names, load, recall
from localnet.paths import find_folder, find_topology
from localnet.privileges import remove_data


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="就绪后留在后台 · Leave it running")] = False,
    only: Annotated[
        str, typer.Option(help="只启动这些节点，逗号分隔 · Only these nodes, comma-separated")
    ] = "",
    port_base: Annotated[int | None, typer.Option(min=1024, max=65000, help="首个端口 · First port")] = None,
    single_process: Annotated[
        bool, typer.Option("--single-process", help="全部服务同在一个进程 · All services in one process")
    ] = False,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="消息总线双向 TLS 1.3 · Mutual TLS 1.3 on the bus; remembered"),
    ] = None,
    scale_out: Annotated[
        bool,
        typer.Option(
            "--scale-out",
            help="三节点 NATS、枢纽与对接各两个进程、PostgreSQL 只读副本 · Three brokers, two processes each of hub and "
            "matchmaking, a following PostgreSQL",
        ),
    ] = False,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """启动整个网络 · Start the network; Ctrl-C stops it."""
    network = plan(data_dir, topology, only, port_base, single_process, tls, scale_out)
    with Session(network) as session:
        session.until_up()
        if detach:
            session.release()
            return
        session.until_interrupted()


def plan(
    data_dir: Path | None,
    topology: Path | None,
    only: str = "",
    port_base: int | None = None,
    single: bool = False,
    tls: bool | None = None,
    scale_out: bool = False,
) -> Network:
    """The network to start; what was chosen at an earlier start holds unless it is chosen anew.

    Raises: Trouble.
    """
    path = find_topology(topology)
    folder = find_folder(data_dir, path)
    preflight.owned(folder)
    nodes = load(path)
    selected = [name.strip() for name in only.split(",") if name.strip()]
    check_names(nodes, selected)
    before = recall(folder)
    return Network(
        folder=folder,
        topology_path=path,
        port_base=port_base or before.get("port_base", PORT_BASE),
        selected=tuple(selected),
        single_process=single,
        postgres_url=os.environ.get("HUBNET_POSTGRES_URL"),
        nats_url=os.environ.get("HUBNET_NATS_URL"),
        max_file_bytes=before.get("max_file_bytes", 0),
        tls=before.get("tls", False) if tls is None else tls,
        scale_out=scale_out,
    )


def down(data_dir: DataDir = None) -> None:
    """停止网络 · Stop the network."""
    folder = folder_of(data_dir)
    began = time.monotonic()
    if not preflight.held(folder):
        with Connection(folder):  # raises: not running
            pass
    ask_down(folder)
    out.print(f"已停止 · stopped ({time.monotonic() - began:.1f} s)")


def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不询问 · Do not ask")] = False,
    data_dir: DataDir = None,
) -> None:
    """删除全部数据 · Delete all data of the network."""
    folder = folder_of(data_dir)
    if not folder.exists():
        out.print(f"没有数据 · nothing there: {folder.root}")
        return
    preflight.owned(folder)
    if not yes:
        typer.confirm(
            f"删除 {folder.root} 中的数据库、消息与密钥？ Delete databases, messages and keys?", abort=True
        )
    if preflight.held(folder):
        ask_down(folder)
    for data in (folder.postgres, folder.postgres.with_name(FOLLOWER)):
        remove_data(data)
    for part in (folder.nats, folder.logs, folder.secrets, folder.run):
        shutil.rmtree(part, ignore_errors=True)
    folder.record.unlink(missing_ok=True)
    try:
        folder.root.rmdir()
    except OSError:
        out.print(f"其他文件保留 · other files stay: {folder.root}")
    out.print("已删除 · deleted")


COMMANDS = {"up": up, "down": down, "reset": reset}
