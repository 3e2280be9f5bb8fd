"""load: offerings into a running network."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from localnet import catalogue_file, loading
from localnet.api import Api
from localnet.commands.reaching import HowItRuns, PortBase, SecretFile, Via, composed, running
from localnet.commands.screen import DataDir, TopologyFile, out
from localnet.commands.telling import Bars, outcome, refusals
from localnet.endpoints import Endpoints
from localnet.loading import Loaded
from localnet.network import check_names

EXAMPLE = "example"


def load(
    source: Annotated[
        str, typer.Argument(help="example，或 .ndjson、.csv 文件 · example, or an .ndjson or .csv file")
    ],
    node: Annotated[
        str, typer.Option(help="未写明平台的行归此平台 · The platform of lines that name none")
    ] = "",
    via: HowItRuns = Via.EMBEDDED,
    port_base: PortBase = None,
    secret: SecretFile = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """导入服务目录，可重复 · Load offerings; loading them again changes nothing.

    每行：{"node"?, "provider": {…}, "offering": {…}}；CSV 用同名列（provider.name …）或中文列名。
    A line is {"node"?, "provider": {…}, "offering": {…}}; a CSV has columns of these names or in Chinese.
    """
    where = composed(data_dir, topology, port_base, secret) if via is Via.COMPOSE else running(data_dir)
    if node:
        check_names(where.topology, [node])
    began = time.monotonic()
    loaded = asyncio.run(example(where) if source == EXAMPLE else file(where, Path(source), node or None))
    report(loaded, where, time.monotonic() - began)
    if loaded.rejected or loaded.missing:
        raise typer.Exit(1)


async def example(where: Endpoints) -> Loaded:
    async with Api(where) as api:
        with Bars() as bars:
            return await loading.load_example(api, bars.told)


async def file(where: Endpoints, path: Path, node: str | None) -> Loaded:
    """What cannot be sent is refused here, in the same words and with the same line numbers."""
    parcels, refused = catalogue_file.dealt(catalogue_file.read(path), where.topology, node)
    async with Api(where) as api:
        with Bars() as bars:
            loaded = await loading.load_lines(api, parcels, bars.told)
    for one in refused:
        loaded.add(one.node, {"rejected": 1})
    loaded.rejected = sorted([*refused, *loaded.rejected], key=lambda one: one.line)
    return loaded


def report(loaded: Loaded, where: Endpoints, took_s: float) -> None:
    out.print(outcome(loaded, ["—", *(node.id for node in where.topology.nodes)], took_s))
    if loaded.rejected:
        out.print(refusals(loaded))
    if loaded.missing:
        told = ", ".join(f"{node} {count}" for node, count in loaded.missing.items())
        out.print(f"[bold red]✗[/] 尚未到达枢纽目录 · not in the hub's catalogue yet: {told}")


COMMANDS = {"load": load}
