"""Which of two weightings puts the better candidates first, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from common.contracts.envelope import Contract
from numpy.typing import NDArray

from matchmaking.rankings.cases import Case, split

# As far down as people look.
TOP = 10
# Fewer cases than these let chance look like skill.
LEAST_CASES = 100
RESAMPLES = 2_000
SEED = 20130901

Floats = NDArray[np.float64]


class Evaluation(Contract):
    """Mean nDCG@10 of the present weights and of the candidate on cases held out from training.

    Shape: `low` and `high` hold 95 % of the mean differences when the cases are drawn again and again.
    """

    against: str
    cases: int
    current: float
    candidate: float
    difference: float
    low: float
    high: float
    wins: bool

    @property
    def enough(self) -> bool:
        return self.cases >= LEAST_CASES


@dataclass(frozen=True)
class Sheet:
    """Cases as arrays: case by place by component. Places that a case does not fill are not `real`.

    Shape: places are in the order of platform and offering, so that ties favour no weighting.
    """

    names: tuple[str, ...]
    values: Floats
    gains: Floats
    ranks: Floats
    invited: NDArray[np.bool_]
    real: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    def part(self, chosen: NDArray[np.bool_]) -> "Sheet":
        return Sheet(
            self.names, self.values[chosen], self.gains[chosen], self.ranks[chosen], self.invited[chosen],
            self.real[chosen],
        )  # fmt: skip


def sheet(cases: Sequence[Case], names: Sequence[str]) -> Sheet:
    """A component that a case does not know is 0 for all its candidates: it moves nothing there."""
    most = max((len(case.candidates) for case in cases), default=0)
    shape = (len(cases), most)
    values, gains, ranks = np.zeros((*shape, len(names))), np.zeros(shape), np.ones(shape)
    invited, real = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for row, case in enumerate(cases):
        known = set[str].intersection(*(set(shown.components) for shown in case.candidates))
        for place, shown in enumerate(sorted(case.candidates, key=lambda s: (s.platform, s.offering_id))):
            values[row, place] = [shown.components[name] if name in known else 0.0 for name in names]
            gains[row, place] = shown.gain
            ranks[row, place] = shown.rank
            invited[row, place] = shown.invited
            real[row, place] = True
    return Sheet(tuple(names), values, gains, ranks, invited, real)


def ndcg(of: Sheet, weights: Mapping[str, float]) -> Floats:
    """nDCG@10 of each case under a weighting; a candidate's worth is 2^gain − 1.

    Shape: a case without any worth counts 0.
    """
    if len(of) == 0:
        return np.zeros(0)
    by = np.array([weights.get(name, 0.0) for name in of.names])
    scores = np.where(of.real, np.round(of.values @ by, 9), -np.inf)
    worth = np.where(of.real, np.exp2(of.gains) - 1.0, 0.0)
    best = _discounted(-np.sort(-worth, axis=1))
    order = np.argsort(-scores, axis=1, kind="stable")
    reached = _discounted(np.take_along_axis(worth, order, axis=1))
    return np.divide(reached, best, out=np.zeros(len(of)), where=best > 0)


def _discounted(worth: Floats) -> Floats:
    top = worth[:, :TOP]
    return top @ (1.0 / np.log2(np.arange(2, top.shape[1] + 2)))


def compare(
    cases: Sequence[Case], current: Mapping[str, float], candidate: Mapping[str, float], *, against: str
) -> Evaluation:
    """Measure both on what `cases` holds out from training. The same input gives the same figures."""
    _, held_out = split(cases)
    of = sheet(held_out, sorted({*current, *candidate}))
    present, proposed = ndcg(of, current), ndcg(of, candidate)
    if len(of) == 0:
        return _evaluation(against, present, proposed, 0.0, 0.0)
    differences: Any = proposed - present
    dice = np.random.default_rng(SEED)
    means = [differences[dice.integers(0, len(of), len(of))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return _evaluation(against, present, proposed, float(low), float(high))


def _evaluation(against: str, present: Floats, proposed: Floats, low: float, high: float) -> Evaluation:
    cases = len(present)
    before = float(present.mean()) if cases else 0.0
    after = float(proposed.mean()) if cases else 0.0
    return Evaluation(
        against=against,
        cases=cases,
        current=round(before, 6),
        candidate=round(after, 6),
        difference=round(after - before, 6),
        low=round(low, 6),
        high=round(high, 6),
        wins=cases >= LEAST_CASES and after > before and low > 0,
    )
