"""export hsds, import hsds: the catalogue in the form other service directories speak."""

import asyncio
import dataclasses
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from common.node import Topology
from hsds import Defaults, Dirt, profile
from hsds.lines import Line, lines
from hsds.tabular import DESCRIPTOR
from rich import box
from rich.table import Table
from rich.text import Text

from localnet import catalogue_file, directories, loading
from localnet.api import Api
from localnet.catalogue_file import Read
from localnet.commands.loading import report
from localnet.commands.reaching import HowItRuns, PortBase, SecretFile, Via, composed, running
from localnet.commands.screen import AsJson, DataDir, TopologyFile, err, out
from localnet.commands.telling import Bars
from localnet.endpoints import Endpoints
from localnet.loading import Loaded, Rejected
from localnet.network import check_names, load
from localnet.paths import find_topology
from localnet.trouble import USAGE, Trouble

SHOWN = 40
COLOURS = {"warning": "yellow", "error": "red", "fatal": "bold red"}
Node = Annotated[str, typer.Option(help="只此平台 · Of this platform only")]


def import_hsds(
    source: Annotated[
        Path, typer.Argument(help="CSV 文件夹或 JSON 文件 · A folder of CSV files, or a JSON file")
    ],
    node: Annotated[
        str, typer.Option(help="全部归此平台；默认按所在地 · All to this platform; else by place")
    ] = "",
    category: Annotated[str, typer.Option(help="分类未知者归此 · Category of what has no known one")] = "",
    division: Annotated[str, typer.Option(help="无地点者归此 · GB/T 2260 code of what has no place")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查 · Read and check only")] = False,
    as_json: AsJson = False,
    via: HowItRuns = Via.EMBEDDED,
    port_base: PortBase = None,
    secret: SecretFile = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """导入 HSDS 服务目录，逐条报告问题，可重复 · Load an HSDS directory; what is wrong is told and the rest loaded.

    再次导入同一目录不改变任何内容。联系人与电话只检查，不导入。
    Loading it again changes nothing. Contacts and telephone numbers are checked and not loaded.
    """
    where: Endpoints | None = None
    if dry_run:
        network = load(find_topology(topology))
    else:
        where = composed(data_dir, topology, port_base, secret) if via is Via.COMPOSE else running(data_dir)
        network = where.topology
    if node:
        check_names(network, [node])
    good, dirt = read(source, checked(category, division))
    parcels, refused = catalogue_file.dealt([_dealt(line, network) for line in good], network, node or None)
    began = time.monotonic()
    loaded = Loaded() if where is None else asyncio.run(_load(where, parcels, as_json))
    for one in refused:
        loaded.add(one.node, {"rejected": 1})
        loaded.became.append((one.node, one.line, "rejected"))
    loaded.rejected = sorted([*refused, *loaded.rejected], key=lambda one: one.line)
    references = {line.row: line.reference for line in good}
    if as_json:
        typer.echo(json.dumps(told(good, dirt, loaded, references), ensure_ascii=False))
    else:
        if dirt:
            out.print(findings(dirt))
        out.print(summary(good, dirt))
        if where is not None:
            report(loaded, where, time.monotonic() - began)
    if loaded.rejected or loaded.missing or any(one.severity != "warning" for one in dirt):
        raise typer.Exit(1)


def read(source: Path, defaults: Defaults) -> tuple[list[Line], list[Dirt]]:
    good: list[Line] = []
    dirt: list[Dirt] = []
    for one in lines(directories.read(source, defaults)):
        if isinstance(one, Dirt):
            dirt.append(one)
        else:
            good.append(one)
    return good, dirt


def checked(category: str, division: str) -> Defaults:
    """Raises: Trouble for a word that is not in our lists."""
    from reference import categories, divisions

    try:
        if category:
            categories.get(category)
        if division:
            divisions.get(division)
    except (categories.UnknownCategory, divisions.UnknownDivision) as error:
        option = "--division" if isinstance(error, divisions.UnknownDivision) else "--category"
        raise Trouble(
            (f"{option} 不在官方列表中", f"{option} is not in our lists: {error}"),
            ("分类编号、GB/T 2260 代码", "an id of a category, a code of GB/T 2260"),
            (
                "分类见 /v1/catalogue/hsds/taxonomy_terms",
                "categories are at /v1/catalogue/hsds/taxonomy_terms",
            ),
            USAGE,
        ) from error
    return Defaults(category or None, division or None)


def _dealt(line: Line, network: Topology) -> Read:
    takers = {one.id for one in network.of_kind("window", "cluster")}
    named = {"node": line.platform} if line.platform in takers else {}
    return Read(line.row, named | line.body)


async def _load(where: Endpoints, parcels: dict[str, list[tuple[int, Any]]], quiet: bool) -> Loaded:
    async with Api(where) as api:
        if quiet:
            return await loading.load_lines(api, parcels)
        with Bars() as bars:
            return await loading.load_lines(api, parcels, bars.told)


def told(
    good: Sequence[Line], dirt: Sequence[Dirt], loaded: Loaded, references: dict[int, str]
) -> dict[str, Any]:
    """All of it, for machines: what is wrong, and what became of each row."""
    refused: dict[int, Rejected] = {one.line: one for one in loaded.rejected}
    rows = [
        {"row": row, "id": references.get(row), "node": node, "outcome": outcome}
        | (dataclasses.asdict(refused[row]) if outcome == "rejected" and row in refused else {})
        for node, row, outcome in sorted(loaded.became, key=lambda entry: entry[1])
    ]
    return {
        "read": len(good),
        "dirt": [dataclasses.asdict(one) for one in dirt],
        "rows": rows,
        "outcomes": dict(loaded.total),
        "missing": loaded.missing,
    }


def findings(dirt: Sequence[Dirt]) -> Table:
    """What is wrong, the worst first; what repeats is told once with its number."""
    order = {"fatal": 0, "error": 1, "warning": 2}
    groups: dict[tuple[str, str, str, str], list[Dirt]] = {}
    for one in dirt:
        groups.setdefault((one.severity, one.table, one.rule, one.field or ""), []).append(one)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("表 table", "行 rows", "字段 field · 规则 rule", "说明 what to do"):
        table.add_column(head, overflow="fold")
    worst = sorted(groups.items(), key=lambda entry: order[entry[0][0]])
    for (severity, name, rule, field), found in worst[:SHOWN]:
        numbers = [str(one.row) for one in found if one.row is not None]
        shown = ", ".join(numbers[:6]) + (f" … ({len(numbers)})" if len(numbers) > 6 else "")
        words = Text.assemble(found[0].zh, "\n", (found[0].en, "dim"))
        table.add_row(name or "—", shown, Text(f"{field}\n{rule}".strip(), style=COLOURS[severity]), words)
    if len(groups) > SHOWN:
        table.add_row("…", "", "", f"+{len(groups) - SHOWN} · --json")
    return table


def summary(good: Sequence[Line], dirt: Sequence[Dirt]) -> str:
    counts = Counter(one.severity for one in dirt)
    stopped = counts["error"] + counts["fatal"]
    return (
        f"可导入 {len(good)} 项服务，错误 {stopped}，提示 {counts['warning']} · "
        f"{len(good)} services can be loaded, {stopped} errors, {counts['warning']} warnings"
    )


def export_hsds(
    folder: Annotated[
        Path | None, typer.Argument(help="空文件夹，写成 CSV · An empty folder for CSV files")
    ] = None,
    as_json: AsJson = False,
    node: Node = "",
    every: Annotated[
        bool, typer.Option("--every", help="含未发布的和墓碑 · With what nobody sees, and tombstones")
    ] = False,
    via: HowItRuns = Via.EMBEDDED,
    port_base: PortBase = None,
    secret: SecretFile = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """导出全区目录为 HSDS 3.0 · The catalogue as HSDS 3.0: CSV files in a folder, or JSON to the screen."""
    if (folder is None) is not as_json:
        raise Trouble(
            ("请给出一个文件夹，或用 --json", "name a folder, or say --json"),
            ("CSV 写入文件夹，JSON 写到标准输出", "CSV files go into a folder, JSON to standard output"),
            ("例如 hubnet export hsds directory", "for example: hubnet export hsds directory"),
            USAGE,
        )
    where = composed(data_dir, topology, port_base, secret) if via is Via.COMPOSE else running(data_dir)
    if node:
        check_names(where.topology, [node])
    asyncio.run(_export(where, folder, node or None, every))


async def _export(where: Endpoints, path: Path | None, platform: str | None, every: bool) -> None:
    folder = None if path is None else directories.Folder(path)
    async with Api(where) as api:
        async for chunk in directories.fetched(api, where.hub, platform=platform, every=every):
            if folder is None:
                sys.stdout.buffer.write(chunk)
            else:
                folder.feed(chunk)
    if folder is None:
        sys.stdout.buffer.flush()
        return
    folder.feed(b"", last=True)
    folder.close()
    about = {"deletion_policy": "tombstone", "created": datetime.now(UTC).isoformat(timespec="seconds")}
    package = profile.datapackage(
        list(folder.counts), name="hubnet-catalogue", **about, **({"platform": platform} if platform else {})
    )
    for name, document in ((DESCRIPTOR, package), ("profile.json", profile.document())):
        text = json.dumps(document, ensure_ascii=False, indent=2)
        (folder.path / name).write_text(text + "\n", encoding="utf-8")
    counted = ", ".join(f"{profile.file_of(table)} {count}" for table, count in folder.counts.items())
    err.print(f"[green]✓[/] {folder.path}: {counted}", soft_wrap=True)


exporting = typer.Typer(help="导出 · Export the catalogue.", no_args_is_help=True)
exporting.command("hsds")(export_hsds)
importing = typer.Typer(
    help="导入其他系统的目录 · Import a directory of another system.", no_args_is_help=True
)
importing.command("hsds")(import_hsds)
