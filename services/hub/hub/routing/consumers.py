from collections.abc import Awaitable, Callable, Sequence

from common.contracts.envelope import Envelope
from common.inbox import Many, Message, Routes
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

    async def on_any(tx: AsyncSession, messages: Sequence[Message]) -> None:
        for one in messages:
            await admit(tx, one.envelope)
        await service.route_all(tx, [(one.envelope, one.fact) for one in messages], await known(tx))

    return (("*", Many(on_any)),)
