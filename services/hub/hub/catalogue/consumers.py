from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service


async def on_state(tx: AsyncSession, message: Message) -> None:
    await service.follow(tx, message.envelope, message.fact)


routes: Routes = (("offering.*", on_state), ("provider.*", on_state))
