"""Providers: what the owner and the staff may do to them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common import announcements, ids, journal
from common.auth import Principal
from common.contracts.providers import ProviderAnnounced
from common.errors import Conflict, absent
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from agency.providers import domain, repository
from agency.providers.domain import Changes, Decision, Draft, Provider, Recognitions


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Provider:
    """Raises: NotFound for none, and for another's."""
    provider = await repository.find(tx, who, id, lock=lock)
    if provider is None:
        raise absent("服务机构", "provider")
    return provider


async def lookup(tx: AsyncSession, who: Principal, id: UUID) -> Provider | None:
    """One that stays as it is until the commit, if there is one."""
    return await repository.pinned(tx, who, id)


async def pinned(tx: AsyncSession, who: Principal, id: UUID) -> Provider:
    """One that is neither suspended nor retired under the caller's hands before the commit.

    Shape: to be taken before the locks of what hangs on it, as a retirement does.
    Raises: NotFound.
    """
    provider = await repository.pinned(tx, who, id)
    if provider is None:
        raise absent("服务机构", "provider")
    return provider


async def register(tx: AsyncSession, who: Principal, draft: Draft, *, at: datetime) -> Provider:
    """Raises: Invalid; Conflict when the credit code has a provider here.

    Emits: ProviderRegistered.
    """
    provider, fact = domain.register(draft, id=ids.new(), owner=who.subject, at=at)
    if not await repository.add(tx, provider):
        raise Conflict(
            "provider-known",
            zh="该统一社会信用代码已在本平台登记；请用原账号登录，或联系平台工作人员",
            en="this credit code is registered here already; sign in with that account, or ask the platform's staff",
            field="credit_code",
        )
    await journal.write(tx, fact, who=who, at=at)
    return provider


async def change(
    tx: AsyncSession, who: Principal, id: UUID, changes: Changes, match: Match, *, at: datetime
) -> Provider:
    """Emits: ProviderChanged."""
    provider = await get(tx, who, id, lock=True)
    match.check(provider)
    changed, fact = domain.change(provider, changes, at=at)
    await repository.save(tx, changed)
    await journal.write(tx, fact, who=who, at=at)
    return changed


async def recognise(
    tx: AsyncSession, who: Principal, id: UUID, recognitions: Recognitions, match: Match, *, at: datetime
) -> Provider:
    """Emits: ProviderChanged when they differ from those before."""
    provider = await get(tx, who, id, lock=True)
    match.check(provider)
    step = domain.recognise(provider, recognitions, at=at)
    if step is None:
        return provider
    recognised, fact = step
    await repository.save(tx, recognised)
    await journal.write(tx, fact, who=who, at=at)
    return recognised


async def verify(
    tx: AsyncSession, who: Principal, id: UUID, decision: Decision, reason: str | None, *, at: datetime
) -> Provider:
    """Emits: ProviderVerified."""
    verified, fact = domain.verify(await get(tx, who, id, lock=True), decision, reason, at=at)
    await repository.save(tx, verified)
    await journal.write(tx, fact, who=who, at=at)
    return verified


async def suspend(
    tx: AsyncSession, who: Principal, id: UUID, reason: str, until: datetime | None, *, at: datetime
) -> Provider:
    """Emits: ProviderSuspended."""
    suspended, fact = domain.suspend(await get(tx, who, id, lock=True), reason, until, at=at)
    await repository.save(tx, suspended)
    await journal.write(tx, fact, who=who, at=at)
    return suspended


async def restore(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Provider:
    """Emits: ProviderRestored."""
    restored, fact = domain.restore(await get(tx, who, id, lock=True), at=at)
    await repository.save(tx, restored)
    await journal.write(tx, fact, who=who, at=at)
    return restored


async def restore_due(tx: AsyncSession, who: Principal, *, at: datetime) -> int:
    """End suspensions whose `until` has passed. How many.

    Emits: ProviderRestored for each.
    """
    due = await repository.due_for_restoration(tx, who, at)
    for provider in due:
        restored, fact = domain.restore(provider, at=at)
        await repository.save(tx, restored)
        await journal.write(tx, fact, who=who, at=at)
    return len(due)


async def retire(tx: AsyncSession, who: Principal, id: UUID, reason: str | None, *, at: datetime) -> Provider:
    """Emits: ProviderRetired."""
    retired, fact = domain.retire(await get(tx, who, id, lock=True), reason, at=at)
    await repository.save(tx, retired)
    await journal.write(tx, fact, who=who, at=at)
    return retired


async def living(tx: AsyncSession, who: Principal, codes: Sequence[str]) -> dict[str, Provider]:
    """The providers of these credit codes that are not rejected or retired, locked."""
    return await repository.by_codes(tx, who, codes)


async def known(tx: AsyncSession, who: Principal, wanted: Sequence[UUID]) -> dict[UUID, Provider]:
    return await repository.by_ids(tx, who, wanted)


async def put(tx: AsyncSession, *, new: Sequence[Provider], changed: Sequence[Provider]) -> None:
    """Store many at once; the caller journals them."""
    await repository.add_all(tx, new)
    await repository.save_all(tx, changed)


async def note_unsaid(tx: AsyncSession, limit: int) -> int:
    """Keep as said what was said before there was a place for it; the next comparison finds what was not."""
    found = await repository.unsaid(tx, limit)
    await announcements.note(tx, [(ProviderAnnounced.of(one), None) for one in found])
    return len(found)
