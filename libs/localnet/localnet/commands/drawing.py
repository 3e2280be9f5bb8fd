"""The start as a person sees it. Only here, never in the supervisor: a live display is a thread."""

import time
from collections import Counter
from typing import Any

from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from localnet.commands.screen import out
from localnet.network import POSTGRES, SERVERS, Network

COLOURS = {
    "ready": "green",
    "starting": "yellow",
    "waiting": "dim",
    "unready": "bold yellow",
    "backoff": "bold red",
    "stopping": "yellow",
    "stopped": "dim",
}
STEPS = {
    "servers": "数据库与消息服务器 · PostgreSQL and NATS",
    "databases": "数据库与迁移 · databases",
    "streams": "消息流 · streams",
    "services": "服务 · services",
}


def coloured(state: str) -> Text:
    return Text(state, style=COLOURS.get(state, ""))


class Board:
    """One bar a step; plain lines where there is no terminal."""

    def __init__(self, network: Network, began: float):
        self.network, self.began = network, began
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TextColumn("{task.fields[note]}"),
            console=out,
        )  # fmt: skip
        self.tasks = {step: self.progress.add_task(text, total=None, note="") for step, text in STEPS.items()}
        self.live = (
            Live(self.progress, console=out, refresh_per_second=8, transient=True)
            if out.is_terminal
            else None
        )
        self.mended_told = False
        self.phase = ""

    def __enter__(self) -> "Board":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def draw(self, snapshot: dict[str, Any]) -> None:
        if snapshot["mended"] and not self.mended_told:
            self.mended_told = True
            out.print(
                f"上次的监管进程异常结束，已清理 · left by a killed supervisor, stopped: {', '.join(snapshot['mended'])}"
            )
        for step, (done, total, note) in steps(snapshot).items():
            self.progress.update(self.tasks[step], completed=done, total=total, note=note)
        if not self.live and snapshot["phase"] != self.phase:
            self.phase = snapshot["phase"]
            out.print(f"{time.monotonic() - self.began:5.1f} s  {self.phase}")


def steps(snapshot: dict[str, Any]) -> dict[str, tuple[int, int | None, str]]:
    """How far each step is: done, of how many, and what holds it up."""
    members = snapshot["members"]
    servers = [row for row in members if row["kind"] in SERVERS]
    services = [row for row in members if row["kind"] not in SERVERS and row["state"] != "stopped"]
    found: dict[str, tuple[int, int | None, str]] = {}
    for step, rows in (("servers", servers), ("services", services)):
        failing = [f"{row['node']}: {row['why']}" for row in rows if row["state"] == "backoff"]
        found[step] = (sum(row["state"] == "ready" for row in rows), len(rows), "; ".join(failing[:3]))
    for step in ("databases", "streams"):
        done, total = snapshot["parts"].get(step, (0, None))
        found[step] = (done, total, "")
    return found


def ready_line(network: Network, snapshot: dict[str, Any], took_s: float) -> Table:
    """What runs where, in as many lines as there are kinds."""
    table = Table.grid(padding=(0, 2))
    services = [row for row in snapshot["members"] if row["kind"] not in SERVERS and row["state"] == "ready"]
    kinds = Counter(row["kind"] for row in services)
    table.add_row("就绪 · ready", f"{took_s:.1f} s", ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    if any(row["node"] == network.topology.hub.id for row in services):
        table.add_row("枢纽 · hub", network.url(network.topology.hub.id), "")
    if not network.postgres_url:
        table.add_row("PostgreSQL", f"127.0.0.1:{network.port(POSTGRES)}", "")
    table.add_row("数据 · data", str(network.folder.root), "")
    return table
