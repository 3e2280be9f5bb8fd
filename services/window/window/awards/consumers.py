from common.auth import Principal
from common.clock import Clock
from common.contracts.quotations import Quotation
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from window.awards import service


def routes(node: str, now: Clock) -> Routes:
    """Shape: to stand before the routes of the bids, which lock the demand: an engagement is locked first."""

    async def on_settled(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Quotation)
        if message.fact.state == "relapsed":
            who, source = Principal.system(node), message.envelope.source
            await service.undo(tx, who, message.fact, source=source, at=now())

    return (("quotation.settled.v1", on_settled),)
