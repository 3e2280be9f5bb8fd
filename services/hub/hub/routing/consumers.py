from collections.abc import Awaitable, Callable

from common.contracts.envelope import Envelope
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import Membership
from hub.routing import service


def routes(
    known: Callable[[AsyncSession], Awaitable[Membership]],
    admit: Callable[[AsyncSession, Envelope], Awaitable[None]],
) -> Routes:
    """Hears everything, and comes first: what it refuses, no other consumer applies.

    Shape: `admit` holds the messages of a node whose database went back in time.
    """

    async def on_any(tx: AsyncSession, message: Message) -> None:
        await admit(tx, message.envelope)
        await service.route(tx, message.envelope, message.fact, await known(tx))

    return (("*", on_any),)
