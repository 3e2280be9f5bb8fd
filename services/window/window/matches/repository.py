from typing import Any
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.envelope import Envelope
from common.contracts.matches import Match
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from window.matches.tables import MatchRow


async def store(
    tx: AsyncSession, envelope: Envelope, *, demand_id: UUID, owner_subject: str
) -> copies.Outcome:
    return await copies.apply(tx, MatchRow, envelope, demand_id=demand_id, owner_subject=owner_subject)


async def latest(tx: AsyncSession, who: Principal, demand_id: UUID) -> Match | None:
    query = select(MatchRow.body).where(MatchRow.demand_id == demand_id)
    if not who.staff:
        query = query.where(MatchRow.owner_subject == who.subject)
    body: dict[str, Any] | None = (
        await tx.execute(query.order_by(MatchRow.epoch.desc(), MatchRow.version.desc()).limit(1))
    ).scalar_one_or_none()
    return None if body is None else Match.model_validate(body)
