"""The shipped development set: whole, and as consistent as its description says."""

from collections import Counter

import pytest
from matchmaking.evaluation import collection
from matchmaking.evaluation.shipped import half, lines, merged

ASKED = collection.queries(lines("queries.jsonl"))
OFFERED = dict(collection.documents(lines("corpus.jsonl")))


def readings(name):
    return {
        (query, key): score
        for query, scores in collection.judgements(lines(name)).items()
        for key, score in scores.items()
    }


A, B, MERGED = readings("qrels_a.tsv"), readings("qrels_b.tsv"), readings("qrels.tsv")


def kappa(distance):
    """Cohen's, over every pair of a need and an offering; what nobody wrote down is 0."""
    pairs = Counter((A.get(pair, 0), B.get(pair, 0)) for pair in A.keys() | B.keys())
    total = len(ASKED) * len(OFFERED)
    pairs[0, 0] += total - pairs.total()
    one, other = Counter(), Counter()
    for (a, b), count in pairs.items():
        one[a] += count
        other[b] += count
    observed = sum(distance(a, b) * count for (a, b), count in pairs.items()) / total
    expected = sum(distance(a, b) * one[a] * other[b] for a in one for b in other) / total**2
    return 1 - observed / expected


def test_everything_named_is_there():
    assert (len(ASKED), len(OFFERED)) == (150, 420)
    for found in (A, B, MERGED):
        assert all(
            query in ASKED and key in OFFERED and 1 <= score <= 3 for (query, key), score in found.items()
        )


def test_the_two_readings_agree_as_described():
    assert kappa(lambda a, b: (a - b) ** 2) == pytest.approx(0.945, abs=0.0005)
    assert kappa(lambda a, b: a != b) == pytest.approx(0.81, abs=0.005)
    assert kappa(lambda a, b: (a >= 2) != (b >= 2)) == pytest.approx(0.90, abs=0.005)


def test_the_judgements_are_the_two_readings_merged():
    both = {pair: merged(A.get(pair, 0), B.get(pair, 0)) for pair in A.keys() | B.keys()}
    assert {pair: score for pair, score in both.items() if score} == MERGED
    assert [merged(*pair) for pair in ((0, 1), (1, 1), (0, 2), (0, 3), (1, 2), (2, 3))] == [0, 1, 1, 2, 2, 3]


def test_halves_are_by_the_id():
    assert half("q001") == half("q001")
    assert Counter(map(half, ASKED)).keys() == {"tune", "report"}
