"""demo: the whole network lives one demand, before your eyes."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from localnet import examples, loading, preflight, story
from localnet.api import Api
from localnet.commands.reaching import HowItRuns, PortBase, SecretFile, Via, composed
from localnet.commands.running import plan
from localnet.commands.screen import DataDir, TopologyFile, out
from localnet.commands.session import Session, died
from localnet.commands.telling import Bars, Narrator, outcome
from localnet.control import Connection
from localnet.endpoints import Endpoints
from localnet.network import Network, recall
from localnet.paths import Folder
from localnet.plot import Case
from localnet.story import StepResult
from localnet.trouble import Trouble

UP_LIMIT_S = 150.0
INTERRUPTED = 130


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="讲完即停止并退出 · Leave after the story")] = False,
    via: HowItRuns = Via.EMBEDDED,
    port_base: PortBase = None,
    secret: SecretFile = None,
    data_dir: DataDir = None,
    topology: TopologyFile = None,
) -> None:
    """启动网络并演示一条需求的全过程 · Start the network and play the story of one demand."""
    if via is Via.COMPOSE:
        tell(composed(data_dir, topology, port_base, secret), None)
        return
    network = plan(data_dir, topology, port_base=port_base)
    if preflight.held(network.folder):
        tell(Endpoints.of(already_up(network.folder)), network.folder)
        return
    told = False
    with Session(network) as session:
        session.until_up()
        tell(Endpoints.of(network), network.folder, session)
        told = True
        if not leave:
            session.until_interrupted()
    if not told:
        raise typer.Exit(INTERRUPTED)  # the session takes Ctrl-C for a good end


def already_up(folder: Folder) -> Network:
    """The running network of this folder, as soon as it is up; it is not ours to stop.

    Raises: Trouble when it is not whole.
    """
    deadline = time.monotonic() + UP_LIMIT_S
    with Connection(folder) as connection:
        for snapshot in connection.watch():
            if snapshot["trouble"]:
                raise Trouble.from_json(snapshot["trouble"])
            if snapshot["phase"] == "up":
                break
            if snapshot["phase"] == "stopping" or time.monotonic() > deadline:
                raise stopping(snapshot["phase"])
        else:
            raise died()
    stopped = [row["node"] for row in snapshot["members"] if row["state"] == "stopped"]
    if stopped:
        raise Trouble(
            (f"部分节点没有运行：{'、'.join(stopped)}", f"nodes that do not run: {', '.join(stopped)}"),
            ("演示用到整个网络", "the story needs the whole network"),
            (
                "hubnet start NODE 逐个启动，或 hubnet down 后重来",
                "hubnet start NODE, or hubnet down and again",
            ),
        )
    out.print("网络已在运行，演示后继续运行 · already running, and left running")
    return Network.from_json(recall(folder))


def stopping(phase: str) -> Trouble:
    return Trouble(
        (f"网络处于 {phase}", f"the network is in phase {phase}"),
        ("演示需要就绪的网络", "the story needs a network that is up"),
        ("稍后再试，或 hubnet status 查看", "try again later, or see hubnet status"),
    )


def tell(endpoints: Endpoints, folder: Folder | None, session: Session | None = None) -> None:
    """Load what is missing, play the story, show where to go on.

    Raises: Trouble of the step that did not hold.
    """
    results = asyncio.run(load_and_play(endpoints, session))
    took_s = sum(result.took_ms for result in results) / 1000
    if not story.complete(results):
        last = results[-1]
        raise last.trouble or died()
    out.print(
        f"\n[bold green]✓[/] 全部 {len(results)} 步成立 · all {len(results)} steps held ({took_s:.1f} s)\n"
    )
    signposts(endpoints, folder)


async def load_and_play(endpoints: Endpoints, session: Session | None) -> list[StepResult]:
    with followed(session):
        async with Api(endpoints) as api:
            if not await loading.complete(api):
                await load_example(api)
            narrator = Narrator()
            try:
                return await story.play(endpoints, narrator, Case(api))
            finally:
                narrator.rest()


async def load_example(api: Api) -> None:
    began = time.monotonic()
    with Bars() as bars:
        loaded = await loading.load_example(api, bars.told)
    order = [node.id for node in api.endpoints.topology.nodes]
    out.print(outcome(loaded, order, time.monotonic() - began))
    out.print()


@contextlib.contextmanager
def followed(session: Session | None) -> Iterator[None]:
    """Keep reading what our supervisor says: it drops, and stops for, a holder that does not.

    Raises: Trouble when it stops meanwhile.
    """
    if session is None:
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    connection, said = session.connection, list[Any]()

    def heard() -> None:
        snapshot = connection.receive()
        if snapshot is None or snapshot["phase"] == "stopping":
            said.append(snapshot)
            loop.remove_reader(connection.link)
            if task:
                task.cancel()

    loop.add_reader(connection.link, heard)
    try:
        yield
    except asyncio.CancelledError:
        if not said:
            raise
        raise (stopping("stopping") if said[0] else died()) from None
    finally:
        loop.remove_reader(connection.link)


def signposts(endpoints: Endpoints, folder: Folder | None) -> None:
    """Where to look around, and as whom. Lines are not broken: they are to be copied."""
    hub, window = endpoints.urls[endpoints.hub], endpoints.urls["hohhot"]
    owner = examples.enterprise_account(endpoints.topology)
    usual = folder is not None and folder.root.name == ".hubnet"
    where = "" if usual else f" --data-dir '{endpoints.users.parent.parent}'"
    elsewhere = f" --url {hub}" if folder is None else ""
    token = f"hubnet token {owner.username}{elsewhere}{where}"
    for label, text in (
        ("网络状态 status", f"{hub}/"),
        ("接口文档 APIs", f"{hub}/docs  {window}/docs"),
        ("联合目录 catalogue", f"{hub}/v1/catalogue?kind=instrument&division=150100"),
        ("试一试 try", f'curl -H "Authorization: Bearer $({token})" {window}/v1/demands'),
    ):
        out.print(Text.assemble((f"{label}  ", "bold"), text), soft_wrap=True)
    out.print(
        Text.assemble(("示例用户 users", "bold"), "  密码见 passwords: ", str(endpoints.users)),
        soft_wrap=True,
    )
    people = [p for p in examples.people(endpoints.topology) if p.username not in examples.laboratories()]
    for person in people:
        out.print(f"  {person.username}  {person.zh} · {person.en}", soft_wrap=True)
    out.print("  ex-lab-…  各集聚区实验室 · the other clusters' laboratories")


COMMANDS = {"demo": demo}
