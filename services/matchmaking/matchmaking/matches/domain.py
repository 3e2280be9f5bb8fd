"""A result as the value that is stored, and the fact that is sent."""

from datetime import datetime

from common import ids
from common.contracts.demands import Demand
from common.contracts.matches import Match, MatchComputed

from matchmaking.matching import engine


class Evidence(Match):
    """A match with what only matchmaking keeps: whose demand, and how many offerings had a word of it."""

    owner: str
    demand_epoch: int
    retrieved: int


def computed(
    owner: str,
    demand: Demand,
    version: int,
    result: engine.Result,
    *,
    considered: int,
    retrieved: int,
    at: datetime,
) -> tuple[Evidence, MatchComputed]:
    value = Evidence(
        id=ids.derived("match", owner, str(demand.id)),
        version=version,
        owner=owner,
        demand_id=demand.id,
        demand_epoch=demand.epoch,
        demand_version=demand.version,
        outcome="matched" if result.candidates else "no_match",
        engine=engine.name(),
        considered=considered,
        retrieved=retrieved,
        candidates=result.candidates,
        near_misses=result.near_misses,
        computed_at=at,
    )
    return value, MatchComputed.of(value)
