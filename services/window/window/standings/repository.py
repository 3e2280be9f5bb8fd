from uuid import UUID

from common import copies
from common.contracts.envelope import Envelope
from common.contracts.providers import Provider
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from window.standings.tables import StandingRow


async def store(tx: AsyncSession, envelope: Envelope, provider: Provider) -> None:
    await copies.apply(tx, StandingRow, envelope, state=provider.state, deleted=provider.state == "retired")


async def state(tx: AsyncSession, platform: str, provider_id: UUID) -> str | None:
    """What the platform last said; None when it said nothing."""
    query = select(StandingRow.state).where(StandingRow.owner == platform, StandingRow.id == provider_id)
    return (await tx.execute(query)).scalar_one_or_none()
