"""Secrets made at the first start and never overwritten."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import nkeys

from localnet.paths import Folder, refused_by_disk
from localnet.trouble import Trouble

SYSTEM = "sys"  # the operator's user of the broker's system account


@dataclass(frozen=True)
class Secrets:
    """Files with one secret each."""

    folder: Folder

    def seed_file(self, node: str) -> Path:
        return self.folder.nkeys / f"{node}.nk"

    def old_seed_file(self, node: str) -> Path:
        """The seed a node had before; its key is accepted until the node uses the new one."""
        return self.folder.nkeys / f"{node}.old.nk"

    def next_seed_file(self, node: str) -> Path:
        """A seed that is not handed out yet; its key is accepted already."""
        return self.folder.nkeys / f"{node}.next.nk"

    @property
    def postgres_file(self) -> Path:
        """Password of the superuser, used by provisioning only."""
        return self.folder.secrets / "postgres-superuser"

    def database_file(self, node: str) -> Path:
        """Password of the role that owns a node's database, and may enter no other."""
        return self.folder.databases / node

    @property
    def application_file(self) -> Path:
        """Password of the role that owns the templates and the tables in their copies."""
        return self.folder.secrets / "postgres-hubnet"

    @property
    def cluster_file(self) -> Path:
        """What the brokers of a cluster know each other by."""
        return self.folder.secrets / "nats-cluster"

    @property
    def pepper_file(self) -> Path:
        return self.folder.secrets / "pepper"

    @property
    def client_file(self) -> Path:
        """Secret of the machine client `hubnet-cli`."""
        return self.folder.secrets / "client-hubnet-cli"

    def make(self, nodes: Iterable[str]) -> "Secrets":
        """Make what is missing, and close what stands open."""
        names = tuple(nodes)
        for node in (*names, SYSTEM):
            keep(self.seed_file(node), new_seed)
        databases = map(self.database_file, names)
        for path in (
            *databases,
            self.postgres_file,
            self.application_file,
            self.pepper_file,
            self.client_file,
            self.cluster_file,
        ):
            keep(path, lambda: secrets.token_urlsafe(32))
        return self

    def public_key(self, node: str) -> str:
        """The nkey that the broker's configuration names.

        Raises: Trouble when the seed file is damaged.
        """
        return public_key(self.seed_file(node))

    def further_keys(self, node: str) -> list[str]:
        """Public keys accepted beside that one, while a key is being changed. Raises: Trouble."""
        files = (self.old_seed_file(node), self.next_seed_file(node))
        return [public_key(path) for path in files if path.exists()]


def public_key(path: Path) -> str:
    """Raises: Trouble when the seed file is damaged."""
    try:
        return bytes(nkeys.from_seed(read(path).encode()).public_key).decode()
    except Exception as error:
        raise Trouble(
            (f"密钥文件损坏：{path}", f"the key file is damaged: {path}"),
            ("每个节点一个 nkey 种子", "each node has one nkey seed"),
            (
                "从备份恢复，或删除该文件后重新启动",
                "restore it from a backup, or delete it and start again",
            ),
        ) from error


def new_seed() -> str:
    return bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)).decode()


def read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def keep(path: Path, make: Callable[[], str]) -> None:
    """Write a new secret with mode 0600 unless the file is there; a half-written one is never seen."""
    try:
        if path.exists():
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{make()}\n")
                file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # not rename: two starts at once must agree on one secret
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise refused_by_disk(path, error) from error
