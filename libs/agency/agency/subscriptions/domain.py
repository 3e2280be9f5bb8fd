"""A provider's subscription to opportunities (商机订阅): started, changed, ended; at most one for a provider."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from common import ids
from common.contracts import subscriptions as contract
from common.contracts.envelope import Contract
from common.contracts.subscriptions import SubscriptionChanged, SubscriptionEnded
from common.fields import AreaPrefix, Moment, Score, Slug
from pydantic import Field

from agency.providers import official
from agency.providers.domain import Provider, accepts_work


class Wish(Contract):
    """What a provider wants to hear of. Empty lists mean everything that fits its offerings."""

    categories: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    areas: Annotated[tuple[AreaPrefix, ...], Field(max_length=130)] = ()
    least_score: Score = 0.0


class Subscription(contract.Subscription):
    """A subscription with what never leaves: whose it is."""

    owner_subject: str
    changed_at: Moment


def key(platform: str, provider_id: UUID) -> UUID:
    """The id of a provider's one subscription."""
    return ids.derived("subscription", platform, str(provider_id))


def subscribe(
    provider: Provider, wish: Wish, held: Subscription | None, *, platform: str, at: datetime
) -> tuple[Subscription, SubscriptionChanged] | None:
    """Start it, change it, or start it again; None when it says just this already.

    Raises: Conflict unless the provider is active; Invalid for an unknown category or area.
    """
    accepts_work(provider)
    wanted = _checked(wish)
    if held is not None and held.state == "active" and Wish.model_validate(held.model_dump()) == wanted:
        return None
    subscription = Subscription(
        id=key(platform, provider.id),
        version=1 if held is None else held.version + 1,
        platform=platform,
        provider_id=provider.id,
        owner_subject=provider.owner_subject,
        changed_at=at,
        **wanted.model_dump(),
    )
    return subscription, SubscriptionChanged.of(subscription)


def end(subscription: Subscription, *, at: datetime) -> tuple[Subscription, SubscriptionEnded] | None:
    """None when it has ended already."""
    if subscription.state == "ended":
        return None
    ended = subscription.model_copy(
        update={"version": subscription.version + 1, "state": "ended", "changed_at": at}
    )
    return ended, SubscriptionEnded.of(ended)


def _checked(wish: Wish) -> Wish:
    categories = tuple(dict.fromkeys(wish.categories))
    for position, id in enumerate(categories):
        official.category(id, f"categories.{position}")
    areas = official.area(wish.areas, "areas")
    return Wish(categories=categories, areas=areas, least_score=wish.least_score)
