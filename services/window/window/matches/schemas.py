from datetime import datetime
from typing import Literal
from uuid import UUID

from common import http
from common.contracts.demands import DemandState
from common.contracts.matches import Candidate, NearMiss, SimilarDemand, Widening


class MatchOut(http.Out):
    """What matchmaking found. `pending` until it has answered for what the demand says now.

    `widened` are the steps taken because nothing held every condition; `similar` the caller's own demands
    that say nearly the same; `versions` what decided, `degraded` what was missing.
    """

    demand_id: UUID
    demand_state: DemandState
    outcome: Literal["pending", "matched", "no_match"]
    engine: str | None = None
    considered: int | None = None
    computed_at: datetime | None = None
    candidates: tuple[Candidate, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    widened: tuple[Widening, ...] = ()
    similar: tuple[SimilarDemand, ...] = ()
    versions: dict[str, str] = {}
    degraded: tuple[str, ...] = ()
