"""The databases that the migrations make are those the code means; upgrading is safe to repeat and to interrupt."""

import asyncio
import importlib

import asyncpg
import pytest
from common import db, migrate
from sqlalchemy.exc import DBAPIError

from tests.integration.platform import empty, execute, migrated, superuser_url, url_of

KINDS = sorted(migrate.PACKAGES)
# Notes each command of an upgrade with the revisions that are done by then; at the one that is asked for
# it waits to be ended.
WATCHED = (
    "CREATE SCHEMA trial",
    "CREATE SEQUENCE trial.numbers",
    "CREATE TABLE trial.commands (number int, done text[])",
    "CREATE TABLE trial.stop (number int)",
    """
    CREATE FUNCTION trial.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
      here int := nextval('trial.numbers');
      done text[] := '{}';
    BEGIN
      IF to_regclass('public.alembic_version') IS NOT NULL THEN
        done := ARRAY(SELECT version_num FROM public.alembic_version ORDER BY 1);
      END IF;
      INSERT INTO trial.commands VALUES (here, done);
      IF here = (SELECT number FROM trial.stop) THEN PERFORM pg_sleep(60); END IF;
    END $$
    """,
    "CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION trial.note()",
)
UNWATCHED = ("DROP EVENT TRIGGER note", "DROP SCHEMA trial CASCADE")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    importlib.import_module(f"{request.param}.app")
    return request.param


@pytest.fixture(scope="module")
def url(kind):
    with migrated(migrate.PACKAGES[kind]) as name:
        yield url_of(name, name)


async def differences(url, kind):
    engine = db.engine(url, 1, 0)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(migrate.differences, migrate.PACKAGES[kind])
    finally:
        await engine.dispose()


async def test_the_database_is_what_the_code_means(kind, url):
    assert await differences(url, kind) == []


async def test_upgrading_again_or_twice_at_once_changes_nothing(kind, url):
    packages = migrate.PACKAGES[kind]
    assert await asyncio.to_thread(migrate.is_current, url, packages)
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, url, packages) for _ in range(2)))
    assert await asyncio.to_thread(migrate.is_current, url, packages)


async def middles(kind):
    """The number of a command in the middle of each revision."""
    packages = migrate.PACKAGES[kind]
    async with empty() as name:
        await execute(*WATCHED, database=name)
        await asyncio.to_thread(migrate.upgrade, url_of(name, name), packages)
        connection = await asyncpg.connect(superuser_url(name))
        try:
            rows = await connection.fetch(
                "SELECT (array_agg(number ORDER BY number))[(count(*) + 1) / 2] FROM trial.commands GROUP BY done"
            )
        finally:
            await connection.close()
        return sorted(row[0] for row in rows)


async def ended_at(name, number, packages):
    """An upgrade whose connection ends while it is at that command."""
    await execute(
        "ALTER SEQUENCE trial.numbers RESTART", "DELETE FROM trial.stop",
        f"INSERT INTO trial.stop VALUES ({number})", database=name,
    )  # fmt: skip
    upgrading = asyncio.create_task(asyncio.to_thread(migrate.upgrade, url_of(name, name), packages))
    connection = await asyncpg.connect(superuser_url("postgres"))
    try:
        end = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND usename = $1 AND wait_event = 'PgSleep'"
        )
        while not upgrading.done() and not await connection.fetchval(end, name):
            await asyncio.sleep(0.01)
    finally:
        await connection.close()
    with pytest.raises((DBAPIError, asyncpg.PostgresError, ConnectionError)):
        await upgrading


async def test_an_upgrade_that_ends_in_the_middle_of_any_revision_leaves_nothing_and_is_done_again(kind):
    packages = migrate.PACKAGES[kind]
    numbers = await middles(kind)
    assert len(numbers) >= len(packages)
    async with empty() as name:
        await execute(*WATCHED, database=name)
        for number in numbers:
            await ended_at(name, number, packages)
            assert not await asyncio.to_thread(migrate.is_current, url_of(name, name), packages)
        await execute(*UNWATCHED, database=name)
        left = await asyncpg.connect(superuser_url(name))
        try:
            assert (
                await left.fetch("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
                == []
            )
        finally:
            await left.close()
        await asyncio.to_thread(migrate.upgrade, url_of(name, name), packages)
        assert await asyncio.to_thread(migrate.is_current, url_of(name, name), packages)
        assert await differences(url_of(name, name), kind) == []
