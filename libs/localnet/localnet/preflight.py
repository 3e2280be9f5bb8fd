"""What must hold before anything is started."""

import errno
import fcntl
import os
import socket
from collections.abc import Mapping

import psutil

from localnet.network import HOST, Network
from localnet.paths import Folder, refused_by_disk
from localnet.trouble import Trouble

NAMED = 4  # ports told one by one; the rest are counted


def owned(folder: Folder) -> None:
    """Raises: Trouble when the folder is another user's: half of its files would be unreadable."""
    if folder.root.exists() and (owner := folder.root.stat().st_uid) != os.geteuid():
        raise Trouble(
            (
                f"数据目录属于用户 {owner}：{folder.root}",
                f"the data folder belongs to user {owner}: {folder.root}",
            ),
            ("一个数据目录只由一个用户使用", "one data folder is used by one user"),
            ("以该用户运行，或换 --data-dir", "run as that user, or use another --data-dir"),
        )


def take_lock(folder: Folder) -> int:
    """Hold the folder for this process; answers the descriptor, which the children must not keep.

    Raises: Trouble when another supervisor holds it.
    """
    try:
        lock = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused_by_disk(folder.lock, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 32).decode().strip() or "?"
        os.close(lock)
        raise running(folder, holder) from error
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def running(folder: Folder, holder: str) -> Trouble:
    return Trouble(
        (f"网络已在运行（进程 {holder}）", f"this network is already running (pid {holder})"),
        (f"一个数据目录只能运行一次：{folder.root}", f"one data folder runs once: {folder.root}"),
        (
            "查看 hubnet status，停止 hubnet down，或另用 --data-dir 与 --port-base",
            "see hubnet status, stop it with hubnet down, or use another --data-dir and --port-base",
        ),
    )


def held(folder: Folder) -> bool:
    """Whether a supervisor holds the folder now."""
    try:
        lock = os.open(folder.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


def ports_free(network: Network) -> None:
    """Raises: Trouble naming every port in use, who needs it and who has it."""
    taken = {who: port for who, port in network.listening.items() if not free(port)}
    if not taken:
        return
    holders = who_listens(taken)
    first, last = min(network.listening.values()), max(network.listening.values())
    named = [f"{port} ({who}; {holders.get(port, 'by another user')})" for who, port in taken.items()]
    said = ", ".join(named[:NAMED]) + (f" … +{len(named) - NAMED}" if len(named) > NAMED else "")
    raise Trouble(
        (f"端口已被占用：{said}", f"ports in use: {said}"),
        (f"网络使用端口 {first} 到 {last}", f"this network listens on ports {first} to {last}"),
        (
            f"停止占用者，或 hubnet up --port-base {network.port_base + 1000}",
            f"stop who holds them, or hubnet up --port-base {network.port_base + 1000}",
        ),
    )


def free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
            return True
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise


def who_listens(ports: Mapping[str, int]) -> dict[int, str]:
    """The holders this user may see."""
    found: dict[int, str] = {}
    try:
        for link in psutil.net_connections("tcp"):
            if (
                link.status == psutil.CONN_LISTEN
                and link.laddr
                and link.laddr.port in ports.values()
                and link.pid
            ):
                found[link.laddr.port] = f"{psutil.Process(link.pid).name()}, pid {link.pid}"
    except (psutil.Error, OSError):
        pass
    return found
