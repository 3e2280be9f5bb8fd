from sqlalchemy.ext.asyncio import AsyncSession

from hub.dead_letters import repository


async def open_count(tx: AsyncSession) -> int:
    """How many parked messages wait for somebody."""
    return await repository.open_count(tx)
