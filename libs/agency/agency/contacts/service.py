"""The provider's contact, once it has won: above providers and quotations, which do not know each other's people."""

from datetime import datetime
from uuid import UUID

from common import audit
from common.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from agency.providers import service as providers
from agency.providers.domain import Provider
from agency.quotations import service as quotations


async def read(tx: AsyncSession, who: Principal, quotation_id: UUID, *, at: datetime) -> Provider:
    """The provider whose quotation won the caller's demand. Every read is an audit row.

    Raises: NotFound for anybody but the enterprise's owner, and before the award.
    """
    quotation = await quotations.won_for(tx, who, quotation_id)
    provider = await providers.get(tx, Principal.system(who.node), quotation.provider_id)
    detail = {"provider": str(provider.id)}
    line = audit.row(who.subject, "contact.read", quotation.id, quotation.demand_id, at, detail)
    await tx.execute(audit.INSERT, line)
    return provider
