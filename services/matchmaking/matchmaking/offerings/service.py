"""Follow offerings and their providers; keep the index over them current."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from common import platforms
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.inbox import Message
from common.mirrors import turns
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.embeddings import service as embeddings
from matchmaking.embeddings.domain import content_hash
from matchmaking.embeddings.service import Embeddings
from matchmaking.matches.domain import Run
from matchmaking.matching.fusion import Space
from matchmaking.matching.index import Index
from matchmaking.matching.listing import HERE, NOBODY, Listing, Offer, Presence, Supplier, key, parts
from matchmaking.matching.retrieval import Document, Vector
from matchmaking.matching.standing import UNKNOWN
from matchmaking.offerings import repository
from matchmaking.offerings.domain import document, listing, supplier
from matchmaking.outcomes import service as outcomes

# Texts whose meaning is looked for in one pass.
LEARNT_AT_ONCE = 2_000
# When so many offerings come at once, more may follow so soon: that they are found by words comes first, and
# their meanings are read when none follow, or after so long.
MANY, MORE_WITHIN_S, LONGEST_S = 200, 2.0, 15.0


async def follow(tx: AsyncSession, messages: Sequence[Message]) -> None:
    """Apply copies that are news; providers first, so that nobody sees an offering before its provider."""
    said = [(message.envelope, message.fact) for message in messages]
    await repository.apply_providers(tx, [(e, fact) for e, fact in said if isinstance(fact, Provider)])
    await repository.apply_offerings(
        tx,
        [(e, fact, content_hash(document(e.data).passage)) for e, fact in said if isinstance(fact, Offering)],
    )


async def touched(tx: AsyncSession, platform: str, provider_id: UUID) -> None:
    """A provider's standing changed: whoever holds it in memory reads it again."""
    await repository.touch(tx, platform, provider_id)


async def body(tx: AsyncSession, noun: str, owner: str, id: UUID) -> dict[str, Any] | None:
    """What a living copy says; None when there is none."""
    return await repository.body(tx, noun, owner, id)


async def forget(tx: AsyncSession, owner: str, noun: str, id: UUID) -> None:
    """Drop a copy that contradicts the hub's; what comes next for it counts, whatever its version."""
    await repository.forget(tx, noun, owner, id)


async def unread(tx: AsyncSession, model: str, limit: int) -> Sequence[tuple[bytes, str]]:
    """Texts of offerings that a model has not read, with their hashes."""
    condition = embeddings.unread(model, repository.TEXT_HASH)
    return [(hash_, document(body).passage) for hash_, body in await repository.unread(tx, condition, limit)]


