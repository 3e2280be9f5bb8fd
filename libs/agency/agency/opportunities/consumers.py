"""What matchmaking says of demands that fit."""

from common.auth import Principal
from common.clock import Clock
from common.contracts.opportunities import Opportunity
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from agency.opportunities import service


def routes(node: str, matchmaking: str, now: Clock) -> Routes:
    """Shape: `matchmaking` is the one node whose word counts."""
    who = Principal.system(node)

    async def on_opportunity(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Opportunity)
        await service.follow(tx, who, message.fact, message.envelope, matchmaking=matchmaking, at=now())

    return (("opportunity.*", on_opportunity),)
