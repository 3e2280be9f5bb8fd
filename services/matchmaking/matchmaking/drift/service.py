"""Compare our copies with the hub's, and take over what differs: the hub's word decides."""

from datetime import datetime
from uuid import UUID

from common import convergence, drift
from common.contracts.digests import DigestDisowned, DigestListed, DigestTaken
from common.contracts.envelope import FACTS
from common.convergence import Line
from common.inbox import Message
from common.outbox import HUB
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.offerings import service as catalogue


async def _forget(tx: AsyncSession, owner: str, key: tuple[str, UUID]) -> None:
    await catalogue.forget(tx, owner, *key)


def _copies(node: str) -> drift.Copies:
    return drift.copies(node, "offerings", "providers", forget=_forget)


async def on_taken(tx: AsyncSession, node: str, fact: DigestTaken, *, at: datetime) -> None:
    """Emits: DigestQuestioned or DigestCompared."""
    held, line = _copies(node), Line(node, HUB)
    if await drift.on_taken(tx, held, line, fact, at=at):
        await drift.tell(tx, line, fact, at=at)


async def on_listed(tx: AsyncSession, node: str, fact: DigestListed, *, at: datetime) -> None:
    """Emits: DigestWanted, and at the end DigestCompared."""
    held, line = _copies(node), Line(node, HUB)
    await drift.on_listed(tx, held, line, fact, at=at)
    if fact.rest == 0:
        await drift.tell(tx, line, fact, at=at)


async def on_disowned(tx: AsyncSession, fact: DigestDisowned, *, at: datetime) -> None:
    """End what the hub does not have."""
    for noun, id in fact.records:
        body = await catalogue.body(tx, noun, fact.owner, id)
        if body is not None:
            last = drift.ended(body)
            ending = convergence.announced(f"{noun}.retired.v1", last, source=fact.owner, at=at)
            await catalogue.follow(tx, [Message(ending, FACTS[ending.type].model_validate(last))])
