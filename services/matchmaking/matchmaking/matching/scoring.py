"""Components, each 0..1 times its weight; the score is their sum and nothing else."""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from common.contracts.demands import Demand
from common.contracts.matches import Component
from reference import divisions

from matchmaking.matching import standing
from matchmaking.matching.listing import Listing, Offer, Supplier
from matchmaking.matching.weights import Component as Name
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
    return 0.5 + 0.5 * (limit - low) / (high - low) if low <= limit else 0.0


def lead_time(demand: Demand, listing: Listing, weights: Weights, today: date) -> float:
    """The sooner the better; by half at a month, or at the day it is needed if that is known."""
    if listing.lead_days is None:
        return weights.unknown
    if demand.needed_by is None:
        return MIDDLING_DAYS / (MIDDLING_DAYS + listing.lead_days)
    days = (demand.needed_by - today).days
    return max(0.0, 1.0 - 0.5 * listing.lead_days / days) if days > 0 else 1.0


def recognition(supplier: Supplier, weights: Weights, today: date) -> float:
    """The highest that is valid today."""
    valid = (
        weights.recognition[held.level]
        for held in supplier.recognitions
        if held.valid_until is None or held.valid_until >= today
    )
    return max(valid, default=0.0)


def has_newcomers_chance(demand: Demand, offer: Offer, weights: Weights) -> bool:
    """Whether a provider nobody knows yet is shown a little higher this time.

    Drawn by demand and provider, not by dice: a replay draws the same.
    """
    known = offer.supplier.standing
    if known.grade_count or known.asked >= weights.newcomer_asked:
        return False
    drawn = hashlib.sha256(demand.id.bytes + offer.listing.provider_id.bytes).digest()
    return int.from_bytes(drawn[:4]) < weights.newcomer_chance * 2**32


def shares(
    demand: Demand, offer: Offer, relevance: float, weights: Weights, today: date
) -> dict[Name, float]:
    """What each component has of the score: a multiple of 1 / STEPS."""
    listing, supplier = offer.listing, offer.supplier
    known = supplier.standing
    values: dict[Name, float] = {
        "relevance": relevance,
        "proximity": proximity(demand, listing, weights),
        "reputation": standing.reputation(known, weights.prior_grade, weights.prior_count),
        "responsiveness": standing.responsiveness(known, weights.prior_asked),
        "load": standing.load(offer.open_engagements, listing.capacity),
        "price-fit": price_fit(demand, listing, weights),
        "lead-time": lead_time(demand, listing, weights, today),
        "recognition": recognition(supplier, weights, today),
        "newcomer": float(has_newcomers_chance(demand, offer, weights)),
    }
    return {name: int(value * weights.weights[name] * STEPS) / STEPS for name, value in values.items()}


def score(shares: Mapping[Name, float]) -> float:
    return sum(shares.values())


def components(shares: Mapping[Name, float]) -> tuple[Component, ...]:
    """The same, as others are told."""
    return tuple(_component(name, share) for name, share in shares.items())


# There are hardly more of them than steps.
@lru_cache(maxsize=2 * STEPS)
def _component(name: Name, share: float) -> Component:
    return Component(name=name, score=share)
