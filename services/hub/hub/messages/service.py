"""Hear a platform's messages as the bus would deliver them, and read what it is owed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from common.auth import Principal
from common.errors import Conflict, absent
from common.inbox import Inbox, Raw
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import pulled
from hub.messages import domain, repository
from hub.messages.domain import Line
from hub.nodes import service as nodes

# A reader that waits looks again so soon.
LOOK_S = 0.25
Begin = Callable[[], AbstractAsyncContextManager[AsyncSession]]
Refusal = tuple[str, str]


async def admit(tx: AsyncSession, who: Principal, id: str, *, speaks: bool) -> None:
    """Whether the caller is that platform, and may talk now.

    Raises: NotFound for anybody else; Conflict for a node of the bus, and for one that may not speak now.
    """
    standing = await nodes.standing(tx, id)
    if standing is None or not who.staff_of(id):
        raise absent("平台", "platform")
    if standing.via == "bus":
        raise Conflict(
            "member-on-the-bus",
            zh="该平台经消息总线收发；请使用总线",
            en="this platform talks over the bus; use the bus",
        )
    if speaks or standing.state == "retired":
        standing.admit()


async def deliver(inbox: Inbox, node: str, lines: Sequence[Line]) -> list[domain.Verdict]:
    """Each message has its effect once, or is parked. Raises: Unavailable: nothing has happened."""
    raws = [Raw(line.data, node, line.key) for line in lines]
    return [verdict.value for verdict in await inbox.deliver(raws)]


async def refusals(tx: AsyncSession, node: str, lines: Sequence[Line]) -> dict[str, Refusal]:
    """Reason and detail of those that were parked, by key."""
    return await repository.refusals(tx, node, [line.key for line in lines]) if lines else {}


async def positions(tx: AsyncSession, node: str, ids: Sequence[UUID]) -> list[tuple[int, UUID]]:
    """Where messages are in a platform's feed, in order."""
    return await repository.positions(tx, pulled(node), ids)


async def confirmed(tx: AsyncSession, node: str) -> int:
    """How far a platform has confirmed its feed."""
    return await repository.confirmed(tx, pulled(node))


class Reader:
    """Reads a platform's feed from a position on, without holding a connection while it waits."""

    def __init__(self, begin: Begin, node: str, after: int | None, limit: int) -> None:
        self._begin, self._feed, self._limit = begin, pulled(node), limit
        self.position = after

    async def more(self) -> Sequence[tuple[int, bytes]]:
        """What is behind the position, which moves on."""
        async with self._begin() as tx:
            if self.position is None:
                self.position = await repository.confirmed(tx, self._feed)
            found = await repository.behind(tx, self._feed, self.position, self._limit)
        if found:
            self.position = found[-1][0]
        return found

    async def batches(self, seconds: float) -> AsyncIterator[Sequence[tuple[int, bytes]]]:
        """What there is, then what comes, for so long; an empty batch when it looked in vain."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while True:
            found = await self.more()
            yield found
            if clock() >= until:
                return
            if len(found) < self._limit:
                await asyncio.sleep(min(LOOK_S, max(0.0, until - clock())))
