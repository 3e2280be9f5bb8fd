"""Run a collection through the search as matches use it, in this process: how good it is, and how quick."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from common.errors import Unavailable
from common.settings import Settings

from matchmaking.embedders import service as embedders
from matchmaking.embedders.domain import BATCH, EMBEDDED, Embedder, Source, TextRefused, Vector, prepared
from matchmaking.embeddings.domain import Wanted, anchors, calibrated, wanted
from matchmaking.evaluation import searching
from matchmaking.evaluation.collection import Collection, wrong
from matchmaking.evaluation.metrics import Figures, Tally
from matchmaking.evaluation.repository import Vectors
from matchmaking.evaluation.searching import Among
from matchmaking.matching import engine
from matchmaking.matching.fusion import Space
from matchmaking.matching.index import Index

MODES = ("lexical", "semantic", "fused")
PROBE = "服务"
# The model in this process uses every core by itself; a server is better asked several things at once.
CALLS_AT_ONCE = 4
ATTEMPTS, PAUSE_S = 3, 1.0
AT_ONCE = 2_000

# Another way to rank, by a query's id, its text and the documents to rank.
Ranker = Callable[[str, str, Among], Awaitable[Sequence[str]]]


class Tell(Protocol):
    """Takes the progress of a part of the work. Shape: no total when it is not known."""

    def __call__(self, part: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True)
class Report:
    """What was measured, and on what."""

    documents: int
    model: str | None
    figures: Mapping[str, Figures]
    unknown_judged: int
    unknown_candidates: int
    without_candidates: int


@dataclass
class Held:
    """Documents by the hash of what is read of them, and what of that has no vector yet."""

    hashes: dict[str, bytes] = field(default_factory=dict)
    lacking: dict[bytes, str] = field(default_factory=dict)


class Reader:
    """The configured model, with everything it has read before."""

    def __init__(self, source: Source, embedder: Embedder, vectors: Vectors, tell: Tell) -> None:
        self.model = source.name
        self._embedder, self._vectors, self._tell = embedder, vectors, tell
        self._calls = 1 if source.endpoint == EMBEDDED else CALLS_AT_ONCE

    async def probe(self) -> None:
        """Load it, or find it there. Raises: Unavailable."""
        await self._embedder.query(PROBE)

    async def space(self) -> Space:
        """Its space, by the anchors. Raises: Unavailable, also when it refuses too many of them."""
        lacking = self.lacking([anchor for anchor in anchors() if anchor.side == "query"])
        for number, (hash_, text) in enumerate(lacking.items(), 1):
            self._vectors.put(self.model, {hash_: await self.query(text)})
            self._tell("anchors", number, len(lacking))
        told = self.lacking([anchor for anchor in anchors() if anchor.side == "passage"])
        await self.read(told, "anchors-told")
        found = calibrated(self.model, self._vectors.get(self.model, [anchor.hash for anchor in anchors()]))
        if found is None:
            raise TextRefused(
                "anchors-refused",
                zh="语义模型不接受基准文本；请换一个模型",
                en="the model refuses the texts it is measured by; use another one",
            )
        return found

    def lacking(self, texts: Sequence[Wanted]) -> dict[bytes, str]:
        """Those that were not read before."""
        known = self._vectors.known(self.model, [one.hash for one in texts])
        return {one.hash: one.text for one in texts if one.text and one.hash not in known}

    async def query(self, text: str) -> Vector | None:
        """None for a text that is empty or refused. Raises: Unavailable."""
        asked = prepared(text)
        if not asked:
            return None
        try:
            return await self._embedder.query(asked)
        except TextRefused:
            return None

    async def read(self, texts: Mapping[bytes, str], part: str = "passages") -> None:
        """Read passages and keep their vectors: the longest first, those of one length together."""
        ordered = sorted(texts.items(), key=lambda item: -len(item[1]))
        batches = iter([ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)])
        total, done = sum(map(len, texts.values())), 0

        async def work() -> None:
            nonlocal done
            for batch in batches:
                rows = await self._passages([text for _, text in batch])
                self._vectors.put(self.model, dict(zip((hash_ for hash_, _ in batch), rows, strict=True)))
                done += sum(len(text) for _, text in batch)
                self._tell(part, done, total)

        await asyncio.gather(*(work() for _ in range(self._calls)))

    async def _passages(self, texts: Sequence[str]) -> list[Vector | None]:
        """Shape: None for a text that is refused."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return list(await self._embedder.passages(texts))
            except TextRefused:
                if len(texts) == 1:
                    await self._embedder.passages([PROBE])  # it is this text, not every one
                    return [None]
                return [row for text in texts for row in await self._passages([text])]
            except Unavailable:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE_S)
        raise AssertionError("unreachable")


