from collections.abc import Sequence

from common.inbox import Many, Message, Routes
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.routing import service


def routes(network: Topology) -> Routes:
    """Hears everything, and comes first: what it refuses, no other consumer applies."""

    async def on_any(tx: AsyncSession, messages: Sequence[Message]) -> None:
        await service.route_all(tx, [(one.envelope, one.fact) for one in messages], network)

    return (("*", Many(on_any)),)
