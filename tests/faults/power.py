"""F10: the power fails. What the servers had not brought to the disk by then is gone."""

import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from localnet.network import NATS, POSTGRES

from tests.faults.disks import Disk
from tests.faults.nemesis import FAULTS, STREAMS_S, Stage, fault
from tests.faults.network import Running, until

__all__ = ["FAULTS"]
SPOKEN, UNREADABLE = 20, b"{"


@fault("F10", "断电：未落盘的数据全部丢失", "the power fails: what is not on the disk is gone")
async def power_fails(stage: Stage, seconds: float) -> AsyncIterator[None]:
    """At the moment when the broker has just acknowledged something on every stream."""
    running = stage.running
    if running.disk is None:
        raise RuntimeError("this network has no disk of its own that could fail")
    yield
    acknowledged = {node: await spoken(stage, node) for node in running.platforms}
    running.disk.fail()
    stage.say(f"the power fails after {acknowledged}")
    await dead(running)
    await until(lambda: remounted(running.disk), STREAMS_S, lambda: "the disk is still in use")
    for name in (POSTGRES, NATS):
        running.do("start", name)
    await running.ready()
    async with running.speaking("hub") as hub:
        for node, number in acknowledged.items():
            last = (await hub.jetstream(timeout=STREAMS_S).stream_info(f"UP_{node}")).state.last_seq
            if last < number:
                stage.broken.append(f"UP_{node} had acknowledged {number} and has {last}")


async def spoken(stage: Stage, node: str) -> int:
    """The place of the last of some messages that the broker has acknowledged; nobody can read them."""
    place = 0
    async with stage.running.speaking(node) as client:
        for _ in range(SPOKEN):
            key = f"poison-power-{node}-{stage.random.randrange(10**9)}"
            stage.planted.add(key)
            subject, headers = f"up.{node}.offering.published.v1", {"Nats-Msg-Id": key}
            stored = await client.jetstream(timeout=STREAMS_S).publish(subject, UNREADABLE, headers=headers)
            place = stored.seq
    return place


async def dead(running: Running) -> None:
    """Both servers end with the power, and PostgreSQL's many children: nothing of their memory is kept."""
    for name in (NATS, POSTGRES):
        pid = running.pid(name)
        running.do("stop", name)
        if pid is not None:  # it has not given up by itself
            send(pid, signal.SIGSTOP)  # it makes no more children
            for one in (*children(pid), pid):
                send(one, signal.SIGKILL)
    await until(
        lambda: not any(running.pid(name) for name in (NATS, POSTGRES)), STREAMS_S, lambda: "servers live on"
    )


def send(pid: int, signal: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal)


def children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def remounted(disk: Disk | None) -> bool:
    """What was killed lets go of the disk a moment later."""
    assert disk is not None
    try:
        disk.unmount()
    except subprocess.CalledProcessError:
        return False
    disk.mount()
    return True
