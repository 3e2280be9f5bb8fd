"""F11: a window, the hub, or the bus is put back from a copy that is older than what others know of it."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator

import httpx
from localnet.network import NATS

from tests.faults.nemesis import STREAMS_S, Stage, fault, provision, shut_out
from tests.faults.network import Running, until
from tests.faults.power import FAULTS

__all__ = ["FAULTS"]  # all of them
FENCED_S, ENDED_S = 30.0, 60.0


async def copy(running: Running, node: str) -> None:
    """A copy of a node's database, while nobody is in."""
    name = running.database(node)
    async with running.alone(node), shut_out(running, node), running.administrator() as administrator:
        await administrator.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}" OWNER "{name}"')
        await administrator.execute(f'REVOKE ALL ON DATABASE "{name}_copy" FROM PUBLIC')


async def put_back(stage: Stage, node: str) -> None:
    """The copy in its place; the service is stopped meanwhile, as by whoever restores a backup."""
    running = stage.running
    name = running.database(node)
    running.do("stop", node)
    await until(lambda: running.pid(node) is None, STREAMS_S, lambda: f"{node} does not stop")
    async with running.alone(node), running.administrator() as administrator:
        await administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await administrator.execute(f'ALTER DATABASE "{name}_copy" RENAME TO "{name}"')
        stage.went_back(node)
    running.do("start", node)
    await running.ready(node)


@fault(
    "F11w", "窗口数据库由旧备份恢复：自动隔离，hubnet restored 恢复", "a window restored from an older copy"
)
async def window_restored(stage: Stage, seconds: float) -> AsyncIterator[None]:
    running = stage.running
    node = stage.random.choice(running.windows)
    since = stage.book.length
    await copy(running, node)
    yield
    stage.say(f"put {node} back")
    await put_back(stage, node)
    # What was acknowledged after the copy is lost with the database, and nobody can say what came of it.
    stage.book.doubt(node, since)
    stage.restored.add(node)
    await fenced(stage, node)
    await restored(stage, node)


async def fenced(stage: Stage, node: str) -> None:
    """The hub notices by itself that the node went back."""
    headers = {"Authorization": f"Bearer {await stage.operator()}"}
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=10, headers=headers) as client:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FENCED_S
        while True:
            said = (await client.get(f"{stage.running.endpoints.urls['hub']}/v1/nodes")).json()
            if any(one["id"] == node and (one["detail"] or {}).get("fenced") for one in said["items"]):
                stage.say(f"{node} is fenced")
                return
            if loop.time() > deadline:
                stage.broken.append(f"{node} was put back and is not fenced")
                return
            await asyncio.sleep(0.1)


async def restored(stage: Stage, node: str) -> None:
    """`hubnet restored NODE`: the runbook."""
    headers = {"Authorization": f"Bearer {await stage.operator()}"}
    url = f"{stage.running.endpoints.urls['hub']}/v1/nodes/{node}/restorations"
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=10, headers=headers) as client:
        ordered = (await client.post(url)).raise_for_status().json()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + ENDED_S
        while True:
            listed = (await client.get(url)).raise_for_status().json()["items"]
            told = next(one for one in listed if one["epoch"] == ordered["epoch"])
            if told["state"] == "ended":
                stage.say(f"{node} is in epoch {told['epoch']}")
                return
            if loop.time() > deadline:
                stage.broken.append(f"the restoration of {node} does not end: {told}")
                return
            await asyncio.sleep(0.1)


@fault("F11h", "枢纽数据库由旧备份恢复", "the hub restored from an older copy")
async def hub_restored(stage: Stage, seconds: float) -> AsyncIterator[None]:
    running = stage.running
    await copy(running, "hub")
    yield
    stage.say("put the hub back")
    await put_back(stage, "hub")


@fault("F11b", "总线存储由旧备份恢复", "the store of the bus restored from an older copy")
async def bus_restored(stage: Stage, seconds: float) -> AsyncIterator[None]:
    running = stage.running
    store = (running.network.folder.nats / "store").resolve()
    kept = store.with_name("store-copy")
    await stopped(running)
    await asyncio.to_thread(shutil.copytree, store, kept)
    running.do("start", NATS)
    await running.ready(NATS)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, kept, ignore_errors=True)
        yield
        stage.say("put the store back")
        await stopped(running)
        await asyncio.to_thread(shutil.rmtree, store)
        await asyncio.to_thread(shutil.copytree, kept, store)
    running.do("start", NATS)
    await running.ready(NATS)
    await provision(running)
    await running.ready()


async def stopped(running: Running) -> None:
    running.do("stop", NATS)
    await until(lambda: running.pid(NATS) is None, STREAMS_S, lambda: "the broker does not stop")
