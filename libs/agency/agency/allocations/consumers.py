"""What matchmaking says of demands given to providers here."""

from common.auth import Principal
from common.contracts.allocations import Allocation
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from agency.allocations import service


def routes(node: str, matchmaking: str) -> Routes:
    """Shape: `matchmaking` is the one node whose word counts."""
    who = Principal.system(node)

    async def on_allocation(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Allocation)
        await service.follow(tx, who, message.fact, message.envelope, matchmaking=matchmaking)

    return (("allocation.*", on_allocation),)
