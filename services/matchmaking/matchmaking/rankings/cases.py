"""What there is to learn from: who was shown for a demand, how each was judged, what each came to."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated
from uuid import UUID

from common.contracts.envelope import Contract
from common.contracts.matches import Match
from common.fields import Line, Moment, NodeId, Score, Slug, Version
from pydantic import Field

from matchmaking.outcomes.domain import Ended

# Three demands of ten are never trained on.
HELD_OUT_OF_TEN = 3


class Shown(Contract):
    """A candidate as it was shown.

    Shape: `components` are the engine's judgements before weighting; `gain` is 0 for nothing, 1 invited,
    2 quoted, 3 awarded, 4 awarded and rated 4 or 5.
    """

    rank: Annotated[int, Field(ge=1, le=1000)]
    platform: NodeId
    provider_id: UUID
    offering_id: UUID
    components: Annotated[dict[Slug, Score], Field(max_length=50)]
    invited: bool
    gain: Annotated[int, Field(ge=0, le=4)]


class Case(Contract):
    """One demand that ended, with the result its enterprise chose from; `weights` made that result."""

    owner: NodeId
    demand_id: UUID
    demand_version: Version
    match_version: Version
    matched_at: Moment
    weights: Line
    candidates: Annotated[tuple[Shown, ...], Field(max_length=100)]


def is_held_out(demand_id: UUID) -> bool:
    """Whether a demand is for measuring only. Its id decides: all of a demand is on one side, everywhere."""
    return _die(demand_id, "held-out", 10) < HELD_OUT_OF_TEN


def fold(demand_id: UUID, folds: int) -> int:
    """Which part of a cross-validation a demand is in."""
    return _die(demand_id, "fold", folds)


def _die(demand_id: UUID, what: str, sides: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{what} {demand_id}".encode()).digest()[:8]) % sides


def teaches(case: Case) -> bool:
    """It prefers one candidate to another: else any order of them is as good."""
    return len({shown.gain for shown in case.candidates}) > 1


def split(cases: Iterable[Case]) -> tuple[list[Case], list[Case]]:
    """(to train on, held out), each in the order of their demands, less those that teach nothing."""
    useful = sorted(filter(teaches, cases), key=lambda case: (case.owner, case.demand_id))
    held_out = [case for case in useful if is_held_out(case.demand_id)]
    return [case for case in useful if not is_held_out(case.demand_id)], held_out


def assembled(
    ended: Ended, results: Sequence[Match], weights: Mapping[str, Mapping[str, float]], shipped: str
) -> Case | None:
    """The case of an ended demand; None when the result it chose from is not known here.

    Shape: of the demand's results the last one before its last invitation counts. `weights` are the parts
    of each version by component; a result that names no version is of the `shipped` one, when there was
    no other. A component is its part of the score over its weight; one that weighed nothing is not known
    and left out. An invited provider's other offerings are left out: it is invited once.
    """
    before = [result for result in results if result.computed_at <= ended.last_issued_at]
    gains: dict[tuple[str, UUID], int] = {}
    for gained in ended.gained:
        key = gained.platform, gained.offering_id
        gains[key] = max(gained.gain, gains.get(key, 0))
    for result in sorted(before or results, key=lambda result: -result.version):
        by = result.versions.get("weights", shipped)
        known = {(candidate.platform, candidate.offering_id) for candidate in result.candidates}
        if by in weights and not known.isdisjoint(gains):
            return _case(ended, result, by, weights[by], gains)
    return None


def _case(
    ended: Ended, result: Match, by: str, weights: Mapping[str, float], gains: Mapping[tuple[str, UUID], int]
) -> Case:
    asked = {(gained.platform, gained.provider_id) for gained in ended.gained}
    shown: list[Shown] = []
    for candidate in result.candidates:
        key = candidate.platform, candidate.offering_id
        if key not in gains and (candidate.platform, candidate.provider_id) in asked:
            continue
        shown.append(
            Shown(
                rank=candidate.rank,
                platform=candidate.platform,
                provider_id=candidate.provider_id,
                offering_id=candidate.offering_id,
                components={
                    part.name: round(min(1.0, part.score / weights[part.name]), 4)
                    for part in candidate.components
                    if weights.get(part.name, 0.0) > 0
                },
                invited=key in gains,
                gain=gains.get(key, 0),
            )
        )
    return Case(
        owner=ended.owner,
        demand_id=ended.demand_id,
        demand_version=result.demand_version,
        match_version=result.version,
        matched_at=result.computed_at,
        weights=by,
        candidates=tuple(shown),
    )
