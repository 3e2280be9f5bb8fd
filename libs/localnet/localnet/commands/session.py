"""Start a supervisor, hold it, and stop it: what `up` and everything that needs a running network do."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from localnet import preflight
from localnet.commands.drawing import Board, ready_line
from localnet.commands.screen import out
from localnet.control import Connection
from localnet.network import Network
from localnet.paths import Folder, refused_by_disk
from localnet.trouble import Trouble

DOWN_TIMEOUT_S = 40.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Session:
    """A supervisor of our own: it lives as long as this process holds it, or longer when released.

    Raises: Trouble, and then it has stopped.
    """

    def __init__(self, network: Network):
        self.network = network
        self.released = self.up = False

    def __enter__(self) -> "Session":
        for number in STOPPING:
            signal.signal(number, interrupt)
        self.began = time.monotonic()
        launch(self.network)
        self.connection = Connection(self.network.folder)
        self.snapshots = self.connection.watch(hold=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        for number in STOPPING:  # a second Ctrl-C must not leave the stopping half done
            signal.signal(number, signal.SIG_IGN)
        if not self.released:
            out.print("正在停止 · stopping …")
            ask_down(self.network.folder)
            out.print("已停止 · stopped")
        self.connection.link.close()
        return kind is KeyboardInterrupt and self.up

    def until_up(self) -> dict[str, Any]:
        """Draw the start until everything is ready."""
        with Board(self.network, self.began) as board:
            for snapshot in self.snapshots:
                board.draw(snapshot)
                if snapshot["trouble"]:
                    raise Trouble.from_json(snapshot["trouble"])
                if snapshot["phase"] == "up":
                    self.up = True
                    break
            else:
                raise died()
        out.print(ready_line(self.network, snapshot, time.monotonic() - self.began))
        if snapshot["operator_waiting"]:
            with Connection(self.network.folder) as asking:
                told = asking.ask(do="operator")["operator"]
            out.print(f"首位管理员 · first operator (shown once): [bold]{told}[/bold]")
        return snapshot

    def until_interrupted(self) -> None:
        out.print("按 Ctrl-C 停止 · Ctrl-C stops everything")
        for snapshot in self.snapshots:
            if snapshot["trouble"]:
                raise Trouble.from_json(snapshot["trouble"])
            if snapshot["phase"] == "stopping":  # somebody said `hubnet down`
                break
        else:
            raise died()

    def release(self) -> None:
        """Leave it running after this process."""
        self.connection.send(do="release")
        while (answer := self.connection.receive()) is not None and not answer.get("ok"):
            continue
        self.released = True
        out.print("在后台运行 · running in the background: hubnet status, hubnet logs NODE, hubnet down")


def interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def launch(network: Network) -> None:
    """Start a supervisor in a session of its own and wait for its first word.

    Raises: Trouble as it reports it.
    """
    folder = network.folder.make()
    if preflight.held(folder):
        raise preflight.running(folder, folder.lock.read_text().strip())
    plan_file = folder.run / "plan.json"
    try:
        plan_file.write_text(json.dumps(network.as_json()), encoding="utf-8")
        log = folder.log("supervisor").open("ab")
    except OSError as error:
        raise refused_by_disk(folder.root, error) from error
    read_end, write_end = os.pipe()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.pop("HUBNET_NODE", None)
    with log:
        subprocess.Popen(
            # -P: a file in the current folder must not stand in for a library
            [sys.executable, "-P", "-m", "localnet.supervisor", str(plan_file), str(write_end)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write_end], start_new_session=True,
            env=environment,
        )  # fmt: skip
    os.close(write_end)
    with os.fdopen(read_end, "rb") as report:
        line = report.readline()
    if not line:
        raise died()
    said = json.loads(line)
    if "trouble" in said:
        raise Trouble.from_json(said["trouble"])


def died() -> Trouble:
    return Trouble(
        ("监管进程意外结束", "the supervisor has ended unexpectedly"),
        ("它的子进程会随之停止", "its children stop with it"),
        (
            "hubnet logs supervisor 查看原因，再次 hubnet up",
            "see hubnet logs supervisor, then hubnet up again",
        ),
    )


def ask_down(folder: Folder) -> None:
    """Stop the network that runs in this folder and wait until it has.

    Raises: Trouble when it does not stop in time.
    """
    try:
        with Connection(folder) as connection:
            connection.link.settimeout(DOWN_TIMEOUT_S)
            connection.send(do="down")
            while connection.receive() is not None:
                continue
    except (Trouble, TimeoutError):
        pass  # it is going already, or hangs: the lock tells
    deadline = time.monotonic() + 5
    while preflight.held(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    if preflight.held(folder):
        holder = folder.lock.read_text().strip()
        raise Trouble(
            (f"监管进程 {holder} 没有停止", f"the supervisor (pid {holder}) did not stop"),
            (f"停止应在 {DOWN_TIMEOUT_S:.0f} 秒内完成", f"stopping takes at most {DOWN_TIMEOUT_S:.0f} s"),
            (
                f"kill -9 {holder} 后再 hubnet up 会自行清理",
                f"kill -9 {holder}; the next hubnet up cleans up",
            ),
        )
