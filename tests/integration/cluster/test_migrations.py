from cluster.bookings import tables as bookings
from cluster.resources import tables as resources
from common import migrate
from common.db import Base

OURS = {"resources", "bookings"}


async def test_the_migrated_database_is_what_the_code_means(platform):
    assert {bookings, resources}
    async with platform.runtime.engine.connect() as connection:
        found = await connection.run_sync(migrate.differences, Base.metadata)
    assert [d for d in found if any(name in str(d) for name in OURS)] == []


def test_a_migrated_database_is_current(template_url):
    assert migrate.is_current(template_url, ("common", "agency", "cluster"))
    migrate.upgrade(template_url, ("common", "agency", "cluster"))
