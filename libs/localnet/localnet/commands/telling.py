"""The story and the loading as a person reads them: Chinese, with English beneath."""

import time
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Group
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from localnet.commands.screen import out
from localnet.loading import Loaded
from localnet.plot import Sheet
from localnet.story import Step, StepResult

INDENT = 7
PARTS = {
    "users": "示例用户 · users",
    "agencies": "自行登记的机构 · agencies",
    "lines": "导入 · import",
    "catalogue": "到达枢纽目录 · in the catalogue",
}


class Narrator:
    """Tells each step when it has ended; on a terminal, what is going on meanwhile."""

    def __init__(self, brief: bool = False):
        self.brief = brief
        self.live: Live | None = None

    async def begins(self, step: Step) -> None:
        if out.is_terminal:
            self.live = Live(
                Spinner("dots", f"{place(step)}{step.zh} · {step.en}"), console=out, transient=True
            )
            self.live.start()

    async def ended(self, result: StepResult) -> None:
        self.rest()
        out.print(heading(result))
        told: list[Any] = []
        for zh, en in result.told.lines:
            told += [Text(zh), Text(en, style="dim")]
        if result.told.sheet:
            told.append(drawn(result.told.sheet))
        if told:
            out.print(Padding(Group(*told), (0, 0, 0, INDENT)))

    def rest(self) -> None:
        """Stop what moves on the screen."""
        if self.live:
            self.live.stop()
            self.live = None


def place(step: Step) -> str:
    return f"{step.number:>2}/{step.total}".ljust(INDENT)


def heading(result: StepResult) -> Table:
    step = result.step
    line = Table.grid(expand=False, padding=(0, 1))
    line.width = min(out.width, 100)
    line.add_column(width=INDENT - 1, style="bold")
    line.add_column(ratio=1)
    line.add_column(justify="right")
    line.add_column(justify="right", width=10)
    state = Text(f"→ {result.told.state}", style="green") if result.held else Text("✗", style="bold red")
    title = Text.assemble((step.zh, "bold"), (f" · {step.en}", ""))
    line.add_row(place(step).rstrip(), title, state, f"{result.took_ms:,.0f} ms")
    return line


def drawn(sheet: Sheet) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for zh, en in sheet.heads:
        table.add_column(f"{zh} {en}".strip(), overflow="fold")
    for row in sheet.rows:
        table.add_row(*row)
    return table


class Bars:
    """One bar a part of the loading; plain lines where there is no terminal."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), console=out, transient=True,
            disable=not out.is_terminal,
        )  # fmt: skip
        self.tasks: dict[str, TaskID] = {}
        self.over: set[str] = set()

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def told(self, part: str, done: int, total: int) -> None:
        if part not in self.tasks:
            self.tasks[part] = self.progress.add_task(PARTS[part], total=total)
        self.progress.update(self.tasks[part], completed=done, total=total)
        if not out.is_terminal and done == total and part not in self.over:
            self.over.add(part)
            out.print(f"{time.monotonic() - self.began:5.1f} s  {PARTS[part]} {done}")


def outcome(loaded: Loaded, order: Iterable[str], took_s: float) -> Table:
    """What became of the lines, by node."""
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, show_edge=False)
    total = loaded.total
    names = {"created": "新增", "updated": "更新", "unchanged": "未变", "rejected": "拒绝"}
    table.add_column("节点 node", f"合计 total, {took_s:.1f} s", no_wrap=True)
    for name, zh in names.items():
        table.add_column(f"{zh}\n{name}", str(total[name]), justify="right")
    for node in order:
        if found := loaded.outcomes.get(node):
            table.add_row(node, *(str(found[name] or "") for name in names))
    return table


def refusals(loaded: Loaded, most: int = 20) -> Table:
    """Each refused line: which field breaks which rule, and what to do."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("行 line", justify="right")
    for head in ("节点 node", "字段 field · 规则 rule", "说明 what to do"):
        table.add_column(head, overflow="fold")
    for one in loaded.rejected[:most]:
        told = Text.assemble(one.zh, "\n", (one.en, "dim"))
        table.add_row(str(one.line), one.node, f"{one.field}\n{one.rule}", told)
    if len(loaded.rejected) > most:
        table.add_row("…", "", "", f"+{len(loaded.rejected) - most}")
    return table
