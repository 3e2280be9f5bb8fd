"""A result as the value that is stored, the fact that is sent, and everything it was made of."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import numpy as np
from common import ids
from common.contracts.demands import Demand
from common.contracts.envelope import Contract
from common.contracts.matches import Match, MatchComputed, SimilarDemand
from pydantic import Field

from matchmaking.matching.engine import Result
from matchmaking.matching.retrieval import Hit, Vector
from matchmaking.matching.standing import Standing


class Considered(Contract):
    """An offering that was judged, at the version it had, with what was found of it."""

    platform: str
    offering_id: UUID
    epoch: int
    version: int
    open_engagements: int
    lexical: float
    semantic: float | None
    topical: float
    relevance: float

    @property
    def key(self) -> str:
        return f"{self.platform}/{self.offering_id}"

    @property
    def hit(self) -> Hit:
        return Hit(self.key, self.lexical, self.semantic, self.topical, self.relevance)


class Involved(Contract):
    """A provider of something considered, at the version and with the standing it had. Version 0: unknown."""

    platform: str
    provider_id: UUID
    epoch: int
    version: int
    standing: Standing


class Absent(Contract):
    """A platform of something considered that was not being heard, or not to be invited from."""

    platform: str
    away: bool
    as_of: datetime | None


class Run(Contract):
    """All a result was made of.

    Shape: `telling` is what each word counted that day; `vector` the need's meaning, base64 of float32,
    None where none was read.
    """

    demand: Demand
    today: date
    weights: str
    versions: dict[str, str]
    telling: dict[str, float]
    model: str | None
    vector: str | None
    considered: Annotated[tuple[Considered, ...], Field(max_length=100_000)]
    involved: tuple[Involved, ...]
    absent: tuple[Absent, ...] = ()

    def pack(self) -> bytes:
        return zlib.compress(self.model_dump_json().encode(), 6)

    @classmethod
    def unpack(cls, packed: bytes) -> "Run":
        return cls.model_validate(json.loads(zlib.decompress(packed)))

    @property
    def read(self) -> Vector | None:
        """The need's meaning as it was read."""
        return None if self.vector is None else np.frombuffer(base64.b64decode(self.vector), np.float32)


def written(vector: Vector | None) -> str | None:
    return None if vector is None else base64.b64encode(vector.astype(np.float32).tobytes()).decode()


class Evidence(Match):
    """A match with what only matchmaking keeps: whose demand, and how many offerings were judged."""

    owner: str
    demand_epoch: int
    retrieved: int


@dataclass(frozen=True)
class Computed:
    """What a search came to, ready to be stored."""

    result: Result
    run: Run
    similar: Sequence[SimilarDemand]
    degraded: tuple[str, ...]
    in_catalogue: int


def computed(
    owner: str, epoch: int, version: int, found: Computed, at: datetime
) -> tuple[Evidence, MatchComputed]:
    demand, result = found.run.demand, found.result
    value = Evidence(
        id=ids.derived("match", owner, str(demand.id)),
        epoch=epoch,
        version=version,
        owner=owner,
        demand_id=demand.id,
        demand_epoch=demand.epoch,
        demand_version=demand.version,
        outcome="matched" if result.candidates else "no_match",
        engine=found.run.versions["engine"],
        considered=found.in_catalogue,
        retrieved=len(found.run.considered),
        candidates=result.candidates,
        near_misses=result.near_misses,
        widened=result.ranking.widened,
        similar=tuple(found.similar),
        versions=found.run.versions,
        degraded=found.degraded,
        computed_at=at,
    )
    return value, MatchComputed.of(value)
