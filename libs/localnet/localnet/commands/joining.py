"""node: platforms that join the network, are held back, and leave."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from localnet.calling import Calls, calling, of_node
from localnet.commands.screen import AsJson, DataDir, out
from localnet.paths import refused_by_disk

STATES = {
    "registered": "已登记", "keyed": "已发密钥", "conformance": "测试中", "probation": "试运行", "active": "正式运行",
    "degraded": "降级", "quarantined": "已隔离", "retired": "已退出",
}  # fmt: skip

Id = Annotated[str, typer.Argument(help="平台编号 · The platform's id")]
Hub = Annotated[str, typer.Option("--hub", help="枢纽地址；默认为本机网络 · The hub, when it is elsewhere")]
Reason = Annotated[str, typer.Option("--reason", help="原因，平台人员可见 · Why; its staff read it")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="密钥写入此文件 · Where the key is written")]


def join(
    id: Id,
    zh: Annotated[str, typer.Option(help="中文名称 · Chinese name")],
    en: Annotated[str, typer.Option(help="英文名称 · English name")],
    division: Annotated[list[str], typer.Option(help="行政区划前缀，可多次 · GB/T 2260 prefix; repeat")],
    kind: Annotated[str, typer.Option(help="window 或 cluster")] = "window",
    deletions: Annotated[
        str, typer.Option(help="tombstone：逐条说明删除；absence：快照中缺少即删除 · How deletions are said")
    ] = "tombstone",
    contact: Annotated[str, typer.Option(help="联系人姓名，仅枢纽保存 · Whom to ask; kept at the hub")] = "",
    email: Annotated[str, typer.Option(help="联系人邮箱 · Their mail address")] = "",
    feed_url: Annotated[str, typer.Option(help="目录变更地址 · Where it serves its changes")] = "",
    key_file: KeyFile = None,
    hub: Hub = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """登记平台并领取密钥 · Register a platform and get its key; then run its conformance suite."""
    body: dict[str, Any] = {
        "id": id, "kind": kind, "zh": zh, "en": en, "divisions": division, "deletion_policy": deletions,
        "feed_url": feed_url or None, "contacts": [{"name": contact, "email": email or None}] if contact else [],
    }  # fmt: skip
    file = key_file or Path(f"{id}.key.json")
    with calling(hub, data_dir) as call:
        call("POST", "/v1/nodes", body)
        told = _key(call, id, 0, file)
    if as_json:
        typer.echo(json.dumps({"node": id, "state": "keyed", "key_file": str(file)}))
        return
    out.print(
        f"[green]✓[/] {id} 已登记 · registered；密钥 · its key: {file} ({told['client_id']})", soft_wrap=True
    )
    out.print(
        "下一步：由平台运行一致性测试 · next: the platform runs the suite: docs/joining.md", soft_wrap=True
    )


def overview(hub: Hub = "", as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """成员平台列表 · All members of the network."""
    with calling(hub, data_dir) as call:
        found = call("GET", "/v1/nodes")["items"]
    members = [one for one in found if one["membership"]]
    if as_json:
        typer.echo(json.dumps(members, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("平台 node", "状态 state", "接入 via", "最近心跳 last beat", "名称 name"):
        table.add_column(head, overflow="fold")
    for one in members:
        state = one["membership"]
        causes = f" ({', '.join(state['causes'])})" if state["causes"] else ""
        table.add_row(
            one["id"], f"{STATES[state['state']]} {state['state']}{causes}", state["via"],
            (one["last_beat_at"] or "—")[:19], one["zh"],
        )  # fmt: skip
    out.print(table)


def show(id: Id, hub: Hub = "", as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """查看一个平台及其下一步 · One platform, and what is next for it."""
    with calling(hub, data_dir) as call:
        member = call("GET", of_node(id, "membership"))
        runs = call("GET", of_node(id, "conformance"))["items"]
    if as_json:
        typer.echo(json.dumps(member | {"conformance": runs}, ensure_ascii=False))
        return
    _told(member)
    out.print(f"{member['zh']} · {member['en']}（{', '.join(member['divisions'])}）")
    if member["reason"]:
        out.print(Text.assemble(("原因 reason: ", "dim"), member["reason"]), soft_wrap=True)
    for run in runs[:5]:
        counts = run["report"]["counts"] if run["report"] else {}
        said = " · ".join(f"{name} {count}" for name, count in counts.items())
        out.print(f"测试 run {run['number']} {run['mode']}: {run['state']} {said}")
    out.print(
        Text.assemble(("下一步 next: ", "dim"), member["next_zh"], " · ", member["next_en"]), soft_wrap=True
    )


def activate(id: Id, hub: Hub = "", data_dir: DataDir = None) -> None:
    """试运行结束，转为正式 · End its probation: its catalogue is found from now on."""
    _act(id, "activation", None, hub, data_dir)


def quarantine(id: Id, reason: Reason, hub: Hub = "", data_dir: DataDir = None) -> None:
    """隔离：不可搜、不受邀，变更保留 · Nothing of it is found or invited; what it says is held."""
    _act(id, "quarantine", {"reason": reason}, hub, data_dir)


def release(id: Id, hub: Hub = "", data_dir: DataDir = None) -> None:
    """解除隔离 · Back to where it was; what was held is taken over."""
    _act(id, "release", None, hub, data_dir)


def retire(id: Id, reason: Reason, hub: Hub = "", data_dir: DataDir = None) -> None:
    """永久退出：密钥失效，编号不再启用 · It leaves for good: its keys end, its id is not given again."""
    _act(id, "retirement", {"reason": reason}, hub, data_dir)


def rotate_key(
    id: Id,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=168, help="旧密钥继续有效的小时数 · How long the old key works on")
    ] = 24,
    key_file: KeyFile = None,
    hub: Hub = "",
    data_dir: DataDir = None,
) -> None:
    """更换平台密钥 · A new key; the old one works on for a while."""
    file = key_file or Path(f"{id}.key.json")
    with calling(hub, data_dir) as call:
        told = _key(call, id, overlap_hours, file)
    out.print(f"[green]✓[/] {id} {told['client_id']} → {file}", soft_wrap=True)


def _act(id: str, what: str, body: dict[str, Any] | None, hub: str, data_dir: Path | None) -> None:
    with calling(hub, data_dir) as call:
        before = call("GET", of_node(id, "membership"))
        tag = f'"{before["epoch"]}.{before["version"]}"'
        call("POST", of_node(id, what), body, tag)
        _told(call("GET", of_node(id, "membership")))


def _told(member: dict[str, Any]) -> None:
    out.print(f"[green]✓[/] [bold]{member['id']}[/] {STATES[member['state']]} · {member['state']}")


def _key(call: Calls, id: str, overlap_hours: int, file: Path) -> dict[str, Any]:
    """A new key, written where only its owner reads it."""
    told = call("POST", of_node(id, "keys"), {"overlap_hours": overlap_hours})
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise refused_by_disk(file, error) from error
    return told


node = typer.Typer(
    help="成员平台 · Platforms of the network: join, look, hold back, let go.", no_args_is_help=True
)
for _name, _command in {
    "join": join, "list": overview, "show": show, "activate": activate, "quarantine": quarantine,
    "release": release, "retire": retire, "rotate-key": rotate_key,
}.items():  # fmt: skip
    node.command(_name)(_command)
