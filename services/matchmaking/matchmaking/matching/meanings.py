"""Documents by meaning: unit vectors, searched exactly while few and by a graph (HNSW, usearch) when many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from matchmaking.matching.retrieval import Vector

# Below this an exact scan takes about a millisecond and misses nothing.
EXACT = 20_000
# So many at once are worth every core.
MANY = 1_000
_NEIGHBOURS, _BREADTH_ADDING, _BREADTH_SEEKING = 16, 64, 256


class Meanings:
    """Vectors by row number, kept as half-precision numbers.

    Shape: every vector has `dimensions` numbers and unit length.
    """

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._index = Index(
            ndim=dimensions,
            metric="ip",
            dtype="f16",
            connectivity=_NEIGHBOURS,
            expansion_add=_BREADTH_ADDING,
            expansion_search=_BREADTH_SEEKING,
        )

    def __len__(self) -> int:
        return len(self._index)

    def put(self, rows: Sequence[int], vectors: Vector) -> NDArray[np.float16]:
        """The vectors as they are kept. What a row held is replaced. Shape: (rows, dimensions)."""
        keys = np.asarray(rows, np.uint64)
        for row in keys[self._held(keys)]:
            self._index.remove(int(row))
        kept = vectors.astype(np.float16)
        self._index.add(keys, kept, threads=0 if len(keys) >= MANY else 1)
        return kept

    def remove(self, row: int) -> None:
        if row in self._index:
            self._index.remove(row)

    def nearest(self, vector: Vector, limit: int) -> list[int]:
        if not len(self._index):
            return []
        exact = len(self._index) <= EXACT
        found = self._index.search(vector.astype(np.float16), min(limit, len(self._index)), exact=exact)
        return found.keys.tolist()

    def read(self, rows: Sequence[int]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Which rows have a vector, and these vectors, in double precision."""
        keys = np.asarray(rows, np.uint64)
        held = self._held(keys)
        if not held.any():
            return held, np.zeros((0, self._dimensions))
        return held, np.array(self._index.get(keys[held]), np.float64)

    def _held(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        return np.atleast_1d(self._index.contains(keys)) if len(keys) else np.zeros(0, bool)
