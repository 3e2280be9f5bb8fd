"""Follow what others offer, and keep the index in step with the table.

The index is a cache that every process fills for itself. A transaction may see its own uncommitted rows,
and another's rows commit late; so each refresh reads again what was written since the oldest transaction
that was open at the last one, and every key whose writing was not settled then, whether or not the row
is still there. A rolled-back writing is thereby undone.
"""

import asyncio
from collections.abc import Sequence

from common import copies
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.contracts.ratings import Rating
from common.inbox import Message
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matching.listing import Listing
from matchmaking.matching.retrieval import Evidence, Retrieval
from matchmaking.offerings import repository
from matchmaking.offerings.domain import document
from matchmaking.offerings.repository import Stamp

# So many documents are cut and indexed in about 20 ms; then others get their turn.
TURN = 200


async def follow(tx: AsyncSession, message: Message) -> None:
    """Apply an offering, a provider or a rating if it is news."""
    envelope, fact = message.envelope, message.fact
    if isinstance(fact, Offering):
        await repository.apply_offering(tx, envelope, fact)
    elif isinstance(fact, Provider):
        if await repository.apply_provider(tx, envelope, fact) is copies.Outcome.APPLIED:
            await repository.touch(tx, envelope.source, envelope.subject)
    elif isinstance(fact, Rating):
        await repository.apply_rating(tx, envelope, fact)


class Catalogue:
    """The offerings of the region, searchable. `generation` grows with every change it has seen."""

    def __init__(self, retrieval: Retrieval) -> None:
        self._retrieval = retrieval
        self._stamps: dict[str, Stamp] = {}
        self._unsettled: set[str] = set()
        self._horizon = 0
        self._lock = asyncio.Lock()
        self.generation = 0

    @property
    def count(self) -> int:
        return self._retrieval.count

    async def refresh(self, tx: AsyncSession) -> None:
        """Bring the index to what this transaction sees."""
        async with self._lock:
            await self._refresh(tx)

    async def _refresh(self, tx: AsyncSession) -> None:
        horizon = await repository.horizon(tx)
        if horizon < self._horizon:
            # The database was replaced by an older one: nothing we remember of it holds.
            self._horizon, self._unsettled = 0, set(self._stamps)
        changed: list[str] = []
        gone = set(self._unsettled)
        unsettled: set[str] = set()
        stamps: dict[str, Stamp] = {}
        async for key, stamp, shown in repository.written_since(tx, self._horizon, self._unsettled):
            if stamp.xid >= horizon:
                unsettled.add(key)
            if shown:
                gone.discard(key)
                if self._stamps.get(key) != stamp:
                    changed.append(key)
                    stamps[key] = stamp
            else:
                gone.add(key)
        removed = gone & self._stamps.keys()
        # A key that failed to be indexed, or whose row vanished with its transaction, is looked at again.
        self._unsettled |= set(changed) | unsettled
        for key in removed:
            self._retrieval.remove(key)
            del self._stamps[key]
        for start in range(0, len(changed), TURN):
            for key, body in await repository.bodies(tx, changed[start : start + TURN]):
                self._retrieval.put(key, document(body))
                self._stamps[key] = stamps[key]
            await asyncio.sleep(0)
        if changed or removed:
            self.generation += 1
            # Usually some milliseconds, at times a hundred: not on the loop.
            await asyncio.to_thread(self._retrieval.commit)
        self._unsettled, self._horizon = unsettled, horizon

    async def search(self, tx: AsyncSession, text: str, limit: int) -> Sequence[tuple[str, float]]:
        """The most relevant keys, after a refresh."""
        async with self._lock:
            await self._refresh(tx)
            return self._retrieval.search(text, limit)

    def evidence(self, key: str, text: str) -> Evidence:
        return self._retrieval.evidence(key, text)

    async def listings(self, tx: AsyncSession, hits: Sequence[tuple[str, float]]) -> dict[str, Listing]:
        return await repository.listings(tx, [key for key, _ in hits])
