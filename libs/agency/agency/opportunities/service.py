"""Opportunities: follow what matchmaking tells, note what the provider makes of it, wake who watches."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from common import audit, copies, db
from common.auth import Principal
from common.contracts import opportunities as contract
from common.contracts.envelope import Envelope
from common.errors import absent
from common.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession

from agency.opportunities import domain, repository
from agency.opportunities.domain import Opportunity
from agency.providers import service as providers
from agency.streams import service as streams

Watch = streams.Watch
PAGE = 100


def watching(app_state: Any, who: Principal) -> AbstractContextManager[Watch]:
    """A place among those who wait in this process; the first one opens it. Raises: Unavailable."""
    if not hasattr(app_state, "streams"):
        app_state.streams = streams.Streams(app_state.runtime.settings.database_url)
    return app_state.streams.watch(who)


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Opportunity:
    """Raises: NotFound for none, and for another's."""
    found = await repository.find(tx, who, id, lock=lock)
    if found is None:
        raise absent("商机", "opportunity")
    return found


async def follow(
    tx: AsyncSession,
    who: Principal,
    opportunity: contract.Opportunity,
    envelope: Envelope,
    *,
    matchmaking: str,
    at: datetime,
) -> None:
    """Keep the newest state for the provider's owner. An open one that is news is unread again.

    Raises: Forbidden when it is not matchmaking's, or for no provider here.
    """
    provider = await providers.lookup(tx, who, opportunity.provider_id)
    domain.ours(
        opportunity,
        node=who.node,
        source=envelope.source,
        matchmaking=matchmaking,
        known=provider is not None,
    )
    assert provider is not None
    news = {"read_at": None} if opportunity.state == "open" else {}
    outcome = await repository.follow(
        tx,
        envelope,
        owner_subject=provider.owner_subject,
        provider_id=opportunity.provider_id,
        offering_id=opportunity.offering_id,
        state=opportunity.state,
        position=await repository.next_position(tx),
        heard_at=at,
        **news,
    )
    if outcome is copies.Outcome.APPLIED:
        await streams.notify(tx, provider.owner_subject)


async def view(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Opportunity:
    """The opportunity as read; a second time changes nothing."""
    found = await get(tx, who, id, lock=True)
    if found.read_at is not None:
        return found
    await repository.mark_read(tx, id, at)
    await audit.add(tx, who.subject, "opportunity.viewed", id, at=at, detail={"version": found.version})
    return found.model_copy(update={"read_at": at})


async def dismiss(
    tx: AsyncSession, who: Principal, id: UUID, reason: str | None, *, at: datetime
) -> Opportunity:
    """The opportunity as of no interest, known to this platform alone; a second time changes nothing."""
    found = await get(tx, who, id, lock=True)
    if found.dismissed_at is not None:
        return found
    await repository.mark_dismissed(tx, id, reason, at)
    await audit.add(tx, who.subject, "opportunity.dismissed", id, at=at, detail={"version": found.version})
    marks = {"dismissed_at": at, "dismissed_reason": reason, "read_at": found.read_at or at}
    return found.model_copy(update=marks)


class Reader:
    """What a caller has not seen yet, read on from a position; each change once, in the order of commits."""

    def __init__(self, runtime: Runtime, who: Principal, position: int | None):
        self._runtime, self._who = runtime, who
        self._asked = position
        self.position = 0

    async def start(self) -> int:
        """Find where to begin: at what the caller names, else at what comes from now on. How many are unread.

        Shape: a position beyond the newest is of a database that was set back; then all is told again.
        """
        async with db.begin(self._runtime.sessions) as tx:
            head = await repository.head(tx)
            asked = head if self._asked is None else self._asked
            self.position = asked if asked <= head else 0
            return await repository.unread(tx, self._who)

    async def more(self) -> tuple[Sequence[Opportunity], bool]:
        """The next ones, and whether there may be further ones at once."""
        async with db.begin(self._runtime.sessions) as tx:
            found = await repository.since(tx, self._who, self.position, PAGE)
        if found:
            self.position = found[-1].position
        return found, len(found) == PAGE
