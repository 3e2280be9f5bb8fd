"""A PostgreSQL that follows another: lists are read from it while it keeps up, and nobody notices when it does not."""

import asyncio
from types import SimpleNamespace

import pytest
from common import db
from common.follower import Follower
from localnet.network import FOLLOWER
from localnet.postgres import EmbeddedPostgres, FollowingPostgres
from sqlalchemy import text

from tests import servers
from tests.integration.bus.site import until


@pytest.fixture(scope="module")
def pair():
    """Both servers, running."""
    with servers.folder() as folder:
        place = servers.network(folder)
        kept = (place.secrets.postgres_file, place.folder.log("postgres"))
        leader = EmbeddedPostgres(place.folder.postgres, place.port("postgres"), *kept)
        copy = FollowingPostgres(
            place.folder.postgres.with_name(FOLLOWER), place.port(FOLLOWER), *kept, leader_port=leader.port
        )
        try:
            leader.start()
            copy.start()
            yield leader, copy
        finally:
            copy.stop()
            leader.stop()


@pytest.fixture
async def reading(pair):
    leader, copy = pair
    engine = db.engine(leader.url("postgres"), 2, 0)
    settings = SimpleNamespace(database_read_url=copy.url("postgres"), pool_size=2, pool_overflow=0)
    follower = Follower(settings, engine)
    running = asyncio.create_task(follower.run())
    yield follower, engine
    running.cancel()
    await follower.close()
    await engine.dispose()


async def asked(follower):
    """Which server answered: True for the copy."""
    async with follower.view() as tx:
        return (await tx.execute(text("SELECT pg_is_in_recovery()"))).scalar_one()


async def test_what_is_written_is_read_from_the_copy_soon(reading):
    follower, engine = reading
    await until(lambda: follower.fresh)
    assert await asked(follower) is True
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS seen (n bigint)"))
        await connection.execute(text("INSERT INTO seen VALUES (7)"))

    async def there():
        async with follower.view() as tx:
            found = (await tx.execute(text("SELECT to_regclass('seen')::text"))).scalar_one()
            return found and (await tx.execute(text("SELECT max(n) FROM seen"))).scalar_one() == 7

    await until(there)


async def test_when_the_copy_goes_the_database_itself_answers_and_later_the_copy_again(reading, pair):
    follower, _ = reading
    _, copy = pair
    await until(lambda: follower.fresh)
    copy.stop()
    assert await asked(follower) is False
    copy.start()
    await until(lambda: follower.fresh)
    assert await asked(follower) is True


async def test_a_copy_that_stands_still_is_not_asked(reading, pair):
    follower, engine = reading
    await until(lambda: follower.fresh)
    _, copy = pair
    still = db.engine(copy.url("postgres"), 1, 0)
    try:
        async with still.connect() as connection:
            await connection.execute(text("SELECT pg_wal_replay_pause()"))
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS later (n bigint)"))
        await until(lambda: not follower.fresh)
        assert await asked(follower) is False
    finally:
        async with still.connect() as connection:
            await connection.execute(text("SELECT pg_wal_replay_resume()"))
        await still.dispose()


async def test_without_a_copy_the_database_answers(pair):
    leader, _ = pair
    engine = db.engine(leader.url("postgres"), 1, 0)
    try:
        alone = Follower(SimpleNamespace(database_read_url=None), engine)
        await alone.run()  # ends at once: there is nobody to look at
        assert await asked(alone) is False
    finally:
        await engine.dispose()
