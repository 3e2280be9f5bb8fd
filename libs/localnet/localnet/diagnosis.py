"""Why a server did not start: from its files and the end of its log to a mend."""

import re
from collections.abc import Sequence
from pathlib import Path

from localnet.trouble import Trouble


def wrong_owner(place: Path, owner: int, expected: int) -> Trouble:
    return Trouble(
        (f"{place} 属于用户 {owner}，应为 {expected}", f"{place} belongs to user {owner}, not {expected}"),
        ("数据库文件只属于运行它的用户", "the database's files belong to the user that runs it"),
        (
            f"chown -R {expected} '{place}'，或换 --data-dir",
            f"chown -R {expected} '{place}', or use another --data-dir",
        ),
    )


def half_made(place: Path) -> Trouble:
    return Trouble(
        (f"数据库目录不完整：{place}", f"the database folder is half made: {place}"),
        ("其中须有 PG_VERSION", "it must hold PG_VERSION"),
        ("从备份恢复，或 hubnet reset 重新开始", "restore it from a backup, or start afresh: hubnet reset"),
    )


MENDS: tuple[tuple[str, tuple[str, str], tuple[str, str]], ...] = (
    (
        r"No space left on device",
        ("磁盘已满", "the disk is full"),
        ("清理磁盘后再启动", "free the disk, then start again"),
    ),
    (
        r"could not bind|Address already in use|lock file \"postmaster.pid\" already exists",
        ("端口或数据目录正被另一个服务器使用", "another server uses the port or the data folder"),
        ("停止它：hubnet down，或用 --port-base", "stop it: hubnet down, or use another --port-base"),
    ),
    (
        r"shared memory|Cannot allocate memory",
        ("内存不足", "there is not enough memory"),
        ("释放内存，或 --only 只启动部分节点", "free memory, or start fewer nodes with --only"),
    ),
    (
        r"invalid locale",
        ("系统缺少 C.UTF-8 区域", "the system lacks the locale C.UTF-8"),
        ("安装 locales 软件包", "install the package locales"),
    ),
)


def last_lines(log: Path, count: int = 5) -> Sequence[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            return [line.decode(errors="replace") for line in file.read().splitlines() if line.strip()][
                -count:
            ]
    except OSError:
        return []


def explained(log: Path, program: str) -> Trouble:
    """Why a server did not start, from the end of its log."""
    said = "\n".join(last_lines(log))
    for pattern, rule, mend in MENDS:
        if re.search(pattern, said):
            return Trouble((f"{program} 未能启动", f"{program} did not start:\n{said}"), rule, mend)
    return Trouble(
        (f"{program} 未能启动", f"{program} did not start:\n{said}"),
        ("它的日志说明原因", "its log says why"),
        (f"查看 {log}", f"read {log}"),
    )
