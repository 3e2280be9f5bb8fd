"""match train, match weights: learn weights from results, and switch them by hand."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from localnet.api import OPERATOR, Api
from localnet.commands.reaching import running
from localnet.commands.screen import AsJson, DataDir, out
from localnet.endpoints import Endpoints
from localnet.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from matchmaking.rankings.cases import Case
    from matchmaking.rankings.training import Trained

WEIGHTS, CASES = "/v1/weights", "/v1/outcomes/cases"
NOT_BETTER = 3
COMPONENTS = {
    "relevance": "相关", "proximity": "远近", "reputation": "口碑", "responsiveness": "响应", "load": "余力",
    "price-fit": "价格", "lead-time": "工期", "recognition": "认定", "newcomer": "新机构",
}  # fmt: skip
STATES = {"candidate": "候选", "active": "现行", "retired": "已停用"}

Version = Annotated[str, typer.Argument(help="权重版本 · The version's name")]


def train(
    cases: Annotated[
        Path | None, typer.Option(help="案例文件（NDJSON），默认取自运行中的供需对接 · A file of cases")
    ] = None,
    current: Annotated[
        Path | None, typer.Option(help="现行权重文件，默认取自网络或随软件发布者 · The present weights")
    ] = None,
    target: Annotated[Path, typer.Option("--out", help="写出候选权重 · Where the candidate goes")] = Path(
        "weights.json"
    ),
    submit: Annotated[
        bool, typer.Option("--submit", help="胜出时提交为候选 · Submit it as a candidate if it wins")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """由对接结果学习权重；胜出退出码 0，未胜出 3 · Learn weights from results; exit 0 if they win, 3 if not."""
    where = running(data_dir) if cases is None or submit else None
    known, before = asyncio.run(_material(where, cases, current))
    from matchmaking.rankings.training import train as learn

    with _bar(as_json) as bar:
        task = bar.add_task("训练 · training", total=None)
        found = learn(known, before, lambda done, total: bar.update(task, completed=done, total=total))
    _write(target, found.document)
    wins = found.evaluation.wins
    submitted = asyncio.run(_submit(where, found)) if where and submit and wins else None
    if as_json:
        told = found.model_dump(mode="json") | {"out": str(target), "submitted": submitted}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _report(found, target, submit, submitted)
    raise typer.Exit(0 if wins else NOT_BETTER)


def overview(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """权重版本列表 · All versions of the weights."""
    found = asyncio.run(_called(running(data_dir), "GET", WEIGHTS))["items"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("版本 version", no_wrap=True)
    for head in ("状态 state", "来源 by", "案例 cases", "差值 nDCG@10"):
        table.add_column(head, overflow="fold")
    for one in found:
        measured = one["evaluation"]
        cells = (str(measured["cases"]), _interval(measured)) if measured else ("—", "—")
        table.add_row(one["version"], _state(one), one["made_by"], *cells)
    out.print(table)


def show(version: Version, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """查看一个版本 · One version: its figures and how it was measured."""
    found = asyncio.run(_called(running(data_dir), "GET", f"{WEIGHTS}/{version}"))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    out.print(f"[bold]{found['version']}[/] {_state(found)} · {found['made_by']}")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("分项 component")
    table.add_column("权重 weight", justify="right")
    for name, weight in sorted(found["document"]["weights"].items(), key=lambda item: -item[1]):
        table.add_row(f"{COMPONENTS.get(name, '')} {name}".strip(), f"{weight:.4f}")
    out.print(table)
    if found["evaluation"]:
        out.print(_measured(found["evaluation"]), soft_wrap=True)


def activate(version: Version, data_dir: DataDir = None) -> None:
    """启用一个版本，服务端重新评测 · Rank by this version; the service measures it again first."""
    found = asyncio.run(_called(running(data_dir), "POST", f"{WEIGHTS}/{version}/activation"))
    out.print(f"[green]✓[/] {found['version']} {_state(found)}")
    out.print(_measured(found["evaluation"]), soft_wrap=True)


def retire(version: Version, data_dir: DataDir = None) -> None:
    """停用一个版本，恢复上一个 · Rank by it no more; the one before it is active again."""
    where = running(data_dir)
    found = asyncio.run(_called(where, "POST", f"{WEIGHTS}/{version}/retirement"))
    listed = asyncio.run(_called(where, "GET", WEIGHTS))["items"]
    active = next(one["version"] for one in listed if one["state"] == "active")
    out.print(f"[green]✓[/] {found['version']} {_state(found)}；现行 · active: [bold]{active}[/]")


async def _called(where: Endpoints, method: str, path: str, body: Any = None) -> Any:
    """Raises: Trouble with the service's own words."""
    async with Api(where) as api:
        if method == "GET":
            return await api.get(_node(where), path, OPERATOR)
        return await api.post(_node(where), path, body, who=OPERATOR)


def _node(where: Endpoints) -> str:
    return where.topology.of_kind("matchmaking")[0].id


