"""The databases that the migrations make are those the code means; upgrading is safe to repeat."""

import asyncio
import importlib

import pytest
from common import db, migrate

from tests.integration.platform import migrated, url_of

KINDS = sorted(migrate.PACKAGES)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    importlib.import_module(f"{request.param}.app")
    return request.param


@pytest.fixture(scope="module")
def url(kind):
    with migrated(migrate.PACKAGES[kind]) as name:
        yield url_of(name, name)


async def test_the_database_is_what_the_code_means(kind, url):
    engine = db.engine(url, 1, 0)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(migrate.differences, migrate.PACKAGES[kind]) == []
    finally:
        await engine.dispose()


async def test_upgrading_again_or_twice_at_once_changes_nothing(kind, url):
    packages = migrate.PACKAGES[kind]
    assert await asyncio.to_thread(migrate.is_current, url, packages)
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, url, packages) for _ in range(2)))
    assert await asyncio.to_thread(migrate.is_current, url, packages)
