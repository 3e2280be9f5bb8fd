from collections.abc import Sequence

from common.inbox import Many, Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service


async def on_states(tx: AsyncSession, messages: Sequence[Message]) -> None:
    await service.follow_all(tx, [(one.envelope, one.fact) for one in messages])


routes: Routes = (("offering.*", Many(on_states)), ("provider.*", Many(on_states)))
