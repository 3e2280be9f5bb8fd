"""Bring a database to the newest schema: one history per package, upgraded together.

A library that brings tables brings their history; a service is the union of its packages' heads.
"""

import asyncio
from functools import cache
from importlib.resources import files
from typing import cast

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, pool
from sqlalchemy.ext.asyncio import create_async_engine

from common.db import Base

PACKAGES: dict[str, tuple[str, ...]] = {
    "hub": ("common", "hub"),
    "window": ("common", "agency", "window"),
    "cluster": ("common", "agency", "cluster"),
    "matchmaking": ("common", "matchmaking"),
}
LOCK = 0x48554222


def _config(packages: tuple[str, ...]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("common") / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option(
        "version_locations",
        "\n".join(str(files(package) / "migrations" / "versions") for package in packages),
    )
    return config


@cache
def heads(packages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(ScriptDirectory.from_config(_config(packages)).get_heads())


def is_current(url: str, packages: tuple[str, ...]) -> bool:
    """Whether the database is at the newest schema; cheap, for every start."""

    async def applied() -> frozenset[str]:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
                return frozenset()
            return frozenset(
                row[0] for row in await connection.fetch("SELECT version_num FROM alembic_version")
            )
        finally:
            await connection.close()

    return asyncio.run(applied()) == heads(packages)


def upgrade(url: str, packages: tuple[str, ...]) -> None:
    """Upgrade to the heads; safe to repeat, to interrupt, and to run twice at once."""

    def run(connection: Connection) -> None:
        # Held to the end of the transaction, so that two starting processes do not both migrate.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '3s'")
        config = _config(packages)
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")

    async def through() -> None:
        engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=pool.NullPool
        )
        try:
            async with engine.begin() as connection:
                await connection.run_sync(run)
        finally:
            await engine.dispose()

    asyncio.run(through())


def differences(connection: Connection, packages: tuple[str, ...]) -> list[object]:
    """What the tables in these packages' code have that the migrated database lacks, or the reverse.

    Shape: several services may live in one process; tables of other packages do not count.
    """
    expected = MetaData(naming_convention=Base.metadata.naming_convention)
    for mapper in Base.registry.mappers:
        if mapper.class_.__module__.split(".")[0] in packages:
            cast(Table, mapper.local_table).to_metadata(expected)
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, expected))
