"""The database the migrations make is the one the code means."""

import hub.app
import pytest
from common import migrate
from common.db import Base
from sqlalchemy.ext.asyncio import create_async_engine


@pytest.fixture
def own_tables():
    assert hub.app
    return {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.split(".")[0] in ("common", "hub")
    }


async def test_migrations_and_tables_agree(database, own_tables):
    engine = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(migrate.differences, Base.metadata)
    finally:
        await engine.dispose()
    # Other services' tables are in the same metadata when they were imported by other tests.
    ours = [change for change in found if not _foreign(change, own_tables)]
    assert ours == []


def _foreign(change, own_tables):
    operation = change[0] if isinstance(change, tuple) else None
    if operation == "add_table":
        return change[1].name not in own_tables
    if operation in ("add_index", "add_constraint"):
        return change[1].table.name not in own_tables
    return False


async def test_upgrade_may_be_repeated(settings):
    import asyncio

    await asyncio.to_thread(migrate.upgrade, settings.database_url, migrate.PACKAGES["hub"])
    assert await asyncio.to_thread(migrate.is_current, settings.database_url, migrate.PACKAGES["hub"])
