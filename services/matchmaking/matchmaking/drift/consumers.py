"""What the hub says when it compares its copies with ours."""

from common.clock import Clock
from common.contracts import digests
from common.inbox import Message, Routes
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.drift import service


def routes(node: str, now: Clock) -> Routes:
    async def on_taken(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestTaken)
        await service.on_taken(tx, node, message.fact, at=now())

    async def on_listed(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestListed)
        await service.on_listed(tx, node, message.fact, at=now())

    async def on_disowned(tx: AsyncSession, message: Message) -> None:
        assert isinstance(message.fact, digests.DigestDisowned)
        await service.on_disowned(tx, message.fact, at=now())

    return (
        ("digest.taken.v1", on_taken),
        ("digest.listed.v1", on_listed),
        ("digest.disowned.v1", on_disowned),
    )
