"""start, stop, restart, kill: one member of a running network."""

import time
from collections.abc import Callable
from typing import Any

from localnet.commands.screen import DataDir, NodeName, folder_of, out
from localnet.control import Connection
from localnet.trouble import Trouble

TIMEOUT_S = 60.0


def steer(
    verb: str, node: str, data_dir: DataDir, reached: Callable[[dict[str, Any], dict[str, Any]], bool]
) -> None:
    """Ask for it and wait until `reached(row before, row now)`.

    Raises: Trouble.
    """
    began = time.monotonic()
    with Connection(folder_of(data_dir)) as connection:
        before = row_of(connection, node)
        connection.ask(do=verb, node=node)
        while not reached(before, now := row_of(connection, node)):
            if time.monotonic() - began > TIMEOUT_S:
                raise Trouble(
                    (f"{node} 仍为 {now['state']}", f"{node} is still {now['state']} {now['why']}"),
                    (f"{verb} 应在 {TIMEOUT_S:.0f} 秒内完成", f"{verb} takes at most {TIMEOUT_S:.0f} s"),
                    (f"hubnet logs {node}", f"hubnet logs {node}"),
                )
            time.sleep(0.05)
    out.print(f"{node}: {now['state']} ({time.monotonic() - began:.1f} s)")


def row_of(connection: Connection, node: str) -> dict[str, Any]:
    rows = connection.ask(do="status")["members"]
    return next((row for row in rows if row["node"] == node), {"state": "", "pid": None, "why": ""})


def start(node: NodeName, data_dir: DataDir = None) -> None:
    """启动一个节点 · Start one node."""
    steer("start", node, data_dir, lambda _, now: now["state"] == "ready" or failed(now))


def stop(node: NodeName, data_dir: DataDir = None) -> None:
    """停止一个节点 · Stop one node; it stays stopped."""
    steer("stop", node, data_dir, lambda _, now: now["state"] == "stopped")


def restart(node: NodeName, data_dir: DataDir = None) -> None:
    """重启一个节点 · Stop and start one node."""
    steer(
        "restart", node, data_dir,
        lambda before, now: (now["state"] == "ready" and now["pid"] != before["pid"]) or failed(now),
    )  # fmt: skip


def kill(node: NodeName, data_dir: DataDir = None) -> None:
    """强行结束（-9），随后自动重启 · Kill one node (-9); it is restarted."""
    steer("kill", node, data_dir, lambda before, now: now["pid"] != before["pid"])


def failed(row: dict[str, Any]) -> bool:
    """Raises: Trouble when it will not start by waiting longer."""
    if row["state"] == "stopped" and row["why"]:
        raise Trouble(
            (f"未能启动：{row['why']}", f"it did not start: {row['why']}"),
            ("节点须先有数据库", "a node needs its database first"),
            ("hubnet logs provision", "hubnet logs provision"),
        )
    return False


COMMANDS = {"start": start, "stop": stop, "restart": restart, "kill": kill}
