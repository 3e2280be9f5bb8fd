"""One match in memory at growing catalogues, against PostgreSQL with tsvector and pgvector in the same run.

From a demand with its vector to a ranked result with reasons; what a match does with the database and the
embedding of the need are other figures. HUBNET_BENCH_SIZES="1000,10000" chooses other sizes.
"""

import asyncio
import gc
import json
import os
import resource
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matchmaking.demands.domain import categories_within
from matchmaking.matching import engine, weights
from matchmaking.matching.index import Index
from matchmaking.matching.listing import Listing, Offer, Supplier, wording
from matchmaking.matching.retrieval import EVERYWHERE, Hits, Need, Scope
from matchmaking.matching.standing import Standing
from matchmaking.offerings.domain import document, listing

from bench import synthetic
from bench.match_peer import peer
from bench.running import say
from bench.synthetic import Asked, Batch, Region

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DEPTH = 200
ROUNDS = 3
PEER_FROM, PEER_UP_TO, GROWTH_FROM = 10_000, 100_000, 10_000


@dataclass
class Held:
    """A catalogue as matchmaking holds it in memory."""

    index: Index = field(default_factory=Index)
    listings: dict[str, Listing] = field(default_factory=dict)
    suppliers: dict[str, Supplier] = field(default_factory=dict)

    def load(self, batches: Iterable[Batch]) -> tuple[float, float]:
        """Seconds for words and for meanings."""
        words = meanings = 0.0
        for batch in batches:
            started = time.perf_counter()
            keys = [self._put(owner, json.loads(body)) for owner, body, _ in batch.said]
            put = time.perf_counter()
            self.index.learn(dict(zip(keys, batch.vectors, strict=True)))
            words += put - started
            meanings += time.perf_counter() - put
        started = time.perf_counter()
        self.index.commit()
        return words + time.perf_counter() - started, meanings

    def _put(self, owner: str, body: dict[str, Any]) -> str:
        listed = listing(owner, body)
        self.index.put(listed.key, document(body))
        self.listings[listed.key] = listed
        if listed.provider_key not in self.suppliers:
            self.suppliers[listed.provider_key] = Supplier(
                "active", standing=Standing(asked=4, answered=3, median_answer_hours=9.0)
            )
        return listed.key

    def offers(self, keys: Iterable[str]) -> dict[str, Offer]:
        found: dict[str, Offer] = {}
        for one in keys:
            listed = self.listings[one]
            held = self.suppliers[listed.provider_key]
            engaged = held.standing.open_by_offering
            found[one] = Offer(listed, held, engaged.get(listed.offering_id, 0) if engaged else 0)
        return found

    def match(self, asked: Asked, depth: int = DEPTH) -> engine.Result:
        demand = asked.demand
        need = Need(self.index.sought(wording(demand)), asked.vector)
        hits = self._look(need, categories_within(demand.category), depth)
        by = weights.current()
        offers = self.offers(hit.key for hit in hits if hit.relevance >= by.floor)
        ranking = engine.rank(demand, hits, offers, by, synthetic.TODAY)
        return engine.result(demand, ranking, lambda one: self.index.evidence(need.sought, one))

    def _look(self, need: Need, own: frozenset[str] | None, depth: int) -> Hits:
        if own is None:
            return self.index.search(need, depth)
        return self.index.search(need, depth, EVERYWHERE, Scope(own))


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def spread(rounds: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Median and p99 over the needs, each at the best of its rounds: what else runs here is not the figure."""
    best = sorted(map(min, zip(*rounds, strict=True)))
    return statistics.median(best), best[int(len(best) * 0.99)]


def times(held: Held, needs: Sequence[Asked]) -> list[list[float]]:
    """Milliseconds of each need in each round; one more goes before, unmeasured."""
    found: list[list[float]] = []
    for _ in range(ROUNDS + 1):
        found.append([])
        for asked in needs:
            started = time.perf_counter()
            held.match(asked)
            found[-1].append((time.perf_counter() - started) * 1000)
    return found[1:]


async def measure(sizes: Sequence[int]) -> None:
    engine.preload()
    region = Region()
    read = await synthetic.read(region)
    held = Held()
    held.index.use(read.space)
    print(f"{len(region.texts)} real texts, {len(read.needs)} needs", flush=True)
    gc.collect()
    before, loaded = rss_mb(), 0
    ours: dict[int, tuple[float, float]] = {}
    theirs: dict[int, tuple[float, float]] = {}
    memory: dict[int, float] = {}
    async with peer() as other:
        for size in sizes:
            numbers = range(loaded, size)
            words_s, meanings_s = held.load(synthetic.batches(region, read.real, numbers))
            gc.collect()
            memory[size] = (rss_mb() - before) / size * 100_000
            print(
                f"{size}: {len(numbers)} more put in {words_s:.0f} s, their meanings in {meanings_s:.0f} s; "
                f"{memory[size]:.0f} MB per 100,000",
                flush=True,
            )
            ours[size] = spread(times(held, read.needs))
            print(f"{size}: ours  p50 {ours[size][0]:.1f} ms  p99 {ours[size][1]:.1f} ms", flush=True)
            if size <= PEER_UP_TO:
                await other.begin()
                for batch in synthetic.batches(region, read.real, numbers):
                    await other.add(batch)
                if size >= PEER_FROM:
                    index_s = await other.index()
                    theirs[size] = spread(await other.times(read.needs, ROUNDS))
                    print(
                        f"{size}: PostgreSQL p50 {theirs[size][0]:.1f} ms  p99 {theirs[size][1]:.1f} ms "
                        f"(indexed in {index_s:.0f} s)",
                        flush=True,
                    )
            loaded = size
    judged = max(theirs, default=max(sizes))
    small, large = min((s for s in sizes if s >= GROWTH_FROM), default=max(sizes)), max(sizes)
    say(
        "match_speed",
        ours[judged][1],
        "ms",
        f"PostgreSQL tsvector + pgvector at {judged:,}, p99",
        ours[judged][1] / theirs[judged][1] if judged in theirs else 0.0,
        peer_p99_ms=round(theirs[judged][1], 1) if judged in theirs else None,
        times_faster=round(theirs[judged][1] / ours[judged][1], 1) if judged in theirs else None,
        p99_ms={size: round(p99, 1) for size, (_, p99) in ours.items()},
        growth=round(ours[large][1] / ours[small][1], 2),
        growth_from_to=[small, large],
        mb_per_100000=round(memory[judged]),
    )


def main() -> None:
    chosen = os.environ.get("HUBNET_BENCH_SIZES")
    asyncio.run(measure(SIZES if chosen is None else [int(size) for size in chosen.split(",")]))
