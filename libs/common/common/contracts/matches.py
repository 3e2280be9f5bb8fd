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


class Matched(Contract):
    """A word of the need and where the offering answers to it."""

    word: Annotated[str, Field(max_length=50)]
    field: Literal["title", "text", "category"]


class Candidate(Contract):
    """One offering that fits, best first.

    Shape: `relaxed` are the hard conditions it does not hold and that were relaxed because nothing held
    them all; `newcomer` says that it has its place by the chance new providers are given; `as_of` when its
    platform was last heard, None while it is being heard.
    """

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
    matched: tuple[Matched, ...] = ()
    relaxed: tuple[Slug, ...] = ()
    newcomer: bool = False
    as_of: Moment | None = None
    reason_zh: str
    reason_en: str


class NearMiss(Contract):
    """An offering that would fit but for the named hard conditions."""

    offering_id: UUID
    platform: NodeId
    provider_name: Line
    title: Line
    failed: tuple[Slug, ...]


class Widening(Contract):
    """A step taken because nothing held every hard condition: what was relaxed, and how many then fitted."""

    step: Literal["neighbours", "region", "category", "terms"]
    relaxed: tuple[Slug, ...]
    found: Annotated[int, Field(ge=0)]


class SimilarDemand(Contract):
    """Another demand of the same window that says nearly the same; 1 is the same words."""

    demand_id: UUID
    number: Line
    similarity: Score


class Match(State):
    """The result for one version of a demand. Its id is derived from the demand's; a later one has a higher version.

    Shape: `versions` name what decided: engine, weights, words, model, catalogue. `degraded` says what was
    missing: `semantic-away` when no meaning was compared, `semantic-partial` while not all offerings had
    been read for it.
    """

    demand_id: UUID
    demand_version: Annotated[int, Field(ge=1)]
    outcome: Literal["matched", "no_match"]
    engine: Line
    considered: Annotated[int, Field(ge=0)]
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=50)] = ()
    near_misses: Annotated[tuple[NearMiss, ...], Field(max_length=20)] = ()
    widened: tuple[Widening, ...] = ()
    similar: Annotated[tuple[SimilarDemand, ...], Field(max_length=10)] = ()
    versions: Annotated[dict[str, Line], Field(max_length=10)] = {}
    degraded: tuple[Slug, ...] = ()
    computed_at: Moment


class MatchComputed(Match, Fact):
    type = "match.computed.v1"
