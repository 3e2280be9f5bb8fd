"""What an operator reads of a match."""

from datetime import datetime
from uuid import UUID

from common.contracts.matches import Candidate, NearMiss, SimilarDemand, Widening
from common.http import Out


class MatchOut(Out):
    """One result, with everything it was decided by."""

    id: UUID
    version: int
    owner: str
    demand_id: UUID
    demand_version: int
    outcome: str
    engine: str
    considered: int
    retrieved: int
    candidates: tuple[Candidate, ...]
    near_misses: tuple[NearMiss, ...]
    widened: tuple[Widening, ...]
    similar: tuple[SimilarDemand, ...]
    versions: dict[str, str]
    degraded: tuple[str, ...]
    computed_at: datetime


class MatchesOut(Out):
    """All results of one demand, newest first."""

    items: tuple[MatchOut, ...]
