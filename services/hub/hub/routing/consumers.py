from common.inbox import Message, Routes
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.routing import service


def routes(network: Topology) -> Routes:
    """Hears everything, and comes first: what it refuses, no other consumer applies."""

    async def on_any(tx: AsyncSession, message: Message) -> None:
        await service.route(tx, message.envelope, message.fact, network)

    return (("*", on_any),)
