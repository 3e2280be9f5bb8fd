"""Follow what the owners say."""

from collections.abc import Sequence
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
    if isinstance(state, Offering):
        outcome = await repository.follow_offering(tx, envelope, state)
    else:
        assert isinstance(state, Provider)
        outcome = await repository.follow_provider(tx, envelope, state)
    if outcome is Outcome.FORK:
        log.get("catalogue").error(
            "fork", owner=envelope.source, id=str(envelope.subject), type=envelope.type
        )
    return outcome


async def page(
    tx: AsyncSession, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Item], UUID | None]:
    """Published offerings of active providers, for the slices above."""
    return await repository.page(tx, search, after=after, limit=limit)


async def owner_of(tx: AsyncSession, noun: str, id: UUID) -> str | None:
    """The platform that made an offering or a provider."""
    return await repository.owner_of(tx, noun, id)


async def by_platform(tx: AsyncSession) -> dict[str, int]:
    """How many published offerings each platform has."""
    return (await repository.counts(tx, Search()))["platform"]
