"""What an import needs of the database besides the rows of its nouns."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

LOCK = 0x48554241


async def one_at_a_time(tx: AsyncSession) -> None:
    """Two imports that describe the same rows wait for each other."""
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
