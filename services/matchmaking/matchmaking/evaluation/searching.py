"""The three ways to rank: by words, by meaning, by both; each by its own score, equal ones by id."""

from collections.abc import Sequence

from matchmaking.evaluation.metrics import DEPTH
from matchmaking.matching.index import Index
from matchmaking.matching.lexical import Sought
from matchmaking.matching.retrieval import Hits, Need, Vector

# What a match looks at first.
LOOKED_AT = 200

# The documents to rank; None: what the search proposes.
Among = Sequence[str] | None


def lexical(index: Index, sought: Sought, among: Among) -> list[str]:
    """Those that say something of the need."""
    hits = _hits(index, Need(sought), among)
    found = sorted((-hit.lexical, hit.key) for hit in hits if hit.lexical > 0)
    return [key for _, key in found[:DEPTH]]


def semantic(index: Index, vector: Vector | None, among: Among) -> list[str]:
    """The nearest in meaning; a document without a vector is never among them."""
    if vector is None:
        return []
    return index.nearest(vector, DEPTH) if among is None else index.nearest_of(vector, among)[:DEPTH]


def fused(index: Index, sought: Sought, vector: Vector | None, among: Among) -> list[str]:
    """As a match ranks by relevance."""
    hits = _hits(index, Need(sought, vector), among)
    return [hit.key for hit in hits if hit.relevance > 0][:DEPTH]


def _hits(index: Index, need: Need, among: Among) -> Hits:
    return index.search(need, LOOKED_AT) if among is None else index.judge(need, among)
