"""What the demand's window says of its engagements and ratings."""

from common.auth import Principal
from common.contracts.engagements import Engagement
from common.contracts.ratings import Rating
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from agency.assignments import service


def routes(node: str) -> Routes:
    who = Principal.system(node)

    async def on_engagement(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Engagement)
        await service.follow(tx, who, message.fact, message.envelope)

    async def on_rating(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Rating)
        await service.rate(tx, who, message.fact, message.envelope)

    return (("engagement.*", on_engagement), ("rating.*", on_rating))
