"""drift, restored: whether every copy is what its owner has, and how a node restored from a backup comes back."""

import json
import time
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from localnet.calling import Calls, calling, of_node
from localnet.commands.screen import AsJson, DataDir, out
from localnet.trouble import Trouble

DRIFTS = 1
# A node answers within a second; one with a backlog answers after it.
PATIENCE_S = 60.0
LOOK_S = 0.5
KINDS = {
    "missing": "缺失", "stale": "过期", "extra": "多余", "content": "内容不一", "ahead": "超前",
}  # fmt: skip
STATES = {
    "asked": "待答 asked",
    "questioned": "比对中 questioned",
    "repairing": "修复中 repairing",
    "equal": "一致 equal",
}

Hub = Annotated[str, typer.Option("--hub", help="枢纽地址；默认为本机网络 · The hub, when it is elsewhere")]
Wait = Annotated[float, typer.Option("--wait", min=0, help="最多等待秒数 · Seconds to wait for answers")]


def drift(
    node: Annotated[str, typer.Argument(help="平台编号，默认全部 · A platform's id; all without one")] = "",
    repair: Annotated[
        bool, typer.Option("--repair", help="一并修复同版本内容不一的记录 · Also mend contradictions")
    ] = False,
    wait: Wait = PATIENCE_S,
    hub: Hub = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """立即比对目录副本与所属平台，修复差异；有差异或未应答时退出码 1 · Compare every copy with its owner now, and mend."""
    with calling(hub, data_dir) as call:
        listed = call("GET", "/v1/nodes")["items"]
        owners = [one["id"] for one in listed if one["kind"] in ("window", "cluster")]
        if node:
            call("GET", f"/v1/nodes/{node}")
            owners = [one for one in owners if one == node] or owners
        asked = {owner: _asked(call, owner, repair) for owner in owners}
        found = _settled(call, asked, wait)
    total = sum(one["total"] for one in found.values())
    silent = [owner for owner, one in found.items() if not _answered(one, asked[owner])]
    if as_json:
        out.print_json(json.dumps({"total": total, "silent": silent, "nodes": found}, ensure_ascii=False))
    else:
        _print(found, silent)
    if total or silent:
        raise typer.Exit(DRIFTS)


def _asked(call: Calls, owner: str, repair: bool) -> str:
    return call("POST", of_node(owner, "digests"), {"repair": repair})["exchange"]


def _answered(drift: dict[str, Any], exchange: str) -> bool:
    """Whether the hub's comparison of this exchange has come to its end."""
    return any(
        one["observer"] == "hub"
        and one["exchange"] == exchange
        and (one["state"] == "equal" or (one["round"] > 1 and one["compared_at"] is not None))
        for one in drift["comparisons"]
    )


def _settled(call: Calls, asked: dict[str, str], wait: float) -> dict[str, dict[str, Any]]:
    """What is known of each owner when all have answered, or the time is over."""
    until = time.monotonic() + wait
    while True:
        found = {owner: call("GET", of_node(owner, "drift")) for owner in asked}
        open_ = [owner for owner, exchange in asked.items() if not _ended(found[owner], exchange)]
        if not open_ or time.monotonic() >= until:
            return found
        time.sleep(LOOK_S)


def _ended(drift: dict[str, Any], exchange: str) -> bool:
    """Whether the hub has compared, and matchmaking after it where the hub is equal."""
    mine = [one for one in drift["comparisons"] if one["exchange"] == exchange]
    observers = {one["observer"]: one for one in mine}
    if not _answered(drift, exchange):
        return False
    return observers["hub"]["state"] != "equal" or len(observers) > 1


def _print(found: dict[str, dict[str, Any]], silent: list[str]) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("平台 node", "副本在 copies at", "状态 state", "记录 records", "差异 drift"):
        table.add_column(head, overflow="fold")
    for owner, one in found.items():
        for compared in one["comparisons"]:
            kinds = ", ".join(f"{KINDS[kind]} {kind} {count}" for kind, count in compared["drift"].items())
            table.add_row(
                owner,
                compared["observer"],
                STATES[compared["state"]],
                str(compared["records"] or ""),
                kinds or "0",
            )
    out.print(table)
    for owner in silent:
        out.print(f"[yellow]![/] {owner} 未在限时内应答 · has not answered in time", soft_wrap=True)
    for one in (difference for drift in found.values() for difference in drift["differences"]):
        out.print(
            f"  {one['kind']} {one['noun']} {one['id']}: {one['epoch']}.{one['version']}"
            f" / {one['held_epoch']}.{one['held_version']}",
            soft_wrap=True,
        )


def restored(
    node: Annotated[str, typer.Argument(help="由备份恢复的平台 · The node that was restored from a backup")],
    wait: Wait = PATIENCE_S,
    hub: Hub = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """平台由旧备份恢复后：取新 epoch 并重发全部记录；平台须在运行 · Bring back a node whose database was restored."""
    with calling(hub, data_dir) as call:
        ordered = call("POST", of_node(node, "restorations"))
        until = time.monotonic() + wait
        while True:
            listed = call("GET", of_node(node, "restorations"))["items"]
            told = next(one for one in listed if one["epoch"] == ordered["epoch"])
            if told["state"] == "ended" or time.monotonic() >= until:
                break
            time.sleep(LOOK_S)
    if as_json:
        out.print_json(json.dumps(told, ensure_ascii=False))
    else:
        out.print(f"{node}: epoch {told['epoch']}, {told['state']}", soft_wrap=True)
        for case in told["lost_cases"]:
            out.print(
                f"  窗口已无此需求 · lost demand: {case['number']} {case['id']} ({case['state']})",
                soft_wrap=True,
            )
    if told["state"] != "ended":
        raise Trouble(
            (f"{node} 尚未完成：{told['state']}", f"{node} has not ended yet: {told['state']}"),
            (
                "平台须在运行并连上总线；它在下一次心跳时领取",
                "the node must run and reach the bus; it takes the order with its next beat",
            ),
            (
                f"hubnet status 查看；之后可再次执行 hubnet restored {node}",
                f"see hubnet status; hubnet restored {node} may be repeated",
            ),
        )


COMMANDS = {"drift": drift, "restored": restored}
