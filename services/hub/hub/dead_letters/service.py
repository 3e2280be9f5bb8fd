from sqlalchemy.ext.asyncio import AsyncSession

from hub.dead_letters import repository


async def reasons(tx: AsyncSession, source: str) -> dict[str, int]:
    """How many parked messages of a node wait for somebody, by the rule that stopped them."""
    return await repository.reasons(tx, source)


async def open_count(tx: AsyncSession) -> int:
    """How many parked messages wait for somebody."""
    return await repository.open_count(tx)
