"""status, logs."""

import json
import os
import time
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import httpx
import psutil
import typer
from rich.table import Table

from localnet.commands.drawing import coloured
from localnet.commands.screen import AsJson, DataDir, folder_of, out
from localnet.control import Connection
from localnet.network import Network, check_names, recall
from localnet.paths import Folder
from localnet.trouble import Trouble

OWN_LOGS = ("supervisor", "provision", "services")
WIDE = 130  # columns of a terminal that shows names and addresses too


def status(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """各节点状态 · The state of every node."""
    folder = folder_of(data_dir)
    with Connection(folder) as connection:
        told = connection.ask(do="status")
    rows = described(folder, told)
    network = Network.from_json(recall(folder))
    ending = soonest(network) if network.tls else None
    totals = {"pss_mb": total(rows, "pss_mb"), "rss_mb": total(rows, "rss_mb")}
    if as_json:
        out.print_json(
            json.dumps(
                {"phase": told["phase"], "nodes": rows, "certificate": ending, **totals}, ensure_ascii=False
            )
        )
        return
    table = Table(title=f"{told['phase']} · {folder.root}", title_justify="left")
    wide = out.width >= WIDE
    for head in ("节点 node", "状态 state", *(("名称 name", "地址 url") if wide else ("端口 port",))):
        table.add_column(head, no_wrap=not wide)
    for head in ("PSS MB", "心跳 hub", *(("pid", "重启 restarts", "运行 uptime") if wide else ())):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        state = coloured(row["state"]) + (
            f"\n{row['why']}" if row["why"] and row["state"] == "backoff" else ""
        )
        where = (f"{row['zh']} {row['en']}".strip(), row["url"]) if wide else (text(row["port"]),)
        more = (text(row["pid"]), text(row["restarts"]), lasted(row["uptime_s"])) if wide else ()
        table.add_row(row["node"], state, *where, text(row["pss_mb"]), row["heartbeat"] or "", *more)
    out.print(table)
    out.print(f"PSS {totals['pss_mb']} MB")
    if ending:
        out.print(f"最先到期的证书 · certificate that ends first: {ending['holder']}, {ending['days']} d")


def soonest(network: Network) -> dict[str, Any]:
    """Whose certificate ends first, and in how many days."""
    from localnet.certificates import Authority, clock

    authority, now = Authority(network.folder.certificates), clock()
    found = min(authority.all(n.id for n in network.topology.nodes), key=lambda one: one.expires_at)
    return {"holder": found.holder, "days": round(found.days(now), 1)}


def described(folder: Folder, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The supervisor's rows with names, memory and heartbeats."""
    network = Network.from_json(recall(folder))
    names = {name: node for node in network.topology.nodes for name in network.processes(node)}
    heartbeats = heard_by_hub(network, told)
    shared: set[int] = set()
    rows = []
    for row in told["members"]:
        node, pid = names.get(row["node"]), row["pid"]
        rss, pss = memory(pid) if pid and pid not in shared else (None, None)
        if pid and told["single_process"]:
            shared.add(pid)  # counted once, at the first of those who share it
        scheme = {"postgres": "postgresql", "nats": "nats"}.get(row["kind"], "http")
        rows.append(
            {
                "node": row["node"],
                "kind": row["kind"],
                "zh": node.zh if node else "",
                "en": node.en if node else "",
                "state": row["state"],
                "pid": pid,
                "port": row["port"],
                "url": f"{scheme}://127.0.0.1:{row['port']}",
                "restarts": row["restarts"],
                "rss_mb": rss,
                "pss_mb": pss,
                "uptime_s": None if row["started"] is None else round(told["clock"] - row["started"], 1),
                "heartbeat": heartbeats.get(row["node"]),
                "why": row["why"],
            }
        )
    return rows


def heard_by_hub(network: Network, told: dict[str, Any]) -> dict[str, str]:
    """Each node's heartbeat state as the hub sees it; nothing when the hub does not answer."""
    if not any(row["node"] == network.topology.hub.id and row["state"] == "ready" for row in told["members"]):
        return {}
    try:
        answer = httpx.get(f"{network.url(network.topology.hub.id)}/v1/nodes", timeout=2, trust_env=False)
        listed = answer.json() if answer.is_success else []
        listed = listed.get("items", []) if isinstance(listed, dict) else listed
        return {entry["id"]: str(entry.get("state", "")) for entry in listed}
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return {}


def memory(pid: int) -> tuple[float | None, float | None]:
    """(RSS, PSS) in MB of a process and its children; PSS counts what is shared once."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return None, None
    rss = pss = 0
    for one in family:
        try:
            rss += one.memory_info().rss
            pss += int(proportional(one.pid))
        except (psutil.Error, OSError):
            continue
    return round(rss / 2**20, 1), round(pss / 2**20, 1) or None


def proportional(pid: int) -> int:
    """PSS in bytes: one small file, where psutil would add up every mapping."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def total(rows: list[dict[str, Any]], field: str) -> float:
    return round(sum(row[field] or 0 for row in rows), 1)


def text(value: Any) -> str:
    return "" if value is None else str(value)


def lasted(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def logs(
    node: Annotated[str, typer.Argument(help="节点、postgres、nats、supervisor、provision · Whose log")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="持续显示 · Go on")] = False,
    lines: Annotated[int, typer.Option("-n", min=0, help="最后几行 · Last lines")] = 50,
    data_dir: DataDir = None,
) -> None:
    """查看日志 · A node's log."""
    folder = folder_of(data_dir)
    if node not in OWN_LOGS and (before := recall(folder)):
        network = Network.from_json(before)
        check_names(network.topology, [node], network.members)
    path = folder.log(node)
    if not path.exists():
        raise Trouble(
            (f"没有 {node} 的日志", f"there is no log of {node}"),
            (f"日志在首次启动后产生：{folder.logs}", f"a log begins with the first start: {folder.logs}"),
            (f"hubnet up，或 hubnet start {node}", f"hubnet up, or hubnet start {node}"),
        )
    show(path, lines)
    while follow:
        follow_to_its_end(path)


def show(path: Path, lines: int) -> None:
    with path.open("rb") as file:
        copy(tail(file, lines))


def follow_to_its_end(path: Path) -> None:
    """Print what is added, until another file has taken its place."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        while True:
            if chunk := file.read():
                copy(chunk)
            elif path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                return
            time.sleep(0.2)


def tail(file: BinaryIO, lines: int) -> bytes:
    """The last lines, leaving the file at its end."""
    end = file.seek(0, os.SEEK_END)
    start, found = end, b""
    while start > 0 and found.count(b"\n") <= lines:
        step = min(65536, start)
        start -= step
        file.seek(start)
        found = file.read(step) + found
    file.seek(end)
    return b"".join(found.splitlines(keepends=True)[-lines:]) if lines else b""


def copy(chunk: bytes) -> None:
    out.out(chunk.decode(errors="replace"), end="")


COMMANDS = {"status": status, "logs": logs}
