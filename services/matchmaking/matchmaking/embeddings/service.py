"""Meanings of texts: the vector of a query now, vectors of what is offered from the cache.

One source serves at a time, and all processes of the service take it from the database. When the settings
name another, that one is computed beside it and takes over when it has read everything.
"""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from common import log
from common.errors import Unavailable
from common.settings import Settings
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.embedders import service as embedders
from matchmaking.embedders.domain import Embedder, Source, TextRefused, Vector, prepared
from matchmaking.embeddings import repository
from matchmaking.embeddings.domain import Wanted, anchors, calibrated, pack, unpack
from matchmaking.matching.fusion import Space

State = Literal["serving", "away", "off"]
# After an outage matches do not wait for another time-out so soon.
REST_S = 5.0
LONGEST_REST_S = 60.0
# The old source being away for so long, the new one takes over although it has not read everything.
ABANDON_S = 60.0
REMEMBERED = 1024
# Reading texts gives way to queries, for both want the whole processor: it begins a batch when none has come
# for so long, or when it has waited so long.
GIVE_WAY_S, LONGEST_WAY_S = 0.3, 2.0
PROBE = "服务"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Texts(Protocol):
    """Texts in use that a model has not read, at most `limit`, with their `content_hash`: see `unread`."""

    async def __call__(self, tx: AsyncSession, model: str, limit: int) -> Sequence[tuple[bytes, str]]: ...


def unread(model: str, column: Any) -> ColumnElement[bool]:
    """The condition for `Texts`: the model has neither read nor refused the text of this hash column."""
    return repository.unread(model, column)


@dataclass(eq=False)
class Link:
    """A source, the way to it and how that is. `down_since` None: not known to be down. Times are the loop's."""

    source: Source
    embedder: Embedder
    name: str = field(init=False)
    space: Space | None = None
    checked: bool = False
    leased: bool = False
    down_since: float | None = None
    retry_at: float = 0.0
    rest_s: float = 0.0
    rest_until: float = 0.0

    def __post_init__(self) -> None:
        self.name = self.source.name


