from collections.abc import Awaitable, Callable

from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain, service
from hub.members.domain import Membership


def routes(known: Callable[[AsyncSession], Awaitable[Membership]]) -> Routes:
    async def on_fact(tx: AsyncSession, message: Message) -> None:
        await service.record(tx, message.envelope, message.fact, (await known(tx)).network)

    return tuple((f"{noun}.*", on_fact) for noun in domain.NOUNS)
