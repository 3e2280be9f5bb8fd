"""Five components, each 0..1 times its weight; the score is their sum and nothing else."""

from datetime import date

from common.contracts.demands import Demand
from common.contracts.matches import Component
from reference import divisions

from matchmaking.matching.listing import Listing
from matchmaking.matching.weights import Weights

# A power of two: such fractions are exact in binary, so components add up in any order and language.
STEPS = 4096
# A month is what half of the credit for speed is lost at.
MIDDLING_DAYS = 30


def proximity(demand: Demand, listing: Listing, weights: Weights) -> float:
    return weights.proximity[divisions.relation(demand.division, listing.division)]


def price_fit(demand: Demand, listing: Listing, weights: Weights) -> float:
    """1 when even the dearest is within the budget, falling to 0.5 when only the cheapest is."""
    low, high, limit = listing.price.from_cents, listing.price.to_cents, demand.budget.to_cents
    if (low is None and high is None) or limit is None or listing.price.unit == "percent":
        return 1.0 if (low, high) == (0, 0) else weights.unknown
    low = low or 0
    high = max(low, high if high is not None else low)
    if high <= limit:
        return 1.0
    return 0.5 + 0.5 * (limit - low) / (high - low)


def lead_time(demand: Demand, listing: Listing, weights: Weights, today: date) -> float:
    """The sooner the better; by half at a month, or at the day it is needed if that is known."""
    if listing.lead_days is None:
        return weights.unknown
    if demand.needed_by is None:
        return MIDDLING_DAYS / (MIDDLING_DAYS + listing.lead_days)
    days = (demand.needed_by - today).days
    return 1.0 - 0.5 * listing.lead_days / days if days > 0 else 1.0


def reputation(listing: Listing, weights: Weights) -> float:
    """The mean grade, drawn towards an ordinary one while there are few."""
    total = weights.prior_grade * weights.prior_count + listing.grade_sum
    return (total / (weights.prior_count + listing.grade_count) - 1) / 4


def components(
    demand: Demand, listing: Listing, relevance: float, weights: Weights, today: date
) -> tuple[Component, ...]:
    values = {
        "relevance": relevance,
        "proximity": proximity(demand, listing, weights),
        "price-fit": price_fit(demand, listing, weights),
        "lead-time": lead_time(demand, listing, weights, today),
        "reputation": reputation(listing, weights),
    }
    return tuple(
        Component(name=name, score=int(min(1.0, max(0.0, value)) * weights.weights[name] * STEPS) / STEPS)
        for name, value in values.items()
    )


def score(parts: tuple[Component, ...]) -> float:
    return sum(part.score for part in parts)
