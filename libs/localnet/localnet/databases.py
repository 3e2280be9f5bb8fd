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
    found = asyncio.run(prepare(network, nodes))
    missing = [node for node in nodes if node.database not in found.whole]
    existing = [node for node in nodes if node.database in found.whole]
    progress(0, len(nodes))
    kinds: list[Kind] = list(dict.fromkeys(node.kind for node in missing))
    asyncio.run(open_templates(network, kinds, found))
    targets = [(network.template_url(template(kind)), migrate.PACKAGES[kind]) for kind in kinds]
    targets += [(network.database_url(node), migrate.PACKAGES[node.kind]) for node in existing]
    upgrade_behind(targets, log)
    asyncio.run(close_templates(network, kinds))
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


async def prepare(network: Network, nodes: Sequence[Node]) -> Found:
    """The roles with their current passwords, and what is there.

    Shape: a node's role is a member of the one that owns the tables in every copy of a template, and may
    enter its own database only.
    """
    secrets = network.secrets
    files = {APPLICATION_ROLE: secrets.application_file} | {
        node.database: secrets.database_file(node.id) for node in nodes
    }
    async with administrator(network) as admin:
        known = {row["rolname"] for row in await admin.fetch("SELECT rolname FROM pg_roles")}
        for role in files:
            if role not in known:
                within = "" if role == APPLICATION_ROLE else f"IN ROLE {APPLICATION_ROLE}"
                await admin.execute(f'CREATE ROLE "{role}" LOGIN {within}')
        quoted = await admin.fetch(
            "SELECT quote_literal(word) FROM unnest($1::text[]) WITH ORDINALITY AS given (word, n) ORDER BY n",
            [read(path) for path in files.values()],
        )
        await admin.execute(
            ";".join(f'ALTER ROLE "{r}" LOGIN PASSWORD {q[0]}' for r, q in zip(files, quoted, strict=True))
        )
        rows = await admin.fetch(
            "SELECT datname, datconnlimit, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname LIKE $1",
            f"{APPLICATION_ROLE}\\_%",
        )
        for row in rows:
            if row["datname"] in files and row["owner"] != row["datname"]:
                await admin.execute(f'ALTER DATABASE "{row["datname"]}" OWNER TO "{row["datname"]}"')
    return Found(
        frozenset(row["datname"] for row in rows if row["datconnlimit"] != BROKEN),
        frozenset(row["datname"] for row in rows if row["datconnlimit"] == BROKEN),
    )


async def open_templates(network: Network, kinds: Iterable[Kind], found: Found) -> None:
    """A template that is there is migrated like any database; its copies start from the newest schema."""
    async with administrator(network) as admin:
        for name in found.broken:
            await admin.execute(f'DROP DATABASE "{name}"')
        for kind in kinds:
            if template(kind) not in found.whole:
                await admin.execute(f'CREATE DATABASE "{template(kind)}" OWNER {APPLICATION_ROLE}')
            else:
                await admin.execute(f'ALTER DATABASE "{template(kind)}" ALLOW_CONNECTIONS true')


async def close_templates(network: Network, kinds: Iterable[Kind]) -> None:
    """Nobody may enter them: a node's role could, and no copy is made while somebody is in."""
    async with administrator(network) as admin:
        for kind in kinds:
            await admin.execute(f'ALTER DATABASE "{template(kind)}" ALLOW_CONNECTIONS false')


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
                    f'CREATE DATABASE "{node.database}" TEMPLATE "{template(node.kind)}" OWNER "{node.database}"'
                )
                await admin.execute(f'REVOKE ALL ON DATABASE "{node.database}" FROM PUBLIC')
                done += 1
                progress(done)

    await asyncio.gather(*(work() for _ in range(min(AT_ONCE, len(nodes)))))
