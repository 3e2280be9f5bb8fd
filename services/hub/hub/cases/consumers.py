from common.inbox import Message, Routes
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain, service


def routes(network: Topology) -> Routes:
    async def on_fact(tx: AsyncSession, message: Message) -> None:
        await service.record(tx, message.envelope, message.fact, network)

    return tuple((f"{noun}.*", on_fact) for noun in domain.NOUNS)
