"""Hard conditions: each a named predicate. An offering that fails one is a near miss at best.

What a demand or an offering does not say cannot fail it.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import TypeAlias

from common.contracts.demands import Demand
from common.contracts.providers import Qualification
from reference import categories, divisions

from matchmaking.matching.listing import Offer

Condition: TypeAlias = Callable[[Demand, Offer, date], bool]
# What others may see of an offering or a provider at all, even as a near miss.
SHOWN_OFFERINGS = ("published", "paused", "full")
SHOWN_PROVIDERS = ("active", "suspended")


def provider_is_active(demand: Demand, offer: Offer, today: date) -> bool:
    return offer.supplier.state == "active"


def offering_is_published(demand: Demand, offer: Offer, today: date) -> bool:
    return offer.listing.state == "published"


def capacity_is_left(demand: Demand, offer: Offer, today: date) -> bool:
    capacity = offer.listing.capacity
    return capacity is None or offer.open_engagements < capacity


def qualifications_are_valid(demand: Demand, offer: Offer, today: date) -> bool:
    """What the offering rests on, and what the demand asks for, is held and valid today."""
    if not offer.listing.qualifications and not demand.qualifications:
        return True
    valid = [held for held in offer.supplier.qualifications if _valid(held, today)]
    rests_on = all(any(held.name == name for held in valid) for name in offer.listing.qualifications)
    return rests_on and all(any(_names(held, name) for held in valid) for name in demand.qualifications)


def _valid(held: Qualification, today: date) -> bool:
    return held.valid_until is None or held.valid_until >= today


def _names(held: Qualification, asked: str) -> bool:
    """Whether a qualification answers to a name somebody wrote: CMA to 检验检测机构资质认定（CMA）."""
    mine, theirs = held.name.casefold(), asked.casefold()
    return theirs in mine or mine in theirs


def category_fits(demand: Demand, offer: Offer, today: date) -> bool:
    """The demand names no category, or the offering's is that one or one of its own."""
    category = offer.listing.category
    if demand.category is None or demand.category == category:
        return True
    try:
        return categories.is_within(category, demand.category)
    except categories.UnknownCategory:
        return False


def area_covers(demand: Demand, offer: Offer, today: date) -> bool:
    """No area means the whole region."""
    area = offer.listing.service_area
    return not area or any(divisions.is_within(demand.division, part) for part in area)


def size_is_served(demand: Demand, offer: Offer, today: date) -> bool:
    """An enterprise whose size is not known is not refused for it."""
    served = offer.listing.size_classes
    return not served or demand.size_class in served or demand.size_class in ("incomplete", "not_applicable")


def price_fits(demand: Demand, offer: Offer, today: date) -> bool:
    """Not even the lowest price, or one unit of it, is above the budget. A percentage cannot be compared."""
    limit, price = demand.budget.to_cents, offer.listing.price
    return limit is None or price.from_cents is None or price.unit == "percent" or price.from_cents <= limit


def time_suffices(demand: Demand, offer: Offer, today: date) -> bool:
    """It can be done by the day it is needed; an unknown lead time only fails when that day has passed."""
    return demand.needed_by is None or demand.needed_by >= today + timedelta(offer.listing.lead_days or 0)


def amount_fits(demand: Demand, offer: Offer, today: date) -> bool:
    need, terms = demand.finance, offer.listing.finance
    return need is None or terms is None or _between(
        need.amount_cents, terms.amount_from_cents, terms.amount_to_cents
    )  # fmt: skip


def term_fits(demand: Demand, offer: Offer, today: date) -> bool:
    need, terms = demand.finance, offer.listing.finance
    if need is None or terms is None or need.term_months is None:
        return True
    return _between(need.term_months, terms.term_from_months, terms.term_to_months)


def _between(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def collateral_is_there(demand: Demand, offer: Offer, today: date) -> bool:
    need, terms = demand.finance, offer.listing.finance
    return need is None or terms is None or _any_of(terms.collateral, need.collateral)


def guarantee_is_there(demand: Demand, offer: Offer, today: date) -> bool:
    need, terms = demand.finance, offer.listing.finance
    return need is None or terms is None or _any_of(terms.guarantees, need.guarantees)


def _any_of(asked: Collection[str], brought: Collection[str]) -> bool:
    return not asked or not set(asked).isdisjoint(brought)


def is_mature(demand: Demand, offer: Offer, today: date) -> bool:
    need, achievement = demand.technology, offer.listing.achievement
    if need is None or achievement is None or need.least_maturity is None:
        return True
    return achievement.maturity >= need.least_maturity


def cooperation_agrees(demand: Demand, offer: Offer, today: date) -> bool:
    need, achievement = demand.technology, offer.listing.achievement
    if need is None or achievement is None or not need.cooperation or not achievement.cooperation:
        return True
    return not set(need.cooperation).isdisjoint(achievement.cooperation)


def platform_is_there(demand: Demand, offer: Offer, today: date) -> bool:
    """Its platform was heard within the limit and is not quarantined: an invitation would reach somebody."""
    return not offer.presence.away


CONDITIONS: dict[str, Condition] = {
    "provider-active": provider_is_active,
    "published": offering_is_published,
    "capacity": capacity_is_left,
    "qualification": qualifications_are_valid,
    "category": category_fits,
    "service-area": area_covers,
    "size-class": size_is_served,
    "budget": price_fits,
    "needed-by": time_suffices,
    "finance-amount": amount_fits,
    "finance-term": term_fits,
    "collateral": collateral_is_there,
    "guarantee": guarantee_is_there,
    "maturity": is_mature,
    "cooperation": cooperation_agrees,
    "platform-away": platform_is_there,
}


def of(demand: Demand) -> dict[str, Condition]:
    """The conditions that any offering can fail for a demand."""
    said = {
        "category": demand.category,
        "budget": demand.budget.to_cents,
        "needed-by": demand.needed_by,
        "finance-amount": demand.finance,
        "finance-term": demand.finance,
        "collateral": demand.finance,
        "guarantee": demand.finance,
        "maturity": demand.technology,
        "cooperation": demand.technology,
    }
    return {name: holds for name, holds in CONDITIONS.items() if name not in said or said[name] is not None}


def failed(
    demand: Demand, offer: Offer, today: date, conditions: Mapping[str, Condition] = CONDITIONS
) -> tuple[str, ...]:
    """The names of the conditions an offering fails, in their order; none means it may be a candidate."""
    return tuple([name for name, holds in conditions.items() if not holds(demand, offer, today)])


def may_be_shown(offer: Offer) -> bool:
    """Whether its existence is public: drafts and unverified providers are nobody's near miss."""
    return offer.listing.state in SHOWN_OFFERINGS and offer.supplier.state in SHOWN_PROVIDERS
