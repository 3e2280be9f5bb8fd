"""An opportunity (商机): whom to tell of a demand, when that is news, and when it is over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from common import ids
from common.contracts.demands import Demand
from common.contracts.matches import Component
from common.contracts.opportunities import DemandNotice, Opportunity, OpportunityClosed, OpportunityFound
from common.contracts.subscriptions import Subscription
from reference import categories, divisions

from matchmaking.matching.listing import Listing

# Providers of one demand that are told of it, best first: more would only compete for nothing.
AT_MOST = 50
# It was edited and no offering of the provider fits it any more.
NO_LONGER = "no-longer-fits"

# A platform and a provider of its own.
Key = tuple[str, UUID]
Fact = OpportunityFound | OpportunityClosed


class Scored(Protocol):
    """An offering that fits a demand, as the engine judged it."""

    @property
    def listing(self) -> Listing: ...
    @property
    def score(self) -> float: ...
    @property
    def components(self) -> tuple[Component, ...]: ...


# Why an offering fits a demand, Chinese and English.
Reason = Callable[[Demand, Any], tuple[str, str]]


def by_title(demand: Demand, scored: Scored) -> tuple[str, str]:
    """The least that can be said: which offering it is."""
    title = scored.listing.title
    return f"与您的服务“{title}”相符。", f"It fits your offering “{title}”."


@dataclass(frozen=True)
class Telling:
    """A demand and what fits it.

    Shape: `fitting` best first; `whole`: it holds everything that fits, so that what is not there does not.
    """

    window: str
    demand: Demand
    fitting: Sequence[Scored]
    whole: bool
    reason: Reason
    at: datetime
    epoch: int = 1


def key(listing: Listing) -> Key:
    return listing.platform, listing.provider_id


def notice(demand: Demand) -> DemandNotice:
    """What anybody who may answer it sees of a demand; not whose it is."""
    return DemandNotice.model_validate(demand.model_dump(include=set(DemandNotice.model_fields)))


def wants(subscription: Subscription, demand: Demand, scored: Scored) -> bool:
    """Whether a provider subscribed to such a demand. Examples are for examples only."""
    category = demand.category or scored.listing.category
    return (
        scored.listing.example == demand.example
        and scored.score >= subscription.least_score
        and (not subscription.categories or any(_is_of(category, one) for one in subscription.categories))
        and (
            not subscription.areas
            or any(divisions.is_within(demand.division, area) for area in subscription.areas)
        )
    )


def _is_of(category: str, wanted: str) -> bool:
    try:
        return category == wanted or categories.is_within(category, wanted)
    except categories.UnknownCategory:
        return False


def news(
    telling: Telling, wishes: Mapping[Key, Subscription], held: Mapping[Key, Opportunity]
) -> list[tuple[Opportunity, Fact]]:
    """What is to be stored and told.

    Shape: `wishes` are the active subscriptions; `held` is what was told of this demand before. A provider
    hears of a demand through its best offering, once; again when the demand says something else, when a
    better offering fits, or when it is open again.
    """
    open_ones = sum(one.state == "open" for one in held.values())
    best: dict[Key, Scored] = {}
    present: dict[Key, Scored] = {}
    for scored in telling.fitting:
        provider = key(scored.listing)
        wish = wishes.get(provider)
        if wish is None or not wants(wish, telling.demand, scored):
            continue
        best.setdefault(provider, scored)
        before = held.get(provider)
        if before is not None and before.offering_id == scored.listing.offering_id:
            present[provider] = scored
    found: list[tuple[Opportunity, Fact]] = []
    for provider, scored in best.items():
        before = held.get(provider)
        if before is None or before.state == "closed":
            if open_ones < AT_MOST:
                open_ones += 1
                found.append(_found(telling, scored, before))
        elif (chosen := _better(telling, before, scored, present.get(provider))) is not None:
            found.append(_found(telling, chosen, before))
    return found + _outdated(telling, best, held)


def _better(telling: Telling, before: Opportunity, best: Scored, present: Scored | None) -> Scored | None:
    """What to tell instead of what was told; None for nothing new.

    Shape: `present` is the offering that was told, if it fits still. Scores move a little with every
    rating: another takes its place only when it is better than that one was when it was told.
    """
    if best.score > before.score and best.listing.offering_id != before.offering_id:
        return best
    if present is None:
        return best if telling.whole else None
    return None if before.demand == notice(telling.demand) else present


def _outdated(
    telling: Telling, best: Mapping[Key, Scored], held: Mapping[Key, Opportunity]
) -> list[tuple[Opportunity, Fact]]:
    """Those who were told of what the demand no longer says, and whom it no longer fits."""
    if not telling.whole:
        return []
    said = notice(telling.demand)
    gone = [one for one in held.values() if (one.platform, one.provider_id) not in best]
    return [pair for one in gone if one.demand != said and (pair := close(one, NO_LONGER)) is not None]


def _found(
    telling: Telling, scored: Scored, before: Opportunity | None
) -> tuple[Opportunity, OpportunityFound]:
    listing = scored.listing
    zh, en = telling.reason(telling.demand, scored)
    demand_id = telling.demand.id
    goes_on = before is not None and before.state == "open"
    value = Opportunity(
        id=ids.derived(
            "opportunity", telling.window, str(demand_id), listing.platform, str(listing.provider_id)
        ),
        epoch=telling.epoch if before is None else before.epoch,
        version=1 if before is None else before.version + 1,
        demand_id=demand_id,
        demand_window=telling.window,
        platform=listing.platform,
        provider_id=listing.provider_id,
        offering_id=listing.offering_id,
        offering_title=listing.title,
        demand=notice(telling.demand),
        score=scored.score,
        reason_zh=zh,
        reason_en=en,
        state="open",
        found_at=before.found_at if before is not None and goes_on else telling.at,
    )
    return value, OpportunityFound.of(value)


def close(held: Opportunity, reason: str) -> tuple[Opportunity, OpportunityClosed] | None:
    """None when it is closed already."""
    if held.state == "closed":
        return None
    closed = held.model_copy(update={"version": held.version + 1, "state": "closed", "state_reason": reason})
    return closed, OpportunityClosed.of(closed)
