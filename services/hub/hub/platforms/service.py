"""Tell matchmaking and the windows when a platform falls silent, is held, leaves, or is back."""

from datetime import datetime

from common.convergence import Line
from common.outbox import HUB
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import Membership
from hub.nodes import service as nodes
from hub.platforms import domain, repository


async def review(tx: AsyncSession, membership: Membership, *, limit_s: float, at: datetime) -> int:
    """Say what has changed since it was last said; of how many platforms. Emits: PlatformChanged."""
    await repository.hold(tx)
    silent = await nodes.silent(tx, at=at)
    news = domain.news(membership.members.values(), silent, await repository.told(tx), at=at, limit_s=limit_s)
    for platform in news:
        await repository.keep(tx, platform)
        for node in membership.network.of_kind("matchmaking", "window"):
            if node.id != platform.node:
                line = Line(HUB, membership.feed(node.id))
                await line.say(tx, platform, at=at, recipient=node.id)
    return len(news)
