"""Texts, vectors and what makes cosines of different models comparable."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict
from reference import categories, examples

from matchmaking.embedders.domain import Source, Vector, prepared
from matchmaking.matching import lexicon
from matchmaking.matching.fusion import Space, centred

Side = Literal["passage", "query"]
# So many expressions of owners, and about so many offerings of the examples, are anchors.
ANCHOR_QUERIES, ANCHOR_PASSAGES = 96, 96


class Wanted(NamedTuple):
    """A text that lacks a vector."""

    hash: bytes
    text: str
    side: Side


class Serving(BaseModel):
    """The source whose vectors are searched, and since when."""

    model_config = ConfigDict(frozen=True)

    source: Source
    since: datetime


def content_hash(text: str, side: Side = "passage") -> bytes:
    """The key of a text's vector: of the part that is embedded, and of what it is embedded as."""
    return hashlib.sha256(f"{side}\0{prepared(text)}".encode("utf-8", "replace")).digest()


def wanted(text: str, side: Side = "passage") -> Wanted:
    return Wanted(content_hash(text, side), prepared(text), side)


def pack(vector: Vector) -> bytes:
    """Two bytes a number: the error of a cosine stays below one in a thousand."""
    return vector.astype("<f2").tobytes()


def unpack(kept: Mapping[bytes, bytes]) -> dict[bytes, Vector]:
    """Vectors of unit length by key. A key kept with nothing is of a text that the model refused."""
    keys = [key for key, packed in kept.items() if packed]
    if not keys:
        return {}
    flat = np.frombuffer(b"".join(kept[key] for key in keys), dtype="<f2").astype(np.float32)
    rows = flat.reshape(len(keys), -1)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return dict(zip(keys, rows, strict=True))


def calibrate(model: str, categories_: Vector, queries: Vector, passages: Vector) -> Space:
    """The space that the anchors' vectors, in the anchors' order, span.

    Shape: `categories_` one row for each category, read as queries as well.
    """
    asked = np.vstack([categories_, queries])
    mean_query, mean_passage = asked.mean(axis=0), passages.mean(axis=0)
    cosines = centred(asked, mean_query) @ centred(passages, mean_passage).T
    return Space(
        model=model,
        mean_query=mean_query,
        mean_passage=mean_passage,
        mu=float(cosines.mean()),
        sigma=max(float(cosines.std()), 1e-6),
        categories=tuple(category.id for category in _fields()),
        topics=centred(categories_, categories_.mean(axis=0)),
    )


def _fields() -> tuple[categories.Category, ...]:
    return tuple(category for category in categories.all() if category.parent)


@cache
def anchors() -> tuple[Wanted, ...]:
    """What every model is measured by: the categories, what owners say, a sample of the examples.

    Shape: the keys of the texts are their version: with other anchors, other vectors are wanted.
    """
    offered = [offering for provider in examples.example_providers() for offering in provider["offerings"]]
    official = [service["offering"] for service in examples.government_services()]
    half = ANCHOR_PASSAGES // 2
    return (
        *(wanted(text, "query") for text in _named()),
        *(wanted(text, "query") for text in _everyday()),
        *(wanted(text, "passage") for text in _spread(_said(offered), half) + _spread(_said(official), half)),
    )


def _named() -> list[str]:
    return [" ".join((category.zh, *category.keywords)) for category in _fields()]


def _everyday() -> list[str]:
    return _spread(["，".join(group.say[:3]) for group in lexicon.groups()], ANCHOR_QUERIES)


def _said(offerings: Sequence[examples.Offering]) -> list[str]:
    return sorted({f"{offering['title']}\n{offering['summary']}" for offering in offerings})


def _spread(texts: Sequence[str], count: int) -> list[str]:
    """So many of them, evenly apart."""
    return [texts[n * len(texts) // count] for n in range(min(count, len(texts)))]


def calibrated(model: str, kept: Mapping[bytes, Vector]) -> Space | None:
    """The space by those anchors that have a vector; None when a category or too many others have none."""
    named = [content_hash(text, "query") for text in _named()]
    asked = [content_hash(text, "query") for text in _everyday()]
    told = [anchor.hash for anchor in anchors() if anchor.side == "passage"]
    rows = [[kept[hash_] for hash_ in hashes if hash_ in kept] for hashes in (named, asked, told)]
    if len(rows[0]) < len(named) or min(map(len, rows)) < 2:
        return None
    return calibrate(model, *map(np.stack, rows))
