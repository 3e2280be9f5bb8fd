"""compose, kubernetes: what is deployed, made from the topology."""

from pathlib import Path
from typing import Annotated

import typer

from localnet import compose as composing
from localnet import kubernetes as base
from localnet.commands.screen import TopologyFile, out
from localnet.network import load
from localnet.paths import find_topology, refused_by_disk


def compose(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="默认在节点清单旁 · Default: beside the list of nodes"),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="写附加文件 docker-compose.tls.yml · The override with certificates")
    ] = False,
    topology: TopologyFile = None,
) -> None:
    """由节点清单生成 docker-compose.yml · Write docker-compose.yml from the list of nodes."""
    path = find_topology(topology)
    target = output or path.with_name(composing.TLS_NAME if tls else composing.NAME)
    text = composing.render_tls(load(path)) if tls else composing.render(load(path))
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise refused_by_disk(target, error) from error
    out.print(f"已写入 · written: {target}", soft_wrap=True)


def kubernetes(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="默认为节点清单旁的 kubernetes/ · Default: kubernetes/ beside the list of nodes",
        ),
    ] = None,
    topology: TopologyFile = None,
) -> None:
    """由节点清单生成 kustomize 基础配置 · Write a kustomize base from the list of nodes."""
    path = find_topology(topology)
    target = output or path.with_name(base.FOLDER)
    files = base.render(load(path))
    try:
        target.mkdir(exist_ok=True)
        for former in target.glob("*.yaml"):
            if former.name not in files and former.read_text(encoding="utf-8").startswith(base.HEAD):
                former.unlink()
        for name, text in files.items():
            (target / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise refused_by_disk(target, error) from error
    out.print(f"已写入 · written: {target}", soft_wrap=True)


COMMANDS = {"compose": compose, "kubernetes": kubernetes}
