"""Offerings: what the owner and the staff may do to them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common import announcements, ids, journal
from common.auth import Principal
from common.contracts.offerings import OfferingAnnounced
from common.errors import absent
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from agency.offerings import domain, repository
from agency.offerings.domain import Changes, Draft, Offering, Review
from agency.providers import service as providers
from agency.providers.domain import Provider, accepts_work


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Offering:
    """Raises: NotFound for none, and for another's."""
    offering = await repository.find(tx, who, id, lock=lock)
    if offering is None:
        raise absent("服务", "offering")
    return offering


async def submit(
    tx: AsyncSession, who: Principal, provider_id: UUID, draft: Draft, *, at: datetime
) -> Offering:
    """Emits: OfferingSubmitted."""
    provider = await providers.pinned(tx, who, provider_id)
    offering, fact = domain.submit(draft, provider, id=ids.new(), at=at)
    await repository.add(tx, offering)
    await journal.write(tx, fact, who=who, at=at)
    return offering


async def change(
    tx: AsyncSession, who: Principal, id: UUID, changes: Changes, match: Match, *, at: datetime
) -> Offering:
    """Emits: OfferingChanged, or OfferingSubmitted when it had been returned."""
    provider = await providers.pinned(tx, who, (await get(tx, who, id)).provider_id)
    offering = await get(tx, who, id, lock=True)
    match.check(offering)
    domain.edited_here(offering)
    changed, fact = domain.change(offering, changes, provider, at=at)
    await repository.save(tx, changed)
    await journal.write(tx, fact, who=who, at=at)
    return changed


async def review(
    tx: AsyncSession, who: Principal, id: UUID, decision: Review, reason: str | None, *, at: datetime
) -> Offering:
    """Emits: OfferingPublished or OfferingReturned."""
    provider = await providers.pinned(tx, who, (await get(tx, who, id)).provider_id)
    offering = await get(tx, who, id, lock=True)
    domain.edited_here(offering)
    reviewed, fact = domain.review(offering, provider, decision, reason, at=at)
    await repository.save(tx, reviewed)
    await journal.write(tx, fact, who=who, at=at)
    return reviewed


async def pause(tx: AsyncSession, who: Principal, id: UUID, reason: str | None, *, at: datetime) -> Offering:
    """Emits: OfferingPaused."""
    offering = await get(tx, who, id, lock=True)
    domain.edited_here(offering)
    paused, fact = domain.pause(offering, reason, at=at)
    await repository.save(tx, paused)
    await journal.write(tx, fact, who=who, at=at)
    return paused


async def resume(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Offering:
    """Emits: OfferingPublished."""
    provider = await providers.pinned(tx, who, (await get(tx, who, id)).provider_id)
    offering = await get(tx, who, id, lock=True)
    domain.edited_here(offering)
    resumed, fact = domain.resume(offering, provider, at=at)
    await repository.save(tx, resumed)
    await journal.write(tx, fact, who=who, at=at)
    return resumed


async def retire(tx: AsyncSession, who: Principal, id: UUID, reason: str | None, *, at: datetime) -> Offering:
    """Emits: OfferingRetired."""
    offering = await get(tx, who, id, lock=True)
    domain.edited_here(offering)
    return await _retire(tx, who, offering, reason, at)


async def retire_all(
    tx: AsyncSession, who: Principal, provider_id: UUID, reason: str | None, *, at: datetime
) -> None:
    """Emits: OfferingRetired for each of a provider's."""
    for offering in await repository.living_of(tx, who, provider_id):
        await _retire(tx, who, offering, reason, at)


async def _retire(
    tx: AsyncSession, who: Principal, offering: Offering, reason: str | None, at: datetime
) -> Offering:
    retired, fact = domain.retire(offering, reason, at=at)
    await repository.save(tx, retired)
    await journal.write(tx, fact, who=who, at=at)
    return retired


async def mirror(
    tx: AsyncSession, who: Principal, source_id: UUID, provider: Provider, draft: Draft, *, at: datetime
) -> Offering:
    """Publish another record of this platform as an offering, or bring that offering up to date.

    Raises: Invalid; Conflict when the provider is not active or the offering was retired.
    Emits: OfferingPublished the first time, OfferingChanged when something differs.
    """
    found = await repository.by_source(tx, who, source_id)
    if found is None:
        accepts_work(provider)
        submitted, _ = domain.submit(draft, provider, id=ids.new(), at=at, source_id=source_id)
        offering, fact = domain.published_at_once(submitted)
        await repository.add(tx, offering)
    else:
        rewritten = domain.rewrite(found, draft, provider, at=at)
        if rewritten is None:
            return found
        offering, fact = rewritten
        await repository.save(tx, offering)
    await journal.write(tx, fact, who=who, at=at)
    return offering


async def unmirror(
    tx: AsyncSession, who: Principal, source_id: UUID, reason: str | None, *, at: datetime
) -> None:
    """Retire the offering that mirrors a record, if there is one.

    Emits: OfferingRetired.
    """
    found = await repository.by_source(tx, who, source_id)
    if found is not None and found.state != "retired":
        await _retire(tx, who, found, reason, at)


async def known(tx: AsyncSession, who: Principal, wanted: Sequence[UUID]) -> dict[UUID, Offering]:
    """Those of the ids that exist, locked."""
    return await repository.by_ids(tx, who, wanted)


async def put(tx: AsyncSession, *, new: Sequence[Offering], changed: Sequence[Offering]) -> None:
    """Store many at once; the caller journals them."""
    await repository.add_all(tx, new)
    await repository.save_all(tx, changed)


async def note_unsaid(tx: AsyncSession, limit: int) -> int:
    """Keep as said what was said before there was a place for it; the next comparison finds what was not."""
    found = await repository.unsaid(tx, limit)
    await announcements.note(tx, [(OfferingAnnounced.of(one), None) for one in found])
    return len(found)