class Embeddings:
    """Which vectors there are, and how one gets more. Without a source it is off; matches go by words."""

    def __init__(
        self,
        settings: Settings,
        texts: Texts,
        *,
        registry: CollectorRegistry | None = None,
        connect: Callable[[Source, Settings], Embedder] = embedders.open_embedder,
    ) -> None:
        self._settings, self._texts, self._connect = settings, texts, connect
        self._configured = embedders.configured(settings)
        self._me = uuid.uuid4().hex
        self._started: datetime | None = None
        self._serving: Link | None = None
        self._upcoming: Link | None = None
        self._retired: list[Link] = []
        self._queries: OrderedDict[tuple[str, str], Vector] = OrderedDict()
        self._way_until, self._longest_way_s = 0.0, LONGEST_WAY_S
        self._log = log.get("embeddings")
        registry = registry or CollectorRegistry()
        self._computed = Counter("embeddings_computed", "Vectors computed for the cache", registry=registry)
        self._seconds = Histogram(
            "embeddings_query_seconds", "Time to embed a query", buckets=BUCKETS, registry=registry
        )
        self._waiting = Gauge("embeddings_waiting", "Texts to embed next; large: many", registry=registry)
        up = Gauge("embeddings_up", "Whether meanings are compared", registry=registry)
        up.set_function(lambda: float(self.state == "serving"))

    @property
    def state(self) -> State:
        if self._configured is None:
            return "off"
        return "serving" if self._serving is not None and self._serving.down_since is None else "away"

    @property
    def model(self) -> str | None:
        """The name of the serving source."""
        return None if self._serving is None else self._serving.name

    @property
    def space(self) -> Space | None:
        """Of the serving source; None until its anchors are read. Another object after each change of source."""
        return None if self._serving is None else self._serving.space

    async def query(self, text: str) -> tuple[str, Vector] | None:
        """The serving source's name and the vector of a query; None when it is off or away."""
        link = self._serving
        if link is None or self._configured is None:
            return None
        key = (link.name, prepared(text))
        if key in self._queries:
            self._queries.move_to_end(key)
            return link.name, self._queries[key]
        if not key[1] or not self._may_ask(link):
            return None
        self.give_way(GIVE_WAY_S)
        try:
            with self._seconds.time():
                vector = await link.embedder.query(key[1])
        except TextRefused as refusal:
            self._log.warning("query-refused", model=link.name, why=refusal.en)
            return None
        except Unavailable as outage:
            self._mark_down(link, outage)
            return None
        self._mark_up(link)
        self._queries[key] = vector
        if len(self._queries) > REMEMBERED:
            self._queries.popitem(last=False)
        return link.name, vector

    async def vectors(
        self, tx: AsyncSession, hashes: Collection[bytes], model: str | None = None
    ) -> dict[bytes, Vector]:
        """Vectors of those texts that have one, by the serving source, or by the source of that name."""
        model = model or self.model
        return {} if model is None else unpack(await repository.packed(tx, model, hashes))

    async def missing(self, tx: AsyncSession, hashes: Collection[bytes]) -> set[bytes]:
        """Those of the texts that the serving source has yet to read."""
        if self._serving is None:
            return set(hashes)
        return set(hashes) - await repository.known(tx, self._serving.name, hashes)

    async def follow(self, tx: AsyncSession) -> list[Link]:
        """Take from the database which source serves; the links to compute for, the serving one first."""
        configured = self._configured
        if configured is None:
            return []
        now = await repository.now(tx)
        self._started = self._started or now
        found = await repository.serving(tx)
        if found is None:
            await repository.begin_serving(tx, configured, now)
            found = await repository.serving(tx)
            assert found is not None
        if self._serving is None or self._serving.name != found.source.name:
            await self._serve(tx, found.source)
        assert self._serving is not None
        # Of processes with different settings the one started last decides; else they would go to and fro.
        if self._serving.name == configured.name or found.since > self._started:
            self._retire(self._upcoming)
            self._upcoming = None
        elif self._upcoming is None:
            self._upcoming = await self._link(tx, configured)
            self._log.info("embeddings-changing", old=self._serving.name, new=self._upcoming.name)
        return [self._serving, *([self._upcoming] if self._upcoming else [])]

    async def _serve(self, tx: AsyncSession, source: Source) -> None:
        upcoming = self._upcoming
        if upcoming is not None and upcoming.name == source.name:
            self._upcoming = None
            link = upcoming
        else:
            link = await self._link(tx, source)
        if self._serving is not None:
            self._log.info("embeddings-changed", old=self._serving.name, new=link.name)
        self._retire(self._serving)
        self._serving = link

    async def _link(self, tx: AsyncSession, source: Source) -> Link:
        link = Link(source, self._connect(source, self._settings))
        length = await repository.dimensions(tx, link.name)
        if length is not None:
            link.embedder.expect(length)
        await self._calibrate(tx, link)
        return link

    async def _calibrate(self, tx: AsyncSession, link: Link) -> None:
        kept = await repository.packed(tx, link.name, [anchor.hash for anchor in anchors()])
        if len(kept) == len({anchor.hash for anchor in anchors()}):
            link.space = calibrated(link.name, unpack(kept))

    async def probe(self, link: Link) -> None:
        """Find out whether a source that is new or was away is there."""
        if (link.checked and link.down_since is None) or not self._may_ask(link):
            return
        try:
            await link.embedder.query(PROBE)
        except Unavailable as outage:
            self._mark_down(link, outage)
        else:
            self._mark_up(link)

    async def claim(self, tx: AsyncSession, link: Link, limit: int) -> Sequence[Wanted]:
        """What this process is to embed next for a source: the anchors first, then texts in use."""
        resting = link.down_since is not None or self._now() < link.rest_until
        items = () if resting else await self._lacking(tx, link, limit)
        if link is self._serving or items:
            self._waiting.set(len(items))
        if items:
            link.leased = await repository.lease(tx, link.name, self._me)
            return items[:limit] if link.leased else ()
        if link.leased:
            await repository.release(tx, link.name, self._me)
            link.leased = False
        return ()

    async def _lacking(self, tx: AsyncSession, link: Link, limit: int) -> Sequence[Wanted]:
        if link.space is None:
            known = await repository.known(tx, link.name, [anchor.hash for anchor in anchors()])
            items = [anchor for anchor in anchors() if anchor.hash not in known]
            if items:
                return items
            await self._calibrate(tx, link)
        found = await self._texts(tx, link.name, limit)
        return [Wanted(hash, prepared(text), "passage") for hash, text in found]

    async def embed(self, link: Link, items: Sequence[Wanted]) -> dict[bytes, bytes]:
        """Vectors as they are kept; none when that fails. Whether the source is away, the next probe tells."""
        await self._wait_for_way()
        try:
            vectors = await self._embed(link, items)
        except Unavailable as outage:
            self._log.warning("texts-not-embedded", model=link.name, texts=len(items), why=outage.en)
            link.rest_s = min(max(REST_S, 2 * link.rest_s), LONGEST_REST_S)
            link.rest_until, link.checked = self._now() + link.rest_s, False
            return {}
        link.rest_s = 0.0
        self._computed.inc(sum(map(bool, vectors.values())))
        return vectors

    def give_way(self, seconds: float, longest_s: float = LONGEST_WAY_S) -> None:
        """Others want the processor for so long: texts are read after that, or when they have waited longest."""
        self._way_until, self._longest_way_s = max(self._way_until, self._now() + seconds), longest_s

    async def _wait_for_way(self) -> None:
        began = self._now()
        while True:
            pause = min(self._way_until, began + self._longest_way_s) - self._now()
            if pause <= 0:
                return
            await asyncio.sleep(pause)

    async def _embed(self, link: Link, items: Sequence[Wanted]) -> dict[bytes, bytes]:
        asked = [item for item in items if item.side == "query"]
        found = {item.hash: pack(await link.embedder.query(item.text)) for item in asked}
        told = [item for item in items if item.side == "passage" and item.text]
        found |= {item.hash: b"" for item in items if not item.text}
        if not told:
            return found
        try:
            rows = await link.embedder.passages([item.text for item in told])
        except TextRefused as refusal:
            if len(told) == 1:
                await link.embedder.passages([PROBE])  # it is this text, not every one
                self._log.warning("text-refused", model=link.name, text=told[0].hash.hex(), why=refusal.en)
                return found | {told[0].hash: b""}
            for item in told:
                found |= await self._embed(link, [item])
            return found
        return found | {item.hash: pack(row) for item, row in zip(told, rows, strict=True)}

    async def keep(self, tx: AsyncSession, link: Link, vectors: dict[bytes, bytes]) -> None:
        """Put what was computed into the cache, and keep the turn."""
        await repository.add(tx, link.name, vectors)
        await repository.lease(tx, link.name, self._me)

    async def settle(self, tx: AsyncSession) -> bool:
        """Let the upcoming source take over, if it is time. Whether it does."""
        new, old = self._upcoming, self._serving
        if new is None or old is None or new.space is None or new.down_since is not None:
            return False
        lost = old.down_since is not None and self._now() - old.down_since > ABANDON_S
        if not lost and await self._texts(tx, new.name, 1):
            return False
        found = await repository.serving(tx, lock=True)
        if found is None or found.source.name != old.name:
            return False
        await repository.change_serving(tx, new.source, await repository.now(tx))
        await repository.forget_all_but(tx, (old.name, new.name))
        self._log.info(
            "embeddings-switch", old=old.name, new=new.name, because="lost" if lost else "complete"
        )
        return True

    async def tidy(self) -> None:
        """Let go of sources that no longer serve."""
        while self._retired:
            await self._retired.pop().embedder.close()

    async def close(self) -> None:
        """Let go of everything; nothing is asked any more."""
        for link in (self._serving, self._upcoming):
            self._retire(link)
        self._serving = self._upcoming = None
        await self.tidy()

    def _retire(self, link: Link | None) -> None:
        if link is not None:
            self._retired.append(link)

    def _may_ask(self, link: Link) -> bool:
        """One caller at a time finds out whether a source that was away is back."""
        if link.down_since is None:
            return True
        if self._now() < link.retry_at:
            return False
        link.retry_at = self._now() + REST_S
        return True

    def _mark_down(self, link: Link, outage: Unavailable) -> None:
        if link.down_since is None:
            link.down_since = self._now()
            self._log.warning("embedder-away", model=link.name, why=outage.en)
        link.checked, link.retry_at = True, self._now() + REST_S

    def _mark_up(self, link: Link) -> None:
        if link.down_since is not None:
            self._log.info("embedder-back", model=link.name)
        link.checked, link.down_since = True, None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def as_of(
    tx: AsyncSession, model: str, hashes: Collection[bytes]
) -> tuple[Space | None, dict[bytes, Vector]]:
    """A model's space and the vectors of texts, whether it serves or not. No space: its vectors are gone."""
    kept = await repository.packed(tx, model, [anchor.hash for anchor in anchors()])
    return calibrated(model, unpack(kept)), unpack(await repository.packed(tx, model, hashes))
