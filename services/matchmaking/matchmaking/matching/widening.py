"""What may be relaxed, and in which order, when nothing holds every hard condition."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from common.contracts.demands import Demand
from reference import divisions

from matchmaking.matching.listing import Listing


def _serves_neighbours(demand: Demand, listing: Listing) -> bool:
    """It serves, or sits in, the demand's own league or city or one that borders it."""
    places = (*listing.service_area, listing.division)
    return any(place[:4] == league[:4] for place in places for league in _around(demand.division))


def _around(code: str) -> tuple[str, ...]:
    """A place's league or city with its neighbours; what is none in the region has no neighbours."""
    own = f"{code[:4]}00"
    try:
        return own, *divisions.neighbours(own)
    except divisions.UnknownDivision:
        return (own,)


def _anywhere(demand: Demand, listing: Listing) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One step wider. Conditions not in `relaxed` still hold; `admits` says whom the step lets in."""

    name: Literal["neighbours", "region", "category"]
    relaxed: Collection[str]
    admits: Callable[[Demand, Listing], bool]


STEPS = (
    Step("neighbours", ("service-area",), _serves_neighbours),
    Step("region", ("service-area",), _anywhere),
    Step("category", ("service-area", "category"), _anywhere),
)
