"""Fork, exec and signals, for a parent that has one thread and no event loop."""

import contextlib
import ctypes
import os
import pwd
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

PR_SET_PDEATHSIG = 1
MAX_LOG_BYTES = 16 * 2**20
CLOSE_UP_TO = 4096

_prctl = getattr(ctypes.CDLL(None), "prctl", None)


@dataclass(frozen=True)
class Account:
    """A system user that a child becomes."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "Account":
        found = pwd.getpwnam(name)
        return cls(found.pw_name, found.pw_uid, found.pw_gid)


def fork(
    body: Callable[[], int | None],
    log: Path | None,
    *,
    become: Account | None = None,
    on_parent_death: int = signal.SIGTERM,
    keep: Sequence[int] = (),
) -> int:
    """Run `body` in a child of its own session; its output goes to `log`; answers the pid.

    The child hears `on_parent_death` when its parent is gone, however that ended.
    """
    parent = os.getpid()
    output = None if log is None else open_log(log)
    pid = os.fork()
    if pid:
        if output is not None:
            os.close(output)
        return pid
    code = 1
    try:
        become_child(parent, output, become, on_parent_death, keep)
        code = body() or 0
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else 1
    except BaseException:  # whatever it is, a child must not return into its parent's code
        traceback.print_exc()
    finally:
        leave(code)


def leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def become_child(
    parent: int, output: int | None, become: Account | None, on_parent_death: int, keep: Sequence[int]
) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    if output is not None:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
    kept = sorted(set(keep))
    start = 3
    for descriptor in kept:  # the lock, the control socket and other children's pipes stay the parent's
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, CLOSE_UP_TO)
    if become is not None:
        os.setgroups([])
        os.setgid(become.gid)
        os.setuid(become.uid)
        os.umask(0o077)
    if _prctl is not None and sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, on_parent_death, 0, 0, 0)  # after setuid, which clears it
        if os.getppid() != parent:
            leave(1)


def execute(
    argv: Sequence[str],
    log: Path | None,
    *,
    become: Account | None = None,
    on_parent_death: int = signal.SIGTERM,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> int:
    """Run another program as a child; answers the pid."""

    def body() -> None:
        if folder is not None:
            os.chdir(folder)
        os.execve(argv[0], list(argv), dict(os.environ) if environment is None else environment)

    return fork(body, log, become=become, on_parent_death=on_parent_death)


def run(
    argv: Sequence[str],
    log: Path,
    *,
    become: Account | None = None,
    environment: dict[str, str] | None = None,
) -> int:
    """Run another program to its end; answers its exit code."""
    pid = execute(argv, log, become=become, environment=environment, folder=Path("/"))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def join(pids: Sequence[int]) -> list[int]:
    """The exit codes of forked children, when all have ended."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def open_log(path: Path) -> int:
    """Append to a log; one that has grown large is kept once beside it."""
    try:
        if path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
    except FileNotFoundError:
        pass
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def tell(pid: int | None, number: int) -> None:
    """Signal a child; one that is gone already is no error."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def ended(status: int) -> str:
    """How a child ended, for a person."""
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
