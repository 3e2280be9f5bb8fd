from collections.abc import Awaitable, Callable, Sequence

from common.inbox import Many, Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain, service
from hub.members.domain import Membership


def routes(known: Callable[[AsyncSession], Awaitable[Membership]]) -> Routes:
    async def on_facts(tx: AsyncSession, messages: Sequence[Message]) -> None:
        network = (await known(tx)).network
        await service.record_all(tx, [(one.envelope, one.fact) for one in messages], network)

    return tuple((f"{noun}.*", Many(on_facts)) for noun in domain.NOUNS)
