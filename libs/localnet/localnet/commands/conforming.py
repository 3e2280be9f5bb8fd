"""conformance: whether a platform can belong to the network."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from conformance.reports import Report
from rich import box
from rich.table import Table
from rich.text import Text

from localnet.calling import calling, of_node
from localnet.commands.joining import Hub
from localnet.commands.screen import AsJson, DataDir, out
from localnet.trouble import REFUSED, USAGE, Trouble

MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("–", "dim")}
TOKEN = "HUBNET_PLATFORM_TOKEN"


def conformance(
    url: Annotated[
        str, typer.Argument(help="被测平台地址 · The platform's base address, or that of its feed")
    ] = "",
    bus: Annotated[str, typer.Option("--bus", help="本网总线节点 · A node of this network's bus")] = "",
    token: Annotated[
        str, typer.Option(envvar=TOKEN, help="被测平台要求的令牌 · A token, if it asks for one")
    ] = "",
    hub: Hub = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """一致性测试：通过退出码 0，未通过 1，无法运行 2 · The conformance suite: exit 0 passed, 1 not, 2 could not run."""
    if bool(url) == bool(bus):
        raise Trouble(
            ("请指明被测者", "say what is to be tested"),
            ("一个地址，或 --bus 节点", "an address, or --bus NODE"),
            (
                "hubnet conformance http://平台地址",
                "hubnet conformance URL, or hubnet conformance --bus NODE",
            ),
            USAGE,
        )
    report = _bus(bus, hub, data_dir) if bus else asyncio.run(_serving(url, token))
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _report(report)
    raise typer.Exit(0 if report.passed else REFUSED)


def _bus(node: str, hub: str, data_dir: Path | None) -> Report:
    """What the hub says of a node of its bus."""
    try:
        with calling(hub, data_dir) as call:
            run = call("POST", of_node(node, "conformance"), {"mode": "exchange"})
    except Trouble as trouble:
        raise Trouble(trouble.wrong, trouble.rule, trouble.mend, USAGE) from trouble
    if run["report"] is None:
        raise Trouble(
            (
                f"{node} 经 HTTP 接入，由该平台自己运行测试",
                f"{node} is not on the bus; it runs the suite itself",
            ),
            ("--bus 只用于总线节点", "--bus is for nodes of the bus"),
            ("见 docs/joining.md", "see docs/joining.md"),
            USAGE,
        )
    return Report.model_validate(run["report"])


async def _serving(url: str, token: str) -> Report:
    from conformance import fetching, serving  # the contracts take 150 ms that others need not pay

    base, feed = serving.split(url)
    try:
        return await serving.check(fetching.getter(base, token or None), url, datetime.now(UTC), feed=feed)
    except fetching.Unreachable as error:
        raise Trouble(
            (f"无法访问 {base}", f"nobody answers: {error}"),
            ("测试通过 HTTP 读取被测平台", "the suite reads the platform over HTTP"),
            ("检查地址、端口与防火墙后重试", "check address, port and firewall, and run it again"),
            USAGE,
        ) from error


def _report(report: Report) -> None:
    """Every rule in a line; of what failed, evidence and mend."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("")
    table.add_column("规则 rule", no_wrap=True)
    table.add_column("要求 what it asks", overflow="fold")
    for one in report.findings:
        mark, colour = MARKS[one.verdict]
        table.add_row(Text(mark, colour), one.rule, Text(f"{one.zh}\n{one.en}"))
    out.print(table)
    for one in report.failures:
        out.print(Text.assemble(("✗ ", "bold red"), (f"{one.rule} ({one.level})", "bold")), soft_wrap=True)
        evidence = json.dumps(one.evidence, ensure_ascii=False)
        out.print(Text.assemble(("  证据 evidence ", "dim"), evidence), soft_wrap=True)
        out.print(Text.assemble(("  办法 mend ", "green"), f"{one.mend_zh} · {one.mend_en}"), soft_wrap=True)
        out.print(Text.assemble(("  文档 see ", "dim"), f"docs/{one.see}"), soft_wrap=True)
    counts, colour = report.counts, "green" if report.passed else "bold red"
    said = "通过 passed" if report.passed else "未通过 not passed"
    out.print(
        Text.assemble(
            (said, colour),
            f" · {report.subject}: {counts['passed']} ✓  {counts['failed']} ✗  {counts['skipped']} –",
        ),
        soft_wrap=True,
    )


COMMANDS = {"conformance": conformance}
