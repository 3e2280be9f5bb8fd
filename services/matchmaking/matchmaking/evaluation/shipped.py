"""The development set that comes with the software (development/README.md)."""

import zlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Literal

from matchmaking.evaluation import collection
from matchmaking.evaluation.collection import Collection

NAME = "development"
# A lone reading of "perhaps of some use" is chance.
LONE = 1

Half = Literal["tune", "report", "all"]


def half(query: str) -> Half:
    """Weights and words are tuned on one half; what is told is measured on the other."""
    return "report" if zlib.crc32(query.encode()) & 1 else "tune"


def development(which: Half = "all") -> Collection:
    whole = collection.collected(
        NAME,
        lambda: collection.documents(lines("corpus.jsonl")),
        collection.queries(lines("queries.jsonl")),
        collection.judgements(lines("qrels.tsv")),
    )
    return whole if which == "all" else whole.part(f"{NAME}/{which}", lambda query: half(query) == which)


def lines(name: str) -> Iterator[str]:
    text = (files("matchmaking.evaluation") / "development" / name).read_text(encoding="utf-8")
    return iter(text.split("\n"))


def merged(one: int, other: int) -> int:
    """The score of a pair that two readers gave these: their mean, half up; a single 1 counts nothing."""
    return (one + other + 1) // 2 if one + other > LONE else 0
