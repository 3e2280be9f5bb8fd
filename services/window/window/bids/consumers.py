from common.auth import Principal
from common.clock import Clock
from common.contracts.quotations import Quotation
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from window.bids import service


def routes(node: str, now: Clock) -> Routes:
    async def on_quotation(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, Quotation)
        await service.hear(tx, Principal.system(node), message.envelope, message.fact, at=now())

    return (("quotation.*", on_quotation),)
