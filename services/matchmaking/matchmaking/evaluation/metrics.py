"""What a ranking is worth against judgements. A document that was not judged has a score of 0."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOP = 10
DEPTH = 100
RELEVANT = 1

Scores = Mapping[str, int]


def gain(score: int) -> float:
    return 2.0**score - 1 if score >= RELEVANT else 0.0


def discounted(gains: Sequence[float]) -> float:
    return sum(one / math.log2(place + 2) for place, one in enumerate(gains[:TOP]))


def ndcg(ranking: Sequence[str], scores: Scores) -> float:
    """nDCG@10 with the gain 2^score − 1. The best order is that of all judged documents, found or not."""
    best = discounted(sorted(map(gain, scores.values()), reverse=True))
    reached = discounted([gain(scores.get(key, 0)) for key in ranking[:TOP]])
    return reached / best if best else 0.0


def reciprocal_rank(ranking: Sequence[str], scores: Scores) -> float:
    """MRR@10: one over the place of the first relevant document, 0 when none is among the ten."""
    places = (place for place, key in enumerate(ranking[:TOP], 1) if scores.get(key, 0) >= RELEVANT)
    return 1 / next(places, math.inf)


def recall(ranking: Sequence[str], scores: Scores) -> float:
    """Recall@100: the share of all relevant documents that is among the first hundred."""
    relevant = {key for key, score in scores.items() if score >= RELEVANT}
    return len(relevant & set(ranking[:DEPTH])) / len(relevant) if relevant else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the queries, and how long one takes."""

    ndcg: float
    mrr: float
    recall: float
    p50_ms: float
    p99_ms: float

    def document(self) -> dict[str, Any]:
        return {
            "ndcg@10": round(self.ndcg, 6),
            "mrr@10": round(self.mrr, 6),
            "recall@100": round(self.recall, 6),
            "p50_ms": round(self.p50_ms, 3),
            "p99_ms": round(self.p99_ms, 3),
        }


class Tally:
    """Adds up one way of ranking, query by query."""

    def __init__(self) -> None:
        self._worth: list[tuple[float, float, float]] = []
        self._ms: list[float] = []

    def add(self, ranking: Sequence[str], scores: Scores, seconds: float) -> None:
        self._worth.append((ndcg(ranking, scores), reciprocal_rank(ranking, scores), recall(ranking, scores)))
        self._ms.append(seconds * 1000)

    def figures(self) -> Figures:
        means = [math.fsum(column) / len(self._worth) for column in zip(*self._worth, strict=True)]
        ndcg_, mrr, recall_ = means or (0.0, 0.0, 0.0)
        return Figures(ndcg_, mrr, recall_, percentile(self._ms, 0.5), percentile(self._ms, 0.99))
