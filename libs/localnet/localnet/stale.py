"""Children that a killed supervisor left behind: named, and ended when they are surely ours."""

import contextlib
import json
import signal
import time
from collections.abc import Mapping

import psutil

from localnet.paths import Folder

PATIENCE_S = 10.0


def record(folder: Folder, pids: Mapping[str, int]) -> None:
    """Note the running children; a pid counts only together with its start time."""
    noted = []
    for name, pid in pids.items():
        try:
            noted.append({"name": name, "pid": pid, "born": psutil.Process(pid).create_time()})
        except psutil.NoSuchProcess:
            continue
    draft = folder.children.with_suffix(".draft")
    draft.write_text(json.dumps(noted), encoding="utf-8")
    draft.replace(folder.children)


def left_behind(folder: Folder) -> dict[str, psutil.Process]:
    """Processes of the record that still run."""
    try:
        noted = json.loads(folder.children.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    found: dict[str, psutil.Process] = {}
    for entry in noted:
        try:
            process = psutil.Process(entry["pid"])
            same = abs(process.create_time() - entry["born"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            continue
        if same:
            found[entry["name"]] = process
    return found


def mend(folder: Folder) -> list[str]:
    """End what is left; answers the names. The caller holds the lock, so nobody else runs them."""
    left = left_behind(folder)
    for name, process in left.items():
        signal_to(process, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while left_behind(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in left_behind(folder).values():
        signal_to(process, signal.SIGKILL)
    folder.children.unlink(missing_ok=True)
    return list(left)


def signal_to(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
