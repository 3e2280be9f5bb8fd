from common.auth import Principal
from common.contracts.allocations import Allocation
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from window.allocations import service


def routes(node: str, matchmaking: str) -> Routes:
    """Shape: `matchmaking` is the one node whose word counts."""
    who = Principal.system(node)

    async def on_allocation(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Allocation)
        await service.hear(tx, who, message.envelope, message.fact, matchmaking=matchmaking)

    return (("allocation.*", on_allocation),)
