from common.contracts.providers import Provider
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from window.standings import service


async def on_provider(tx: AsyncSession, message: Message) -> None:
    assert isinstance(message.fact, Provider)
    await service.hear(tx, message.envelope, message.fact)


def routes() -> Routes:
    return (("provider.*", on_provider),)
