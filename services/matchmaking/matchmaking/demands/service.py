"""Follow demands; match each new need, and each unmatched one again when more is offered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.demands import Demand
from common.inbox import Message
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.demands import domain, repository
from matchmaking.matches import service as matches
from matchmaking.matching import engine, weights
from matchmaking.matching.listing import wording
from matchmaking.offerings.service import Catalogue

# Hard conditions come after the search: when they leave too few, look further down.
DEPTHS = (200, 2_000, 50_000)


@dataclass(frozen=True)
class Matchmaker:
    """The node, matching demands against a catalogue."""

    catalogue: Catalogue
    who: Principal

    async def follow(self, tx: AsyncSession, message: Message, *, at: datetime) -> None:
        """Apply a demand if it is news, and match it if it waits for that. Emits: MatchComputed."""
        owner, demand = message.envelope.source, message.fact
        assert isinstance(demand, Demand)
        if await repository.apply(tx, message.envelope, demand) is not copies.Outcome.APPLIED:
            return
        if domain.is_new_need(demand):
            await self.match(tx, owner, demand, at=at)
        elif domain.is_unmatched(demand):
            await self.match(tx, owner, demand, at=at, only_if_found=True)

    async def match(
        self, tx: AsyncSession, owner: str, demand: Demand, *, at: datetime, only_if_found: bool = False
    ) -> None:
        """Match one version of a demand, once. Emits: MatchComputed."""
        result, retrieved = await self._find(tx, demand, at)
        if result.candidates or not only_if_found:
            considered = self.catalogue.count
            await matches.record(
                tx, self.who, owner, demand, result, considered=considered, retrieved=retrieved, at=at
            )

    async def _find(self, tx: AsyncSession, demand: Demand, at: datetime) -> tuple[engine.Result, int]:
        text, floor = wording(demand), weights.current().floor
        result, retrieved = engine.Result((), ()), 0
        for depth in DEPTHS:
            hits = await self.catalogue.search(tx, text, depth)
            relevant = [hit for hit in hits if hit[1] >= floor]
            listings = await self.catalogue.listings(tx, relevant)
            result = engine.match(
                demand, relevant, listings, lambda key: self.catalogue.evidence(key, text), domain.today(at)
            )
            retrieved = len(relevant)
            if retrieved < depth or len(result.candidates) >= engine.CANDIDATES:
                break
        return result, retrieved

    async def match_next(
        self, tx: AsyncSession, after: tuple[str, UUID] | None, *, at: datetime
    ) -> tuple[str, UUID] | None:
        """Try the next unmatched demand again. Returns where to go on from, None at the end."""
        found = await repository.unmatched_after(tx, after)
        if found is None:
            return None
        owner, demand = found
        if not await matches.exists(tx, owner, demand):
            await self.match(tx, owner, demand, at=at, only_if_found=True)
        return owner, demand.id
