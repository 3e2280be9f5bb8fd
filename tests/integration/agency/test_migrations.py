from agency.assignments import tables as assignments
from agency.offerings import tables as offerings
from agency.providers import tables as providers
from agency.quotations import tables as quotations
from common import migrate
from common.db import Base

OURS = {"providers", "offerings", "quotations", "assignments", "progress_reports", "received_ratings"}


async def test_the_migrated_database_is_what_the_code_means(platform):
    assert {providers, offerings, quotations, assignments}
    async with platform.runtime.engine.connect() as connection:
        found = await connection.run_sync(migrate.differences, Base.metadata)
    assert [d for d in found if any(name in str(d) for name in OURS)] == []