async def _material(
    where: Endpoints | None, cases: Path | None, current: Path | None
) -> "tuple[list[Case], dict[str, Any]]":
    """Cases and the weights they are to beat. Raises: Trouble."""
    if cases is not None:
        lines: Sequence[str] = _text(cases).splitlines()
    else:
        assert where is not None
        lines = await _fetched(where)
    known = [_case(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if current is not None:
        return known, _document(current)
    if where is not None:
        listed = (await _called(where, "GET", WEIGHTS))["items"]
        return known, next(one["document"] for one in listed if one["state"] == "active")
    from matchmaking.matching import weights
    from matchmaking.rankings.documents import document

    return known, document(weights.current())


async def _fetched(where: Endpoints) -> list[str]:
    """Every case the running service knows, as lines."""
    async with Api(where) as api:
        said = b"".join([chunk async for chunk in api.stream(_node(where), CASES, OPERATOR)])
    return said.decode().split("\n")


def _case(number: int, line: str) -> "Case":
    from matchmaking.rankings.cases import Case
    from pydantic import ValidationError

    try:
        return Case.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        rule = f"{'.'.join(map(str, first['loc']))}: {first['type']}"
        raise Trouble(
            (f"第 {number} 行不是案例：{rule}", f"line {number} is no case: {rule}"),
            (f"每行一个 {CASES} 给出的案例", f"a line is a case as {CASES} gives it"),
            ("重新导出后再试", "export the cases again"),
            USAGE,
        ) from error


def _document(path: Path) -> dict[str, Any]:
    from common.errors import Invalid
    from matchmaking.rankings import documents

    try:
        return documents.document(documents.parsed(json.loads(_text(path))))
    except (ValueError, AttributeError, Invalid) as error:
        said = (error.zh, error.en) if isinstance(error, Invalid) else (str(error), str(error))
        raise Trouble(
            (f"{path} 不是权重文件：{said[0]}", f"{path} is no weights file: {said[1]}"),
            ("须为一个 JSON 权重文档", "it must be one JSON weights document"),
            (
                "hubnet match weights show --json 可得到现行者",
                "hubnet match weights show --json gives the active one",
            ),
            USAGE,
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(
            (f"读不了文件：{path}", f"the file cannot be read: {path}: {error}"),
            ("须为 UTF-8 文本文件", "it must be a UTF-8 text file"),
            ("核对路径后重试", "check the path and try again"),
            USAGE,
        ) from error


def _write(target: Path, document: dict[str, Any]) -> None:
    try:
        target.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Trouble(
            (f"写不了文件：{target}", f"the file cannot be written: {target}: {error}"),
            ("候选权重须写到文件", "the candidate goes to a file"),
            ("用 --out 换一个路径", "name another one: --out"),
        ) from error


async def _submit(where: Endpoints, found: "Trained") -> str:
    summary = found.model_dump(mode="json", include={"coefficients", "penalty", "trained_cases", "pairs"})
    body = {
        "document": found.document,
        "trained_on": summary,
        "evaluation": found.evaluation.model_dump(mode="json"),
    }
    return (await _called(where, "POST", WEIGHTS, body))["version"]


def _bar(quiet: bool) -> Progress:
    console = Console(stderr=True) if quiet else out
    return Progress(
        TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip


def _report(found: "Trained", target: Path, submit: bool, submitted: str | None) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("分项 component")
    for head in ("现行 current", "候选 candidate", "变化 change", "优者领先 lead"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in found.coefficients:
        change = one.candidate - one.current
        colour = "green" if change > 0 else "red" if change < 0 else "dim"
        table.add_row(
            f"{COMPONENTS.get(one.name, '')} {one.name}".strip(), f"{one.current:.4f}", f"{one.candidate:.4f}",
            Text(f"{change:+.4f}", style=colour), f"{one.lead:+.3f}",
        )  # fmt: skip
    out.print(table)
    out.print(
        f"训练案例 {found.trained_cases}，偏好对 {found.pairs} · "
        f"trained on {found.trained_cases} cases, {found.pairs} preferences, penalty {found.penalty:g}"
    )
    out.print(_measured(found.evaluation.model_dump()), soft_wrap=True)
    out.print(f"{found.document['version']} → {target}")
    if submitted:
        out.print(f"已提交，尚未启用 · submitted, not active yet: hubnet match weights activate {submitted}")
    elif submit:
        out.print("未胜出，没有提交 · it does not win and was not submitted")


def _measured(told: dict[str, Any]) -> Text:
    from matchmaking.rankings.evaluation import LEAST_CASES

    figures = f"nDCG@10 {told['current']:.4f} → {told['candidate']:.4f}，{_interval(told)}（{told['cases']} 个留出案例 held-out cases）\n"
    if told["wins"]:
        return Text.assemble(figures, ("胜过现行版本 · it wins against ", "bold green"), told["against"])
    why = (
        f"案例不足 {LEAST_CASES} 个 · fewer than {LEAST_CASES} cases"
        if told["cases"] < LEAST_CASES
        else "95% 区间未全部大于 0 · the 95 % interval is not above 0"
    )
    return Text.assemble(
        figures, ("没有胜过现行版本 · it does not win against ", "bold red"), f"{told['against']}：{why}"
    )


def _interval(told: dict[str, Any]) -> str:
    return f"{told['difference']:+.4f} [{told['low']:+.4f}, {told['high']:+.4f}]"


def _state(one: dict[str, Any]) -> str:
    return f"{STATES[one['state']]} {one['state']}"


COMMANDS = {"train": train}
WEIGHTS_COMMANDS = {"list": overview, "show": show, "activate": activate, "retire": retire}
