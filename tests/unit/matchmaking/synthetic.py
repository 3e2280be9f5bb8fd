"""Cases made up by a known truth: what enterprises prefer is a weighting, or nothing but chance."""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from common import ids
from matchmaking.rankings.cases import Case, Shown

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
# The best is awarded and rated well, two quote, one stays invited.
GAINS = (4, 2, 2, 1)


def case(number: int, weights: Mapping[str, float], truth: Mapping[str, float] | None, dice: Random) -> Case:
    """One demand with ten candidates in the order of `weights`; `truth` None lets chance choose."""
    judged = [{name: round(dice.random(), 4) for name in weights} for _ in range(10)]
    judged.sort(key=lambda parts: -sum(weights[name] * value for name, value in parts.items()))
    worth = {
        place: dice.random()
        if truth is None
        else sum(truth.get(name, 0.0) * value for name, value in parts.items()) + dice.gauss(0, 0.05)
        for place, parts in enumerate(judged)
    }
    best = sorted(worth, key=lambda place: -worth[place])
    gains = dict(zip(best, GAINS, strict=False))
    return Case(
        owner="hohhot",
        demand_id=ids.derived("demand", str(number)),
        demand_version=1,
        match_version=1,
        matched_at=AT,
        weights="2026-2",
        candidates=tuple(
            Shown(
                rank=place + 1,
                platform="baotou",
                provider_id=ids.derived("provider", f"{number}/{place}"),
                offering_id=ids.derived("offering", f"{number}/{place}"),
                components=parts,
                invited=place in gains,
                gain=gains.get(place, 0),
            )
            for place, parts in enumerate(judged)
        ),
    )


def cases(
    count: int, weights: Mapping[str, float], truth: Mapping[str, float] | None, seed: int = 1
) -> list[Case]:
    dice = Random(seed)
    return [case(number, weights, truth, dice) for number in range(count)]
