"""Allocations: follow what matchmaking tells of accepted campaigns."""

from uuid import UUID

from common.auth import Principal
from common.contracts import allocations as contract
from common.contracts.envelope import Envelope
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from agency.allocations import domain, repository
from agency.allocations.domain import Allocation
from agency.providers import service as providers


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Allocation:
    """Raises: NotFound for none, and for another's."""
    found = await repository.find(tx, who, id)
    if found is None:
        raise absent("分配", "allocation")
    return found


async def follow(
    tx: AsyncSession, who: Principal, allocation: contract.Allocation, envelope: Envelope, *, matchmaking: str
) -> None:
    """Keep the newest state for the provider's owner.

    Raises: Forbidden when it is not matchmaking's to say here; NotFound when there is no such provider.
    """
    if not domain.ours(allocation, node=who.node, source=envelope.source, matchmaking=matchmaking):
        return
    provider = await providers.lookup(tx, who, allocation.provider_id)
    if provider is None:
        raise absent("服务机构", "provider")
    await repository.follow(
        tx,
        envelope,
        owner_subject=provider.owner_subject,
        provider_id=provider.id,
        state=allocation.state,
    )
