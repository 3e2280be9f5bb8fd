"""The services' databases: one template per kind of service, copied for every node of that kind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from common import migrate
from common.node import Kind, Node

from localnet import processes
from localnet.diagnosis import last_lines
from localnet.network import APPLICATION_ROLE, Network
from localnet.secrets import read
from localnet.trouble import Trouble

Target = tuple[str, tuple[str, ...]]  # a database's URL and the packages whose tables it holds

AT_ONCE = 2
BROKEN = -2  # datconnlimit of a database whose CREATE or DROP was killed


@dataclass(frozen=True)
class Found:
    """What the server has."""

    whole: frozenset[str]
    broken: frozenset[str]


def template(kind: Kind) -> str:
    return f"hubnet_template_{kind}"


def provision(
    network: Network, nodes: Sequence[Node], log: Path | None, progress: Callable[[int, int], None]
) -> None:
    """Make the role and the missing databases, and migrate those that are behind.

    Raises: Trouble.
    """
    found = asyncio.run(prepare(network))
    missing = [node for node in nodes if node.database not in found.whole]
    existing = [node for node in nodes if node.database in found.whole]
    progress(0, len(nodes))
    kinds: list[Kind] = list(dict.fromkeys(node.kind for node in missing))
    asyncio.run(empty_templates(network, kinds, found))
    targets = [(network.application_url(template(kind)), migrate.PACKAGES[kind]) for kind in kinds]
    targets += [(network.database_url(node), migrate.PACKAGES[node.kind]) for node in existing]
    upgrade_behind(targets, log)
    asyncio.run(copy(network, missing, found, lambda done: progress(len(existing) + done, len(nodes))))
    progress(len(nodes), len(nodes))


def upgrade_behind(targets: Iterable[Target], log: Path | None) -> None:
    """Upgrade what is behind, in children: migrating starts loops and engines, and this process still forks.

    Raises: Trouble when a migration fails.
    """
    lists = [share for share in (list(targets)[i::AT_ONCE] for i in range(AT_ONCE)) if share]
    codes = processes.join([processes.fork(lambda share=share: upgrade(share), log) for share in lists])
    if any(codes):
        said = " ".join(last_lines(log, 1)) if log else ""
        raise Trouble(
            (f"数据库迁移失败 {said}", f"a migration failed: {said}"),
            ("每个版本的迁移须完整执行", "every revision must apply whole"),
            (
                "hubnet logs provision 查看原因；已完成的部分保留",
                "see hubnet logs provision; what was done stays done",
            ),
        )


def upgrade(targets: list[Target]) -> int:
    for url, packages in targets:
        if not migrate.is_current(url, packages):
            print(f"migrating {urlsplit(url).path[1:]}", flush=True)
            migrate.upgrade(url, packages)
    return 0


@asynccontextmanager
async def administrator(network: Network) -> AsyncIterator[Any]:
    """A connection that may make databases.

    Raises: Trouble when the server is away, refuses, or is full.
    """
    try:
        connection = await asyncpg.connect(network.superuser_url, timeout=10)
        try:
            yield connection
        finally:
            await connection.close()
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise Trouble(
            ("PostgreSQL 拒绝了保存的口令", f"PostgreSQL refused the kept password: {error}"),
            (
                "口令在首次启动时生成，与数据目录成对",
                "the password is made at first start and belongs to the data",
            ),
            ("恢复 secrets/ 的备份，或 hubnet reset", "restore secrets/ from its backup, or hubnet reset"),
        ) from error
    except asyncpg.DiskFullError as error:
        raise Trouble(
            ("磁盘已满", f"the disk is full: {error}"),
            ("每个节点约需 10 MB", "every node needs about 10 MB"),
            ("清理磁盘后再启动", "free the disk, then start again"),
        ) from error
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        raise Trouble(
            (f"PostgreSQL：{error}", f"PostgreSQL: {type(error).__name__}: {error}"),
            ("建库须由有权限的角色完成", "databases are made by a role that may make them"),
            ("hubnet logs postgres 查看原因", "see hubnet logs postgres"),
        ) from error


async def prepare(network: Network) -> Found:
    """The role with its current password, and what is there."""
    password = read(network.secrets.application_file)
    async with administrator(network) as admin:
        if not await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", APPLICATION_ROLE):
            await admin.execute(f"CREATE ROLE {APPLICATION_ROLE} LOGIN")
        quoted = await admin.fetchval("SELECT quote_literal($1::text)", password)
        await admin.execute(f"ALTER ROLE {APPLICATION_ROLE} LOGIN PASSWORD {quoted}")
        rows = await admin.fetch(
            "SELECT datname, datconnlimit FROM pg_database WHERE datname LIKE $1", f"{APPLICATION_ROLE}\\_%"
        )
    return Found(
        frozenset(row["datname"] for row in rows if row["datconnlimit"] != BROKEN),
        frozenset(row["datname"] for row in rows if row["datconnlimit"] == BROKEN),
    )


async def empty_templates(network: Network, kinds: Iterable[Kind], found: Found) -> None:
    """A template that is there is migrated like any database; its copies start from the newest schema."""
    async with administrator(network) as admin:
        for name in found.broken:
            await admin.execute(f'DROP DATABASE "{name}"')
        for kind in kinds:
            if template(kind) not in found.whole:
                await admin.execute(f'CREATE DATABASE "{template(kind)}" OWNER {APPLICATION_ROLE}')


async def copy(
    network: Network, nodes: Sequence[Node], found: Found, progress: Callable[[int], None]
) -> None:
    waiting = list(nodes)
    done = 0

    async def work() -> None:
        nonlocal done
        async with administrator(network) as admin:
            while waiting:
                node = waiting.pop(0)
                await admin.execute(
                    f'CREATE DATABASE "{node.database}" TEMPLATE "{template(node.kind)}" OWNER {APPLICATION_ROLE}'
                )
                await admin.execute(f'REVOKE ALL ON DATABASE "{node.database}" FROM PUBLIC')
                done += 1
                progress(done)

    await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(nodes)))))