class Catalogue:
    """The offerings of the region, searchable. `generation` grows with every change it has seen."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.index = Index()
        self._embeddings = embeddings
        self._offerings = repository.mirror_offerings()
        self._providers = repository.mirror_providers()
        self._listings: dict[str, Listing] = {}
        self._suppliers: dict[str, Supplier] = {}
        self._hashes: dict[str, bytes] = {}
        self._unlearned: dict[str, bytes] = {}
        self._presences: dict[str, Presence] = {}
        self._lock = asyncio.Lock()
        self.generation = 0

    @property
    def count(self) -> int:
        return self.index.count

    @property
    def version(self) -> str:
        """Which transactions it has taken over: all below, of offerings and of providers."""
        return f"{self._offerings.horizon}.{self._providers.horizon}"

    async def refresh(self, tx: AsyncSession) -> None:
        """Bring listings, providers and index to what this transaction sees."""
        async with self._lock:
            self._use(self._embeddings.space)
            await self._follow_platforms(tx)
            await self._follow_providers(tx)
            await self._follow_offerings(tx)

    def _use(self, space: Space | None) -> None:
        if space is not self.index.space:
            self.index.use(space)
            self._unlearned = dict(self._hashes)

    async def _follow_platforms(self, tx: AsyncSession) -> None:
        presences = {
            node: Presence(row.standing != platforms.READY, row.as_of)
            for node, row in (await platforms.known(tx)).items()
        }
        self.generation += presences != self._presences
        self._presences = presences

    async def _follow_providers(self, tx: AsyncSession) -> None:
        look = await self._providers.look(tx)
        for gone in look.gone:
            self._suppliers.pop(key(*gone), None)
        for keys in turns(look.changed):
            standings = await outcomes.standings(tx, keys)
            for changed, body in await repository.providers(tx, keys):
                self._suppliers[key(*changed)] = supplier(body, standings.get(changed, UNKNOWN))
            look.took(keys)
        look.done()
        self.generation += bool(look.changed or look.gone)

    async def _follow_offerings(self, tx: AsyncSession) -> None:
        look = await self._offerings.look(tx)
        for owner, id in look.gone:
            gone = key(owner, id)
            self.index.remove(gone)
            self._listings.pop(gone, None)
            self._hashes.pop(gone, None)
            self._unlearned.pop(gone, None)
        for keys in turns(look.changed):
            if len(look.changed) >= MANY:
                self._embeddings.give_way(MORE_WITHIN_S, LONGEST_S)
            found = await repository.offerings(tx, keys)
            self.index.put_all({key(*at): document(body) for at, body, _ in found})
            for at, body, text_hash in found:
                changed = key(*at)
                self._listings[changed] = listing(at[0], body)
                self._hashes[changed] = self._unlearned[changed] = text_hash
            taken = [at for at, _, _ in found]
            look.took(taken)
            await self._learn(tx, [key(*at) for at in taken])
        if look.changed or look.gone:
            self.generation += 1
            # Usually some milliseconds, at times a hundred: not on the loop.
            await asyncio.to_thread(self.index.commit)
        look.done()

    async def _learn(self, tx: AsyncSession, keys: Collection[str]) -> bool:
        """Take over what has been read by now of some that were not. Whether there was any."""
        before = len(self._unlearned)
        for some in turns(keys):
            found = await self._embeddings.vectors(tx, {self._unlearned[one] for one in some})
            learned = {one: found[hash_] for one in some if (hash_ := self._unlearned[one]) in found}
            self.index.learn(learned)
            for one in learned:
                del self._unlearned[one]
            await asyncio.sleep(0)
        return len(self._unlearned) < before

    async def learn(self, tx: AsyncSession) -> None:
        """Look for meanings of what had none; what still has none comes to the end of the line."""
        async with self._lock:
            some = list(self._unlearned)[:LEARNT_AT_ONCE]
            self.generation += await self._learn(tx, some)
            for one in some:
                if one in self._unlearned:
                    self._unlearned[one] = self._unlearned.pop(one)

    def offers(self, keys: Iterable[str]) -> dict[str, Offer]:
        """What is judged by; a key that has gone is left out."""
        found: dict[str, Offer] = {}
        for one in keys:
            listed = self._listings.get(one)
            if listed is not None:
                found[one] = self._offer(listed)
        return found

    def _offer(self, listed: Listing) -> Offer:
        held = self._suppliers.get(listed.provider_key, NOBODY)
        presence = self._presences.get(listed.platform, HERE)
        engaged = held.standing.open_by_offering
        return Offer(listed, held, engaged.get(listed.offering_id, 0) if engaged else 0, presence)

    async def text(self, tx: AsyncSession, key_: str) -> tuple[Document, Vector | None] | None:
        """An offering's own text with its meaning, as the model gave it; None when it has gone."""
        for _, body, text_hash in await repository.offerings(tx, [parts(key_)]):
            read = await self._embeddings.vectors(tx, {text_hash})
            return document(body), read.get(text_hash)
        return None


async def as_of(tx: AsyncSession, run: Run) -> tuple[dict[str, tuple[Document, bytes]], dict[str, Offer]]:
    """What a run considered, as it was then: texts with their hashes, and offers."""
    bodies = await repository.offering_versions(
        tx, [(one.platform, one.offering_id, one.epoch, one.version) for one in run.considered]
    )
    former = await repository.provider_versions(
        tx, [(one.platform, one.provider_id, one.epoch, one.version) for one in run.involved]
    )
    suppliers = {
        (one.platform, one.provider_id): supplier(body, one.standing)
        for one in run.involved
        if (body := former.get((one.platform, one.provider_id))) is not None
    }
    absent = {one.platform: Presence(one.away, one.as_of) for one in run.absent}
    texts: dict[str, tuple[Document, bytes]] = {}
    offers: dict[str, Offer] = {}
    for one in run.considered:
        body = bodies.get((one.platform, one.offering_id))
        if body is not None:
            text, listed = document(body), listing(one.platform, body)
            held = suppliers.get((one.platform, listed.provider_id), NOBODY)
            texts[one.key] = text, content_hash(text.passage)
            offers[one.key] = Offer(listed, held, one.open_engagements, absent.get(one.platform, HERE))
    return texts, offers
