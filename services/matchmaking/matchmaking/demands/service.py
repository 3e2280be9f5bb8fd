"""Follow demands; match each new need, and each unmatched one again when more is offered."""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.matches import SimilarDemand
from common.errors import absent
from common.inbox import Message, caused_by
from common.mirrors import Key, turns
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.demands import domain, repository
from matchmaking.demands.domain import Search, categories_within
from matchmaking.embeddings.domain import pack, unpack
from matchmaking.embeddings.service import Embeddings
from matchmaking.matches import service as matches
from matchmaking.matches.domain import Computed
from matchmaking.matching import engine, reasons
from matchmaking.matching.engine import Scored
from matchmaking.matching.fusion import Space
from matchmaking.matching.index import Index
from matchmaking.matching.listing import Offer, key, meaning, parts, wording
from matchmaking.matching.retrieval import EVERYWHERE, Hit, Hits, Need, Scope, Vector
from matchmaking.offerings.service import Catalogue
from matchmaking.opportunities import service as opportunities
from matchmaking.rankings import service as rankings

# Hard conditions come after the search: when they leave too few, look further down.
DEPTHS = (200, 2_000, 20_000)
# With so large a share of the catalogue read, nothing worth a word is missing.
FULLY_READ = 0.98
# Open demands that are looked at for one offering.
DEMANDS = 60
# What is alike to this share is the same need said again; so many are named.
ALIKE, SIMILAR = 0.8, 5
# Demands of other windows may say the same: when they leave too few, look further down.
ALIKE_DEPTHS = (25, 250, 2_500)


async def get(tx: AsyncSession, who: Principal, owner: str, id: UUID) -> Demand:
    """Raises: NotFound for none, and for one of another window."""
    demand = await repository.get(tx, who, owner, id)
    if demand is None:
        raise absent("需求", "demand")
    return demand


