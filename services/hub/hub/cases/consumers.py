from collections.abc import Sequence

from common.inbox import Many, Message, Routes
from common.node import Topology
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain, service


def routes(network: Topology) -> Routes:
    async def on_facts(tx: AsyncSession, messages: Sequence[Message]) -> None:
        await service.record_all(tx, [(one.envelope, one.fact) for one in messages], network)

    return tuple((f"{noun}.*", Many(on_facts)) for noun in domain.NOUNS)
