"""One match in memory at growing catalogues, against PostgreSQL with tsvector and pgvector in the same run."""

import gc
import json
import os
import resource
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from common.mirrors import Key
from matchmaking.demands.domain import categories_within
from matchmaking.matching import engine, weights
from matchmaking.matching.index import Index
from matchmaking.matching.listing import Listing, Offer, Supplier, key, wording
from matchmaking.matching.retrieval import Hits, Need, Scope
from matchmaking.matching.standing import Standing
from matchmaking.offerings.domain import document, listing

from bench import synthetic
from bench.running import say
from bench.synthetic import Asked, Read, Region

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DEPTH = 200
ROUNDS = 3


@dataclass
class Held:
    """A catalogue as matchmaking holds it in memory."""

    index: Index = field(default_factory=Index)
    listings: dict[str, Listing] = field(default_factory=dict)
    suppliers: dict[Key, Supplier] = field(default_factory=dict)

    def load(self, region: Region, read: Read, numbers: range) -> tuple[float, float]:
        """Seconds for words and for meanings; the region's own work is not counted."""
        words = meanings = 0.0
        for start in range(numbers.start, numbers.stop, synthetic.BATCH):
            batch = range(start, min(start + synthetic.BATCH, numbers.stop))
            said = [(region.owner(n), json.dumps(region.offering(n)), region.provider(n)) for n in batch]
            vectors = region.vectors(batch, read.real)
            started = time.perf_counter()
            keys = [self._put(owner, json.loads(body), provider) for owner, body, provider in said]
            put = time.perf_counter()
            self.index.learn(dict(zip(keys, vectors, strict=True)))
            words += put - started
            meanings += time.perf_counter() - put
        started = time.perf_counter()
        self.index.commit()
        return words + time.perf_counter() - started, meanings

    def _put(self, owner: str, body: dict, provider: Key) -> str:
        listed = listing(owner, body)
        self.index.put(listed.key, document(body))
        self.listings[listed.key] = listed
        if provider not in self.suppliers:
            self.suppliers[provider] = Supplier("active", standing=Standing(asked=4, answered=3, median_answer_hours=9.0))
        return listed.key

    def offers(self, keys: Iterable[str]) -> dict[str, Offer]:
        found: dict[str, Offer] = {}
        for one in keys:
            listed = self.listings[one]
            held = self.suppliers[listed.platform, listed.provider_id]
            found[one] = Offer(listed, held, held.standing.open_by_offering.get(listed.offering_id, 0))
        return found

    def match(self, asked: Asked, depth: int = DEPTH) -> engine.Result:
        demand = asked.demand
        need = Need(self.index.sought(wording(demand)), asked.vector)
        hits = self._look(need, categories_within(demand.category), depth)
        offers = self.offers(hit.key for hit in hits)
        ranking = engine.rank(demand, hits, offers, weights.current(), synthetic.TODAY)
        return engine.result(demand, ranking, lambda one: self.index.evidence(need.sought, one))

    def _look(self, need: Need, own: frozenset[str] | None, depth: int) -> Hits:
        everywhere = self.index.search(need, depth)
        if own is None:
            return everywhere
        named = self.index.search(need, depth, Scope(own))
        return self.index.judge(need, dict.fromkeys(hit.key for hit in (*named, *everywhere)))


def rss() -> float:
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    import sys, pickle
    sys.path
    sizes = [int(s) for s in sys.argv[1].split(",")]
    from pathlib import Path
    if not synthetic.DEVELOPMENT.exists(): synthetic.DEVELOPMENT = Path("/tmp/devset")
    t = time.perf_counter()
    region = Region()
    c = Path("/tmp/speed/read.pkl")
    if c.exists(): read = pickle.loads(c.read_bytes())
    else:
        read = synthetic.read(region); c.write_bytes(pickle.dumps(read))
    print(len(region.texts), len(read.needs), "read", time.perf_counter() - t)
    c=synthetic.centred if hasattr(synthetic,'centred') else read.space.passages
    r=c(read.real); S=r@r.T; np.fill_diagonal(S,-1); print("real max cos pct", np.percentile(S.max(1),[5,50,95]))
    v=c(region.vectors(range(2000), read.real)); S=v@r.T; print("made-real max cos", np.percentile(S.max(1),[5,50,95]))
    S=v@v.T; np.fill_diagonal(S,-1); print("made-made max cos", np.percentile(S.max(1),[5,50,95]))
    print(region.offering(7))
    engine.preload()
    held = Held(); held.index.use(read.space); done = 0
    gc.collect(); before = rss()
    for size in sizes:
        w, m = held.load(region, read, range(done, size)); n = size - done; done = size
        gc.collect()
        print(f"{size}: words {n/w:.0f}/s ({w:.1f}s) meanings {n/m:.0f}/s ({m:.1f}s) rss {rss()-before:.0f}")
        best = None
        for _ in range(ROUNDS):
            times = []
            for asked in read.needs:
                s = time.perf_counter(); res = held.match(asked); times.append((time.perf_counter() - s) * 1e3)
            times.sort()
            p = (times[len(times)//2], times[int(len(times)*.99)])
            best = p if best is None or p[1] < best[1] else best
        print(f"   p50 {best[0]:.2f} p99 {best[1]:.2f}", flush=True)
