"""What windows and platforms say of invitations, quotations, engagements and ratings."""

from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.outcomes import service
from matchmaking.outcomes.service import Touched


def routes(touched: Touched) -> Routes:
    """Shape: `touched` hears of every provider whose standing changes, within the same transaction."""

    async def on_outcome(tx: AsyncSession, message: Message) -> None:
        await service.follow(tx, message, touched)

    return tuple((f"{noun}.*", on_outcome) for noun in ("invitation", "quotation", "engagement", "rating"))
