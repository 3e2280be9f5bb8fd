"""Subscriptions: what the provider's owner may do to them."""

from datetime import datetime
from uuid import UUID

from common import journal
from common.auth import Principal
from common.errors import absent
from common.preconditions import Match, if_match
from sqlalchemy.ext.asyncio import AsyncSession

from agency.providers import service as providers
from agency.providers.domain import Provider
from agency.subscriptions import domain, repository
from agency.subscriptions.domain import Subscription, Wish


async def get(tx: AsyncSession, who: Principal, provider_id: UUID) -> Subscription:
    """Raises: NotFound for none, and for another's."""
    found = await repository.of_provider(tx, who, provider_id)
    if found is None:
        raise absent("商机订阅", "subscription")
    return found


async def put(
    tx: AsyncSession, who: Principal, provider_id: UUID, wish: Wish, match: Match | None, *, at: datetime
) -> Subscription:
    """The provider's subscription, as wished from now on. The same wish twice is one act.

    Shape: `match` is needed to change one that is active.
    Raises: NotFound, Invalid, Conflict unless the provider is active, Required, Stale.
    Emits: SubscriptionChanged, unless it says just this already.
    """
    provider = await _own(tx, who, provider_id)
    held = await repository.of_provider(tx, who, provider_id, lock=True)
    wished = domain.subscribe(provider, wish, held, platform=who.node, at=at)
    if wished is None:
        assert held is not None
        return held
    subscription, fact = wished
    if held is None:
        if not await repository.add(tx, subscription):
            return await put(tx, who, provider_id, wish, match, at=at)  # another call made it meanwhile
    else:
        if held.state == "active":
            (match or await if_match(None)).check(held)
        await repository.save(tx, subscription)
    await journal.write(tx, fact, who=who, at=at)
    return subscription


async def end(
    tx: AsyncSession, who: Principal, provider_id: UUID, match: Match | None, *, at: datetime
) -> Subscription:
    """The ended subscription; ending twice is one act.

    Raises: NotFound; Stale when `match` names another version.
    Emits: SubscriptionEnded.
    """
    await _own(tx, who, provider_id)
    held = await repository.of_provider(tx, who, provider_id, lock=True)
    if held is None:
        raise absent("商机订阅", "subscription")
    return await _end(tx, who, held, match, at)


async def end_of(tx: AsyncSession, who: Principal, provider_id: UUID, *, at: datetime) -> None:
    """End a provider's subscription with the provider, if there is one.

    Emits: SubscriptionEnded.
    """
    held = await repository.of_provider(tx, who, provider_id, lock=True)
    if held is not None:
        await _end(tx, who, held, None, at)


async def _end(
    tx: AsyncSession, who: Principal, held: Subscription, match: Match | None, at: datetime
) -> Subscription:
    ended = domain.end(held, at=at)
    if ended is None:
        return held
    if match is not None:
        match.check(held)
    subscription, fact = ended
    await repository.save(tx, subscription)
    await journal.write(tx, fact, who=who, at=at)
    return subscription


async def _own(tx: AsyncSession, who: Principal, provider_id: UUID) -> Provider:
    """The caller's provider; one that staff may only see is not theirs to subscribe for."""
    provider = await providers.pinned(tx, who, provider_id)
    if provider.owner_subject != who.subject:
        raise absent("服务机构", "provider")
    return provider
