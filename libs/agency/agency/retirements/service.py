"""The end of a provider reaches all that hangs on it: above the slices it spans, so that they form no cycle."""

from datetime import datetime
from uuid import UUID

from common.auth import Principal
from sqlalchemy.ext.asyncio import AsyncSession

from agency.offerings import service as offerings
from agency.providers import service as providers
from agency.providers.domain import Provider
from agency.quotations import service as quotations
from agency.subscriptions import service as subscriptions


async def retire(
    tx: AsyncSession, who: Principal, provider_id: UUID, reason: str | None, *, at: datetime
) -> Provider:
    """Retire a provider with its offerings, and decline what it has been asked.

    Emits: ProviderRetired, OfferingRetired for each offering, QuotationDeclined or QuotationWithdrawn
    for each open quotation, SubscriptionEnded.
    """
    provider = await providers.retire(tx, who, provider_id, reason, at=at)
    await offerings.retire_all(tx, who, provider_id, "provider-retired", at=at)
    await quotations.end_open(tx, who, provider_id, at=at)
    await subscriptions.end_of(tx, who, provider_id, at=at)
    return provider
