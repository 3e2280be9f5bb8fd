"""Learn weights from what enterprises chose: pairwise logistic regression, a handful of readable figures.

Of two candidates shown for one demand the one that came to more should score higher. The weights stay
near the present ones unless the cases speak against them; how near, cross-validation decides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np
from common.contracts.envelope import Contract
from scipy.optimize import minimize

from matchmaking.rankings import documents
from matchmaking.rankings.cases import Case, fold, split
from matchmaking.rankings.documents import FIXED, LEADING, LEAST_LEADING
from matchmaking.rankings.evaluation import Evaluation, Floats, Sheet, compare, ndcg, sheet

FOLDS = 5
# How dearly a step away from the present weights is paid; from nearly free to hardly moving.
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# Scores of two candidates differ by about a tenth; ten times that is where the logistic curve bends.
STEEPNESS = 10.0
HIGHEST = 5.0
STEPS = 10_000

Told = Callable[[int, int], None]


class Coefficient(Contract):
    """One component: its weight before and after, and its mean lead of the better over the worse candidate."""

    name: str
    current: float
    candidate: float
    lead: float


class Trained(Contract):
    """A candidate and what is to be known of it."""

    document: dict[str, Any]
    coefficients: tuple[Coefficient, ...]
    penalty: float
    trained_cases: int
    pairs: int
    evaluation: Evaluation


@dataclass(frozen=True)
class Pairs:
    """Differences between a better and a worse candidate of the same case; the weights of a case add up to 1."""

    differences: Floats
    weights: Floats
    cases: int


def train(cases: Sequence[Case], current: Mapping[str, Any], told: Told = lambda _, __: None) -> Trained:
    """A candidate from the cases that are not held out, measured on those that are.

    Shape: `current` is a weights document; `told(done, total)` hears of the progress.
    """
    before = {name: float(weight) for name, weight in sorted(current["weights"].items())}
    learning, _ = split(cases)
    of = sheet(learning, list(before))
    penalty = _penalty(learning, of, before, told)
    pairs = paired(of)
    after = fitted(pairs, before, penalty)
    document = documents.successor(current, after) if after != before else dict(current)
    lead = pairs.weights @ pairs.differences / max(1, pairs.cases)
    return Trained(
        document=document,
        coefficients=tuple(
            Coefficient(name=name, current=before[name], candidate=after[name], lead=round(float(by), 4))
            for name, by in zip(before, lead, strict=True)
        ),
        penalty=penalty,
        trained_cases=len(learning),
        pairs=len(pairs.weights),
        evaluation=compare(cases, before, after, against=str(current["version"])),
    )


def paired(of: Sheet) -> Pairs:
    """Every better with every worse candidate of a case, by how much more it came to.

    Shape: who is shown lower is looked at less, about 1/log2(1 + rank) as often, so a preference for one
    over candidates that were not invited counts the inverse of that. Among the invited all were looked at.
    """
    found: list[Floats] = [np.zeros((0, len(of.names)))]
    weights: list[Floats] = [np.zeros(0)]
    for row in range(len(of)):
        gains, real = of.gains[row], of.real[row]
        better, worse = np.nonzero((gains[:, None] > gains[None, :]) & real[:, None] & real[None, :])
        if not len(better):
            continue
        worth = np.exp2(gains[better]) - np.exp2(gains[worse])
        seen = np.where(of.invited[row][worse], 1.0, np.log2(1.0 + of.ranks[row][better]))
        found.append(of.values[row][better] - of.values[row][worse])
        weights.append(worth * seen / (worth * seen).sum())
    return Pairs(np.concatenate(found), np.concatenate(weights), len(found) - 1)


def fitted(pairs: Pairs, before: Mapping[str, float], penalty: float) -> dict[str, float]:
    """The weights that order the pairs best, at a price for each step away from the present ones."""
    start = np.array(list(before.values()))
    bounds = [(value, value) if name == FIXED else (0.0, HIGHEST) for name, value in before.items()]
    slopes, count = STEEPNESS * pairs.differences, max(1, pairs.cases)

    def cost(weights: Floats) -> tuple[float, Floats]:
        margins = slopes @ weights
        wrong = 0.5 * (1.0 - np.tanh(0.5 * margins))  # the logistic function, without overflow
        loss = pairs.weights @ np.logaddexp(0.0, -margins) / count
        away = weights - start
        gradient = -(slopes.T @ (pairs.weights * wrong)) / count + 2.0 * penalty * away
        return float(loss + penalty * away @ away), gradient

    if not len(pairs.weights):
        return dict(before)
    found = minimize(cost, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return guarded(dict(zip(before, map(float, found.x), strict=True)), before)


def guarded(weights: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """Summing to 1 in four decimals, relevance above all others together, the newcomers' weight as it was."""
    share = 1.0 - before.get(FIXED, 0.0)
    others = {name: weight for name, weight in weights.items() if name not in (FIXED, LEADING)}
    total = weights[LEADING] + sum(others.values())
    if total <= 0:
        return dict(before)
    leading = max(share * weights[LEADING] / total, min(LEAST_LEADING, before[LEADING]))
    left = (share - leading) / (sum(others.values()) or 1.0)
    # Rounded down, so that what rounding takes goes to relevance.
    scaled = {name: floor(weight * left * STEPS) / STEPS for name, weight in others.items()}
    scaled |= {name: weight for name, weight in before.items() if name == FIXED}
    scaled[LEADING] = round(1.0 - sum(scaled.values()), 9)
    return {name: scaled[name] for name in before}


def _penalty(cases: Sequence[Case], of: Sheet, before: Mapping[str, float], told: Told) -> float:
    """The dearest penalty that is as good as the best one, as far as five folds can tell (one standard error)."""
    place = np.array([fold(case.demand_id, FOLDS) for case in cases], dtype=int)
    reached = np.zeros((len(PENALTIES), len(of)))
    done, total = 0, FOLDS * len(PENALTIES)
    for number in range(FOLDS):
        rest, checked = paired(of.part(place != number)), of.part(place == number)
        for row, penalty in enumerate(PENALTIES):
            reached[row, place == number] = ndcg(checked, fitted(rest, before, penalty))
            done += 1
            told(done, total)
    if len(of) < 2:
        return PENALTIES[-1]
    best = int(np.argmax(reached.mean(axis=1)))
    behind = reached[best] - reached
    tolerance = behind.std(axis=1, ddof=1) / np.sqrt(len(of))
    return max(
        penalty
        for row, penalty in enumerate(PENALTIES)
        if row == best or behind[row].mean() <= tolerance[row]
    )
