"""Quotations: what invitations bring, what providers answer, what awards decide."""

from datetime import datetime
from uuid import UUID

from common import audit, journal, restoring
from common.auth import Principal
from common.contracts.envelope import Fact
from common.contracts.invitations import Invitation
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from agency.providers import service as providers
from agency.quotations import domain, repository
from agency.quotations.domain import Offer, Quotation


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Quotation:
    """Raises: NotFound for none, and for another's."""
    quotation = await repository.find(tx, who, id, lock=lock)
    if quotation is None:
        raise absent("报价", "quotation")
    return quotation


async def lookup(tx: AsyncSession, who: Principal, id: UUID) -> Quotation | None:
    return await repository.find(tx, who, id)


async def won_for(tx: AsyncSession, who: Principal, id: UUID) -> Quotation:
    """The quotation that won a demand of the caller's enterprise. Raises: NotFound for anybody else."""
    quotation = await repository.won_for(tx, who, id)
    if quotation is None:
        raise absent("报价", "quotation")
    return quotation


async def receive(
    tx: AsyncSession, who: Principal, invitation: Invitation, *, source: str, at: datetime
) -> Quotation:
    """Take an invitation in; a later state of a known one replaces what we hold.

    Emits: QuotationDeclined when nobody here can answer.
    """
    domain.addressed(invitation, node=who.node, source=source)
    id = domain.key(invitation.id)
    held = await repository.find(tx, who, id, lock=True)
    if held is None:
        provider = await providers.lookup(tx, who, invitation.provider_id)
        # Under the id of one that may have been lost in a restore: of our epoch, so that it counts.
        epoch = await restoring.epoch(tx)
        quotation, fact = domain.receive(invitation, provider, platform=who.node, epoch=epoch, at=at)
        if await repository.add(tx, quotation):
            if fact is not None:
                await _tell(tx, who, quotation, fact, at)
            else:
                await audit.add(
                    tx, who.subject, "quotation.invited", quotation.id, at=at, detail={"version": 1}
                )
            return quotation
        held = await get(tx, who, id, lock=True)
    if not domain.outdated(held, invitation):
        held = domain.follow(held, invitation)
        await repository.follow(tx, held)
    return held


async def settle(
    tx: AsyncSession, who: Principal, invitation: Invitation, *, source: str, at: datetime
) -> None:
    """Apply an award, its loss or the deadline, also when it overtook the invitation itself.

    Emits: QuotationSettled, or QuotationExpired where nothing was answered.
    """
    held = await repository.find(tx, who, domain.key(invitation.id), lock=True)
    if held is not None and domain.outdated(held, invitation):
        return
    quotation = await receive(tx, who, invitation, source=source, at=at)
    settled, fact = domain.settle(quotation, invitation, at=at)
    if fact is not None:
        await repository.save(tx, settled)
        await _tell(tx, who, settled, fact, at)


async def view(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Quotation:
    """Emits: QuotationViewed, once."""
    viewed, fact = domain.view(await get(tx, who, id, lock=True), at=at)
    if fact is not None:
        await repository.save(tx, viewed)
        await _tell(tx, who, viewed, fact, at)
    return viewed


async def submit(tx: AsyncSession, who: Principal, id: UUID, offer: Offer, *, at: datetime) -> Quotation:
    """Emits: QuotationSubmitted."""
    provider = await providers.pinned(tx, who, (await get(tx, who, id)).provider_id)
    quotation = await get(tx, who, id, lock=True)
    submitted, fact = domain.submit(quotation, offer, provider, at=at)
    await repository.save(tx, submitted)
    await _tell(tx, who, submitted, fact, at)
    return submitted


async def decline(tx: AsyncSession, who: Principal, id: UUID, reason: str, *, at: datetime) -> Quotation:
    """Emits: QuotationDeclined."""
    declined, fact = domain.decline(await get(tx, who, id, lock=True), reason, at=at)
    await repository.save(tx, declined)
    await _tell(tx, who, declined, fact, at)
    return declined


async def withdraw(
    tx: AsyncSession, who: Principal, id: UUID, reason: str | None, *, at: datetime
) -> Quotation:
    """Emits: QuotationWithdrawn."""
    withdrawn, fact = domain.withdraw(await get(tx, who, id, lock=True), reason, at=at)
    await repository.save(tx, withdrawn)
    await _tell(tx, who, withdrawn, fact, at)
    return withdrawn


async def end_open(tx: AsyncSession, who: Principal, provider_id: UUID, *, at: datetime) -> None:
    """Answer for a provider that is gone.

    Emits: QuotationDeclined or QuotationWithdrawn for each that is open.
    """
    for quotation in await repository.open_of(tx, who, provider_id):
        end = domain.withdraw if quotation.state == "submitted" else domain.decline
        ended, fact = end(quotation, "provider-not-active", at=at)
        await repository.save(tx, ended)
        await _tell(tx, who, ended, fact, at)


async def _tell(tx: AsyncSession, who: Principal, quotation: Quotation, fact: Fact, at: datetime) -> None:
    await journal.write(tx, fact, who=who, at=at, recipient=quotation.demand_window)
