"""Follow what the owners say."""

from collections.abc import Collection, Sequence
from uuid import UUID

from common import log
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.copies import Outcome
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import repository
from hub.catalogue.domain import Item, Search


async def follow(tx: AsyncSession, envelope: Envelope, state: object) -> Outcome:
    """Take over an owner's state if it is newer than what we hold."""
    (outcome,) = await follow_all(tx, [(envelope, state)])
    return outcome


async def follow_all(tx: AsyncSession, states: Sequence[tuple[Envelope, object]]) -> list[Outcome]:
    """Take over owners' states that are newer than what we hold; what became of each, in order."""
    providers = [(envelope, state) for envelope, state in states if isinstance(state, Provider)]
    offerings = [(envelope, state) for envelope, state in states if isinstance(state, Offering)]
    assert len(providers) + len(offerings) == len(states)
    # Providers first: nobody sees an offering before its provider.
    followed = {
        envelope.id: outcome
        for said, outcomes in (
            (providers, await repository.follow_providers(tx, providers)),
            (offerings, await repository.follow_offerings(tx, offerings)),
        )
        for (envelope, _), outcome in zip(said, outcomes, strict=True)
    }
    for envelope, _ in states:
        if followed[envelope.id] is Outcome.FORK:
            log.get("catalogue").error(
                "fork", owner=envelope.source, id=str(envelope.subject), type=envelope.type
            )
    return [followed[envelope.id] for envelope, _ in states]


async def page(
    tx: AsyncSession, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Item], UUID | None]:
    """Published offerings of active providers, for the slices above."""
    return await repository.page(tx, search, after=after, limit=limit)


async def owners_of(tx: AsyncSession, noun: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """The platforms that made some offerings or providers, as far as they are known."""
    return await repository.owners_of(tx, noun, ids)


async def by_platform(tx: AsyncSession) -> dict[str, int]:
    """How many published offerings each platform has."""
    return (await repository.counts(tx, Search()))["platform"]