class OpenDemands:
    """The open demands of the region, searchable by what is offered and by each other."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.index = Index()
        self._embeddings = embeddings
        self._mirror = repository.mirror()
        self._demands: dict[str, Demand] = {}
        self._unread: dict[str, None] = {}
        self._lock = asyncio.Lock()

    async def refresh(self, tx: AsyncSession) -> None:
        """Bring the index to what this transaction sees."""
        async with self._lock:
            self._use(self._embeddings.space)
            look = await self._mirror.look(tx)
            for owner, id in look.gone:
                gone = key(owner, id)
                self.index.remove(gone)
                self._demands.pop(gone, None)
                self._unread.pop(gone, None)
            for keys in turns(look.changed):
                taken: list[Key] = []
                for (owner, id), demand, read in await repository.demands(tx, keys):
                    self._take(key(owner, id), demand, read)
                    taken.append((owner, id))
                look.took(taken)
                await asyncio.sleep(0)
            await asyncio.to_thread(self.index.commit)
            look.done()

    def _use(self, space: Space | None) -> None:
        """Here both sides are needs: as queries they were read, and as queries they are compared."""
        held = self.index.space
        if (held and held.model) != (space and space.model):
            self.index.use(space and dataclasses.replace(space, mean_passage=space.mean_query))
            self._unread = dict.fromkeys(self._demands)

    def _take(self, key_: str, demand: Demand, read: tuple[str, bytes] | None) -> None:
        self.index.put(key_, domain.document(demand))
        self._demands[key_] = demand
        space = self.index.space
        if space is not None and read is not None and read[0] == space.model:
            self.index.learn({key_: unpack({b"": read[1]})[b""]})
            self._unread.pop(key_, None)
        else:
            self._unread[key_] = None

    async def read(self, tx: AsyncSession, limit: int) -> int:
        """Read some that no vector of the present model is kept of: it has changed, or was away. How many."""
        some = list(self._unread)[:limit]
        for number, key_ in enumerate(some):
            demand, (owner, id) = self._demands[key_], parts(key_)
            sought = self.index.sought(wording(demand))
            found = await self._embeddings.query(sought.meaning(meaning(demand)))
            if found is None:
                return number
            await repository.learn(tx, owner, id, found[0], pack(found[1]))
            del self._unread[key_]
        return len(some)

    def near(self, text: str, passage: Vector | None, limit: int) -> list[tuple[str, Demand, Hit]]:
        """Open demands near to what is offered, by its words and its meaning as the model gave it."""
        space = self._embeddings.space
        if passage is not None and space is not None:
            # It lies where passages lie; here everything lies where needs do.
            passage = passage - space.mean_passage + space.mean_query
        hits = self.index.search(Need(self.index.sought(text), passage), limit)
        return [(parts(hit.key)[0], self._demands[hit.key], hit) for hit in hits]

    def like(
        self, need: Need, limit: int, shown: Callable[[str, Demand], bool], least: float = 0.0
    ) -> list[tuple[str, Demand, Hit]]:
        """Open demands near to what is sought, best first, among those `shown`, however many others there are."""
        found: list[tuple[str, Demand, Hit]] = []
        for depth in ALIKE_DEPTHS:
            hits = self.index.search(need, depth)
            near = [
                (parts(hit.key)[0], self._demands[hit.key], hit) for hit in hits if hit.relevance >= least
            ]
            found = [one for one in near if shown(one[0], one[1])][:limit]
            if len(found) == limit or len(hits) < depth or len(near) < len(hits):
                break
        return found


@dataclass(frozen=True)
class Matchmaker:
    """The node, matching demands against a catalogue and offerings against demands."""

    catalogue: Catalogue
    demands: OpenDemands
    embeddings: Embeddings
    who: Principal
    exposures: Counter

    async def follow(self, tx: AsyncSession, messages: Sequence[Message], *, at: datetime) -> None:
        """Apply demands that are news, and match each that waits for that.

        Emits: MatchComputed, OpportunityFound, OpportunityClosed.
        """
        said = [(one.envelope, one.fact) for one in messages if isinstance(one.fact, Demand)]
        outcomes = await repository.apply_all(tx, said)
        for message, (envelope, demand), outcome in zip(messages, said, outcomes, strict=True):
            if outcome is copies.Outcome.APPLIED:
                with caused_by(message):
                    await self._act(tx, envelope.source, demand, at)

    async def _act(self, tx: AsyncSession, owner: str, demand: Demand, at: datetime) -> None:
        if domain.is_new_need(demand):
            await self.match(tx, owner, demand, at=at)
        elif domain.is_unmatched(demand):
            await self.match(tx, owner, demand, at=at, only_if_found=True)
        elif not domain.is_open(demand):
            await opportunities.close(tx, self.who, owner, demand, at=at)

    async def match(
        self, tx: AsyncSession, owner: str, demand: Demand, *, at: datetime, only_if_found: bool = False
    ) -> None:
        """Match one version of a demand, once. Emits: MatchComputed, OpportunityFound."""
        search = await self.search(tx, demand, at=at)
        result = engine.result(demand, search.ranking, self._answers(search.need))
        if only_if_found and not result.candidates:
            return
        if search.need.vector is not None and search.model is not None:
            # Before it is looked for: a change later in the same transaction would be no news.
            await repository.learn(tx, owner, demand.id, search.model, pack(search.need.vector))
        found = Computed(
            result=result,
            run=search.run(self.catalogue.version),
            similar=await self._similar(tx, owner, demand, search.need),
            degraded=search.degraded,
            in_catalogue=self.catalogue.count,
        )
        if await matches.record(tx, self.who, owner, found, at=at) is None:
            return
        for candidate in result.candidates:
            self.exposures.labels(candidate.platform, str(candidate.provider_id)).inc()
        await opportunities.tell(tx, self.who, owner, demand, result.fitting, at=at, reason=self.reason)

    async def search(self, tx: AsyncSession, demand: Demand, *, at: datetime) -> Search:
        """Everything that is relevant, judged."""
        await self.catalogue.refresh(tx)
        by, today = await rankings.active(tx), domain.today(at)
        sought = self.catalogue.index.sought(wording(demand))
        model, vector, degraded = await self._read(sought.meaning(meaning(demand)))
        need = Need(sought, vector)
        own = categories_within(demand.category)
        hits: Hits = ()
        ranking = engine.Ranking((), ())
        offers: dict[str, Offer] = {}
        for depth in DEPTHS:
            hits = self._look(need, own, depth)
            offers = self.catalogue.offers(hit.key for hit in hits if hit.relevance >= by.floor)
            ranking = engine.rank(demand, hits, offers, by, today)
            # Once what comes is no longer relevant, nothing further down is. What was let in by a widening
            # is no reason to stop: further down something may fit as it is.
            enough = not ranking.widened and len(ranking.fitting) >= engine.CANDIDATES
            if enough or len(hits) < depth or hits[-1].relevance < by.floor:
                break
        return Search(demand, today, by, need, model, hits, offers, ranking, degraded)

    def _look(self, need: Need, own: frozenset[str] | None, depth: int) -> Hits:
        if own is None:
            return self.catalogue.index.search(need, depth)
        return self.catalogue.index.search(need, depth, EVERYWHERE, Scope(own))

    async def _read(self, text: str) -> tuple[str | None, Vector | None, tuple[str, ...]]:
        """The model and the need's meaning, or why there is none."""
        space = self.catalogue.index.space
        found = await self.embeddings.query(text)
        if found is None or space is None or found[0] != space.model:
            return None, None, ("semantic-away",) if self.embeddings.state != "off" else ("semantic-off",)
        read = self.catalogue.index.read
        return found[0], found[1], () if read >= self.catalogue.count * FULLY_READ else ("semantic-partial",)

    async def _similar(
        self, tx: AsyncSession, owner: str, demand: Demand, need: Need
    ) -> Sequence[SimilarDemand]:
        await self.demands.refresh(tx)
        found = self.demands.like(
            need, SIMILAR, lambda window, other: window == owner and other.id != demand.id, ALIKE
        )
        return [
            SimilarDemand(demand_id=other.id, number=other.number, similarity=hit.relevance)
            for _, other, hit in found
        ]

    def _answers(self, need: Need) -> engine.Answers:
        return lambda key_: self.catalogue.index.evidence(need.sought, key_)

    def reason(self, demand: Demand, one: Scored) -> tuple[str, str]:
        """Why an offering fits a demand, Chinese and English."""
        sought = self.catalogue.index.sought(wording(demand))
        answered = self.catalogue.index.evidence(sought, one.hit.key)
        return reasons.sentences(demand, one.offer, answered, one.relaxed)

    async def fitting(
        self, tx: AsyncSession, owner: str, demand: Demand, *, at: datetime, limit: int
    ) -> Sequence[Scored]:
        """What holds all hard conditions of a demand, best first."""
        ranking = (await self.search(tx, demand, at=at)).ranking
        return () if ranking.widened else ranking.fitting[:limit]

    async def demands_for(
        self, tx: AsyncSession, platform: str, offering_id: UUID, *, at: datetime, limit: int
    ) -> Sequence[tuple[str, Demand, Scored]]:
        """The open demands an offering fits, best first, each scored as its own match would score it."""
        await self.catalogue.refresh(tx)
        await self.demands.refresh(tx)
        key_ = key(platform, offering_id)
        offers = self.catalogue.offers([key_])
        text = await self.catalogue.text(tx, key_)
        if text is None or key_ not in offers:
            return ()
        document, vector = text
        by, today = await rankings.active(tx), domain.today(at)
        found: list[tuple[str, Demand, Scored]] = []
        for window, demand, _ in self.demands.near(f"{document.title}\n{document.body}", vector, DEMANDS):
            need = await self._need(demand)
            ranking = engine.rank(demand, self.catalogue.index.judge(need, [key_]), offers, by, today)
            if ranking.fitting and not ranking.widened:
                found.append((window, demand, ranking.fitting[0]))
        found.sort(key=lambda one: (-one[2].score, str(one[1].id)))
        return found[:limit]

    async def _need(self, demand: Demand) -> Need:
        sought = self.catalogue.index.sought(wording(demand))
        _, vector, _ = await self._read(sought.meaning(meaning(demand)))
        return Need(sought, vector)

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
