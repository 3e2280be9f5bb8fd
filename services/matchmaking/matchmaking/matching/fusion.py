"""Three opinions on one document made one: what it says, what it means, which field of service it is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matchmaking.matching.retrieval import Vector

# Half a standard deviation above what unrelated texts have there begins to be something in it; at five
# and a half it could not be nearer. Models differ in their cosines, hardly in this.
NOTHING, ALL = 0.5, 5.5
LEXICAL_SHARE, SEMANTIC_SHARE, TOPICAL_SHARE = 0.37, 0.48, 0.15
# What is judged by its words alone says less of a need than it answers: what it lacks to all of it counts
# as this power of itself, which leaves the order as it is.
WORDS_ALONE = 1.6
# How sharply a text belongs to one field of service rather than to several.
SHARPNESS = 0.05
STEPS = 4096
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Space:
    """The space of one model: where its texts lie, and where the fields of service do.

    Shape: means are of raw unit vectors; `topics` are (fields, dimensions), centred, of unit length, one
    for each of `categories`; `mu` and `sigma` are of the centred cosines of unrelated texts.
    """

    model: str
    mean_query: Vector
    mean_passage: Vector
    mu: float
    sigma: float
    categories: tuple[str, ...]
    topics: Vector

    @property
    def dimensions(self) -> int:
        return self.mean_query.shape[0]

    def query(self, vector: Vector) -> Vector:
        return centred(vector, self.mean_query)

    def passages(self, vectors: Vector) -> Vector:
        return centred(vectors, self.mean_passage)


def centred(vectors: Vector, mean: Vector) -> Vector:
    """Vectors, one or rows of them, seen from their usual place; of unit length again."""
    moved = vectors - mean
    return (moved / np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-9)).astype(np.float32)


def semantic(cosines: Numbers, space: Space) -> Numbers:
    """Shape: 0.0–1.0; NaN stays NaN: not read."""
    return np.clip(((cosines - space.mu) / space.sigma - NOTHING) / (ALL - NOTHING), 0.0, 1.0)


def profiles(vectors: Vector | NDArray[np.float16], space: Space) -> Numbers:
    """To which fields of service texts belong.

    Shape: `vectors` (n, dimensions) centred; (n, fields), each row of sum 1.
    """
    near = vectors.astype(np.float64) @ space.topics.T.astype(np.float64) / SHARPNESS
    near = np.exp(near - near.max(axis=1, keepdims=True))
    return near / near.sum(axis=1, keepdims=True)


def voted(profile: Numbers, votes: Mapping[str, float], space: Space) -> Numbers:
    """A profile drawn half-way to the fields that were named."""
    named = np.array([votes.get(category, 0.0) for category in space.categories])
    return (profile + named / max(1.0, named.sum())) / 2 if named.any() else profile


def placed(profile: Numbers, categories: Sequence[str | None], space: Space) -> Numbers:
    """Profiles drawn half-way to the category each document states."""
    places: dict[str | None, int] = {category: place for place, category in enumerate(space.categories)}
    columns = np.array([places.get(category, -1) for category in categories], np.intp)
    known = columns >= 0
    drawn = np.where(known[:, None], profile / 2, profile)
    drawn[known, columns[known]] += 0.5
    return drawn


def topical(need: Numbers, documents: Numbers) -> Numbers:
    """The cosine of a need's profile with each document's."""
    lengths = np.linalg.norm(documents, axis=1) * np.linalg.norm(need)
    return documents @ need / np.maximum(lengths, 1e-9)


def relevance(lexical: Numbers, meant: Numbers, topic: Numbers) -> Numbers:
    """Rounded down to whole steps, so that the last bits of a sum never decide.

    Shape: a document that was not read (NaN) is judged by its words alone.
    """
    fused = LEXICAL_SHARE * lexical + SEMANTIC_SHARE * meant + TOPICAL_SHARE * topic
    fused = np.where(np.isnan(meant), 1 - (1 - np.clip(lexical, 0.0, 1.0)) ** WORDS_ALONE, fused)
    return np.floor(np.clip(fused, 0.0, 1.0) * STEPS + 1e-6) / STEPS
