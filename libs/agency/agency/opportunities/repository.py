"""Opportunities in the database, as far as the caller may see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import copies
from common.auth import Principal
from common.contracts.envelope import Envelope
from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agency.opportunities.domain import Opportunity, OpportunityState
from agency.opportunities.tables import OpportunityRow

LOCK = 0x48554231
_OWN = ("owner_subject", "place", "position", "heard_at", "read_at", "dismissed_at", "dismissed_reason")


def _scoped(query: Select[Any], who: Principal) -> Select[Any]:
    return query if who.staff else query.where(OpportunityRow.owner_subject == who.subject)


def _seen_by(who: Principal) -> Select[Any]:
    return _scoped(select(OpportunityRow), who)


def _value(row: OpportunityRow) -> Opportunity:
    return Opportunity.model_validate(row.body | {name: getattr(row, name) for name in _OWN})


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Opportunity | None:
    query = _seen_by(who).where(OpportunityRow.id == id)
    row = (await tx.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    return None if row is None else _value(row)


async def page(
    tx: AsyncSession,
    who: Principal,
    *,
    provider_id: UUID | None,
    offering_id: UUID | None,
    state: OpportunityState | None,
    dismissed: bool,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Opportunity], UUID | None]:
    query = _seen_by(who)
    if provider_id is not None:
        query = query.where(OpportunityRow.provider_id == provider_id)
    if offering_id is not None:
        query = query.where(OpportunityRow.offering_id == offering_id)
    if state is not None:
        query = query.where(OpportunityRow.state == state)
    gone = OpportunityRow.dismissed_at.is_not(None)
    query = query.where(gone if dismissed else ~gone)
    if after is not None:
        query = query.where(OpportunityRow.place < after)
    rows = (await tx.execute(query.order_by(OpportunityRow.place.desc()).limit(limit + 1))).scalars().all()
    return [_value(row) for row in rows[:limit]], rows[limit - 1].place if len(rows) > limit else None


async def unread(tx: AsyncSession, who: Principal) -> int:
    """How many are open, and neither read nor dismissed."""
    query = _scoped(select(func.count()).select_from(OpportunityRow), who).where(
        OpportunityRow.state == "open",
        OpportunityRow.read_at.is_(None),
        OpportunityRow.dismissed_at.is_(None),
    )
    return (await tx.execute(query)).scalar_one()


async def head(tx: AsyncSession) -> int:
    """The position of the newest change of all; it tells nothing of whose it is."""
    return (await tx.execute(select(func.max(OpportunityRow.position)))).scalar_one() or 0


async def since(tx: AsyncSession, who: Principal, position: int, limit: int) -> Sequence[Opportunity]:
    """Those that changed after a position, in order, each once and as it is now."""
    query = _seen_by(who).where(OpportunityRow.position > position)
    rows = await tx.execute(query.order_by(OpportunityRow.position).limit(limit))
    return [_value(row) for row in rows.scalars()]


async def next_position(tx: AsyncSession) -> int:
    """One more than any before, held to the commit.

    A sequence would not do: a lower number may commit later, and who reads on from a higher one misses it.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
    return await head(tx) + 1


async def follow(tx: AsyncSession, envelope: Envelope, **searched: Any) -> copies.Outcome:
    return await copies.apply(tx, OpportunityRow, envelope, **searched)


async def mark_read(tx: AsyncSession, id: UUID, at: datetime) -> None:
    await tx.execute(update(OpportunityRow).where(OpportunityRow.id == id).values(read_at=at))


async def mark_dismissed(tx: AsyncSession, id: UUID, reason: str | None, at: datetime) -> None:
    await tx.execute(
        update(OpportunityRow)
        .where(OpportunityRow.id == id)
        .values(dismissed_at=at, dismissed_reason=reason, read_at=func.coalesce(OpportunityRow.read_at, at))
    )