async def evaluate(
    of: Collection, settings: Settings, vectors: Vectors, tell: Tell, peers: Mapping[str, Ranker]
) -> Report:
    """Raises: Invalid for a collection that cannot be used; Unavailable when the model is away."""
    if not of.queries:
        raise wrong(
            None,
            "没有可评测的查询：queries 与 qrels 没有共同的、有相关文档的查询；请核对编号",
            "nothing to measure: queries and qrels share no query with a relevant document; check the ids",
        )
    source = embedders.configured(settings)
    if source is None:
        return await _measured(of, None, vectors, tell, peers)
    embedder = embedders.open_embedder(source, settings)
    try:
        return await _measured(of, Reader(source, embedder, vectors, tell), vectors, tell, peers)
    finally:
        await embedder.close()


async def _measured(
    of: Collection, reader: Reader | None, vectors: Vectors, tell: Tell, peers: Mapping[str, Ranker]
) -> Report:
    engine.preload()
    index = Index()
    if reader is not None:
        await reader.probe()
    held = _put(of, index, reader, tell)
    if reader is not None:
        index.use(await reader.space())
        await reader.read(held.lacking)
        for keys in _parts(list(held.hashes)):
            found = vectors.get(reader.model, [held.hashes[key] for key in keys])
            index.learn({key: found[held.hashes[key]] for key in keys if held.hashes[key] in found})
    index.commit()
    tallies = {name: Tally() for name in (*MODES, *peers)}
    for number, (query, text) in enumerate(of.queries.items(), 1):
        async for name, ranking, seconds in _ranked(query, text, of, index, reader, peers):
            tallies[name].add(ranking, of.judged[query], seconds)
        tell("queries", number, len(of.queries))
    among = of.candidates
    return Report(
        documents=index.count,
        model=reader and reader.model,
        figures={name: tally.figures() for name, tally in tallies.items()},
        unknown_judged=_unknown(of.judged, index),
        unknown_candidates=_unknown(among or {}, index),
        without_candidates=0 if among is None else sum(not among.get(query) for query in of.queries),
    )


def _put(of: Collection, index: Index, reader: Reader | None, tell: Tell) -> Held:
    """Index the documents; of their texts only that is kept which has to be read."""
    held, waiting = Held(), list[Wanted]()
    chosen: set[str] | None = None
    if of.candidates is not None:
        chosen = {key for query in of.queries for key in of.candidates.get(query, ())}
    for key, document in of.documents():
        index.put(key, document)
        if index.count % AT_ONCE == 0:
            tell("documents", index.count, None)
        if reader is not None and (chosen is None or key in chosen):
            one = wanted(document.passage)
            held.hashes[key] = one.hash
            waiting.append(one)
            if len(waiting) == AT_ONCE:
                held.lacking |= reader.lacking(waiting)
                waiting.clear()
    tell("documents", index.count, index.count)
    if reader is not None:
        held.lacking |= reader.lacking(waiting)
    return held


async def _ranked(
    query: str,
    text: str,
    of: Collection,
    index: Index,
    reader: Reader | None,
    peers: Mapping[str, Ranker],
) -> AsyncIterator[tuple[str, Sequence[str], float]]:
    """Each way's ranking, and the seconds from the text to it."""
    among = None if of.candidates is None else of.candidates.get(query, ())
    clock = time.perf_counter
    began = clock()
    sought = index.sought(text)
    words_s = clock() - began
    yield "lexical", searching.lexical(index, sought, among), clock() - began
    plain, plain_s = await _timed(reader, text)
    began = clock()
    yield "semantic", searching.semantic(index, plain, among), plain_s + clock() - began
    full = sought.meaning(text)
    same = prepared(full) == prepared(text)
    vector, read_s = (plain, plain_s) if same else await _timed(reader, full)
    began = clock()
    yield "fused", searching.fused(index, sought, vector, among), words_s + read_s + clock() - began
    for name, rank in peers.items():
        began = clock()
        yield name, await rank(query, text, among), clock() - began


async def _timed(reader: Reader | None, text: str) -> tuple[Vector | None, float]:
    began = time.perf_counter()
    vector = None if reader is None else await reader.query(text)
    return vector, time.perf_counter() - began


def _unknown(named: Mapping[str, Any], index: Index) -> int:
    return len({key for keys in named.values() for key in keys if key not in index})


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
