"""Hard conditions: each a named predicate. An offering that fails one is a near miss at best."""

from collections.abc import Callable
from datetime import date

from common.contracts.demands import Demand
from reference import categories, divisions

from matchmaking.matching.listing import Listing

# What others may see of an offering or a provider at all, even as a near miss.
SHOWN_OFFERINGS = ("published", "paused", "full")
SHOWN_PROVIDERS = ("active", "suspended")


def category_fits(demand: Demand, listing: Listing, today: date) -> bool:
    """The demand names no category, or the offering's is that one or one of its own."""
    if demand.category is None or demand.category == listing.category:
        return True
    try:
        return categories.is_within(listing.category, demand.category)
    except categories.UnknownCategory:
        return False


def area_covers(demand: Demand, listing: Listing, today: date) -> bool:
    """No area means the whole region."""
    return not listing.service_area or any(
        divisions.is_within(demand.division, area) for area in listing.service_area
    )


def provider_is_active(demand: Demand, listing: Listing, today: date) -> bool:
    return listing.provider_state == "active"


def offering_is_published(demand: Demand, listing: Listing, today: date) -> bool:
    return listing.state == "published"


def price_fits(demand: Demand, listing: Listing, today: date) -> bool:
    """Not even the lowest price, or one unit of it, is above the budget. A percentage cannot be compared."""
    limit, least = demand.budget.to_cents, listing.price.from_cents
    return limit is None or least is None or listing.price.unit == "percent" or least <= limit


def time_suffices(demand: Demand, listing: Listing, today: date) -> bool:
    """It can be done by the day it is needed; an unknown lead time only fails when that day has passed."""
    return demand.needed_by is None or (demand.needed_by - today).days >= (listing.lead_days or 0)


CONDITIONS: dict[str, Callable[[Demand, Listing, date], bool]] = {
    "category": category_fits,
    "service-area": area_covers,
    "provider-active": provider_is_active,
    "published": offering_is_published,
    "budget": price_fits,
    "needed-by": time_suffices,
}


def failed(demand: Demand, listing: Listing, today: date) -> tuple[str, ...]:
    """The names of the conditions an offering fails; none means it may be a candidate."""
    return tuple(name for name, holds in CONDITIONS.items() if not holds(demand, listing, today))


def may_be_shown(listing: Listing) -> bool:
    """Whether its existence is public: drafts and unverified providers are nobody's near miss."""
    return listing.state in SHOWN_OFFERINGS and listing.provider_state in SHOWN_PROVIDERS
