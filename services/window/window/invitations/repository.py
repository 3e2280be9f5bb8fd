from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common import db, errors
from common.auth import Principal
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from window.invitations.domain import Invitation
from window.invitations.tables import InvitationRow


async def of_demand(tx: AsyncSession, who: Principal, demand_id: UUID) -> Sequence[Invitation]:
    """The invitations of a demand in the order they were issued."""
    query = select(InvitationRow).where(InvitationRow.demand_id == demand_id)
    if not who.staff:
        query = query.where(InvitationRow.owner_subject == who.subject)
    rows = (await tx.execute(query.order_by(InvitationRow.id))).scalars()
    return [db.value(row, Invitation) for row in rows]


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Invitation:
    """Raises: NotFound when it is absent or not the caller's to see."""
    query = select(InvitationRow).where(InvitationRow.id == id)
    if not who.staff:
        query = query.where(InvitationRow.owner_subject == who.subject)
    found = await db.one(tx, query, Invitation)
    if found is None:
        raise errors.absent("邀请", "invitation")
    return found


async def due(tx: AsyncSession, who: Principal, at: datetime, limit: int) -> Sequence[UUID]:
    """The demands that have an unanswered invitation past its deadline, the longest overdue first."""
    first = func.min(InvitationRow.respond_by)
    query = select(InvitationRow.demand_id).where(
        InvitationRow.state == "issued", InvitationRow.respond_by < at
    )
    if not who.staff:
        query = query.where(InvitationRow.owner_subject == who.subject)
    query = query.group_by(InvitationRow.demand_id).order_by(first, InvitationRow.demand_id)
    return (await tx.execute(query.limit(limit))).scalars().all()


async def add(tx: AsyncSession, invitation: Invitation) -> None:
    await db.add(tx, InvitationRow, invitation)


async def save(tx: AsyncSession, invitation: Invitation) -> None:
    await db.save(tx, InvitationRow, invitation)
