"""What matchmaking found for a demand (供需对接), with its reasons."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Contract, Fact, State
from common.contracts.offerings import OfferingKind, Price
from common.fields import Line, Moment, NodeId, Score, Slug


class Component(Contract):
    """One part of a score. The parts of a candidate add up to its score."""

    name: Slug
    score: Score


class Candidate(Contract):
    """One offering that fits, best first."""

    rank: Annotated[int, Field(ge=1)]
    offering_id: UUID
    offering_version: Annotated[int, Field(ge=1)]
    platform: NodeId
    provider_id: UUID
    provider_name: Line
    title: Line
    kind: OfferingKind
    category: Slug
    price: Price
    score: Score
    components: tuple[Component, ...]
    matched_words: tuple[Annotated[str, Field(max_length=50)], ...] = ()
    reason_zh: str
    reason_en: str


class NearMiss(Contract):
    """An offering that would fit but for the named hard conditions."""

    offering_id: UUID
    platform: NodeId
    provider_name: Line
    title: Line
    failed: tuple[Slug, ...]


class Match(State):
    """The result for one version of a demand. Its id is derived from the demand's; a later one has a higher version."""

    demand_id: UUID
    demand_version: Annotated[int, Field(ge=1)]
    outcome: Literal["matched", "no_match"]
    engine: Line
    considered: Annotated[int, Field(ge=0)]
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=50)] = ()
    near_misses: Annotated[tuple[NearMiss, ...], Field(max_length=20)] = ()
    computed_at: Moment


class MatchComputed(Match, Fact):
    type = "match.computed.v1"
