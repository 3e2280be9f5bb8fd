"""certificates, rotate-key: what the broker and the nodes prove themselves with."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from localnet import rotation
from localnet.certificates import DAYS, RENEW_DAYS, Authority, Certificate, clock
from localnet.commands.screen import AsJson, DataDir, TopologyFile, folder_of, out
from localnet.control import Connection
from localnet.natsconf import BROKER
from localnet.network import NATS, Network, check_names, load, recall
from localnet.paths import Folder, find_folder, find_topology
from localnet.trouble import USAGE, Trouble

Place = Annotated[
    Path | None,
    typer.Option(
        "--folder", help="证书目录，默认在数据目录 · Folder of the certificates; default: below the data"
    ),
]
certificates = typer.Typer(
    help="消息总线的证书 · Certificates of the bus: a private authority, the broker's, one a node.",
    no_args_is_help=True,
)


def authority_of(place: Path | None, data_dir: Path | None, topology: Path) -> tuple[Folder, Authority]:
    folder = find_folder(data_dir, topology)
    if place is None:
        folder.make()
    return folder, Authority(place.absolute() if place else folder.certificates)


@certificates.command("make")
def make(
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name", help="消息服务器的主机名或 IP · Host name or IP the broker is reached at; repeatable"
        ),
    ] = None,
    place: Place = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """补齐证书，换发 30 天内到期的 · Make what is missing, renew what ends within 30 days."""
    path = find_topology(topology)
    folder, authority = authority_of(place, data_dir, path)
    renewed = authority.ensure((node.id for node in load(path).nodes), names=names or ())
    out.print(f"新证书 · new certificates: {', '.join(renewed) or '—'}")
    out.print(f"目录 · folder: {authority.folder}", soft_wrap=True)
    adopt(folder, renewed)


@certificates.command("renew")
def renew(
    holders: Annotated[
        list[str] | None, typer.Argument(help="节点编号或 nats · Nodes, or nats for the broker; none: all")
    ] = None,
    days: Annotated[float, typer.Option(help="有效天数 · Days it holds", min=0.0, max=DAYS)] = DAYS,
    place: Place = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """立即换发；运行中的节点自行读取 · Issue anew now; running nodes read theirs by themselves."""
    path = find_topology(topology)
    nodes = load(path)
    check_names(nodes, [name for name in holders or () if name != BROKER])
    folder, authority = authority_of(place, data_dir, path)
    told = []
    for holder in holders or (BROKER, *(node.id for node in nodes.nodes)):
        before = authority.read(holder)
        told.append(authority.issue(holder, names=before.names if before else (), days=days))
    out.print(table(told))
    adopt(folder, [found.holder for found in told])


@certificates.command("list")
def listed(
    as_json: AsJson = False, place: Place = None, data_dir: DataDir = None, topology: TopologyFile = None
) -> None:
    """谁的证书何时到期 · Whose certificate ends when; exit code 1 when one has ended."""
    path = find_topology(topology)
    folder = find_folder(data_dir, path)
    found = Authority(place or folder.certificates).all(node.id for node in load(path).nodes)
    now = clock()
    if as_json:
        out.print_json(json.dumps([row(one) for one in found], ensure_ascii=False))
    else:
        out.print(table(found))
    if any(one.days(now) <= 0 for one in found):
        raise typer.Exit(1)


def row(found: Certificate) -> dict[str, Any]:
    days = round(found.days(clock()), 2)
    return {
        "holder": found.holder,
        "names": list(found.names),
        "expires_at": found.expires_at.isoformat(),
        "days": days,
        "state": "expired" if days <= 0 else "ending" if days <= RENEW_DAYS else "valid",
    }


def table(found: list[Certificate]) -> Table:
    made = Table()
    for head in ("持有者 holder", "到期 expires", "天 days", "状态 state", "名称 names"):
        made.add_column(head)
    for one in map(row, found):
        colour = {"expired": "red", "ending": "yellow"}.get(one["state"], "green")
        made.add_row(
            one["holder"], one["expires_at"][:16], str(one["days"]), f"[{colour}]{one['state']}[/]", " ".join(one["names"])
        )  # fmt: skip
    return made


def adopt(folder: Folder, renewed: list[str]) -> None:
    """A running embedded broker reads its own new certificate; nodes look at their files each second."""
    network = running(folder)
    if network and network[0].tls and BROKER in renewed:
        rotation.reload(*network)
        out.print("消息服务器已读取 · the broker has read its own")


def running(folder: Folder) -> tuple[Network, dict[str, int]] | None:
    """The network and the pids of its embedded brokers, when they run."""
    try:
        with Connection(folder) as connection:
            members = connection.ask(do="status")["members"]
    except Trouble:
        return None
    pids = {member["node"]: member["pid"] for member in members if member["kind"] == NATS and member["pid"]}
    return (Network.from_json(recall(folder)), pids) if pids else None


def rotate_key(
    node: Annotated[str, typer.Argument(help="节点编号 · A node's id")],
    wait: Annotated[
        float, typer.Option(help="等待节点改用新密钥的秒数 · Seconds the node has", min=0.0)
    ] = 30.0,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop-old", help="立即作废旧密钥（泄露时）· End the old key now, when it is known to others"
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """更换节点密钥，不丢消息 · Give a node another key; both are accepted until it uses the new one."""
    folder = folder_of(data_dir)
    found = running(folder)
    if found is None:
        raise Trouble(
            ("内置消息服务器没有运行", "the embedded broker is not running"),
            ("更换密钥须通知消息服务器", "a key is changed while the broker runs, which has to be told"),
            ("先运行 hubnet up", "start it first: hubnet up"),
        )
    network, pids = found
    check_names(network.topology, [node])
    seed = network.secrets.seed_file(node)
    if rotation.rotate(network, node, lambda: rotation.reload(network, pids), wait_s=wait, drop=drop):
        out.print(f"{node}: 新密钥已启用，旧密钥已作废 · the new key is in use, the old one has ended")
        return
    raise Trouble(
        (f"{node} 仍在使用旧密钥", f"{node} still uses its old key; both are accepted"),
        ("旧密钥在节点改用新密钥后作废", "the old key ends when the node uses the new one"),
        (
            f"把 {seed} 交给该节点，再次运行本命令",
            f"hand {seed} to that node, then run this command again",
        ),
        USAGE,
    )


COMMANDS = {"rotate-key": rotate_key}
