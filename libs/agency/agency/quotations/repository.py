"""Quotations in the database, as far as the caller may see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.quotations import QuotationState
from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from agency.quotations.domain import OPEN, WON, Quotation
from agency.quotations.tables import QuotationRow


def _seen_by(who: Principal) -> Select[Any]:
    query = select(QuotationRow)
    return query if who.staff else query.where(QuotationRow.owner_subject == who.subject)


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Quotation | None:
    return await db.one(tx, _seen_by(who).where(QuotationRow.id == id), Quotation, lock=lock)


async def won_for(tx: AsyncSession, who: Principal, id: UUID) -> Quotation | None:
    """One that won, if its award was the caller's; the account is in the award alone."""
    account = QuotationRow.invitation["enterprise_subject"].astext
    query = select(QuotationRow).where(
        QuotationRow.id == id, QuotationRow.state.in_(WON), account == who.subject
    )
    return await db.one(tx, query, Quotation)


async def page(
    tx: AsyncSession, who: Principal, *, state: QuotationState | None, after: UUID | None, limit: int
) -> tuple[Sequence[Quotation], UUID | None]:
    query = _seen_by(who)
    if state is not None:
        query = query.where(QuotationRow.state == state)
    return await db.page(tx, query, QuotationRow.id, Quotation, after=after, limit=limit)


async def open_of(tx: AsyncSession, who: Principal, provider_id: UUID) -> Sequence[Quotation]:
    """A provider's that are not answered or settled for good, locked."""
    query = _seen_by(who).where(QuotationRow.provider_id == provider_id, QuotationRow.state.in_(OPEN))
    rows = await tx.execute(query.order_by(QuotationRow.id).with_for_update())
    return [db.value(row, Quotation) for row in rows.scalars()]


async def add(tx: AsyncSession, quotation: Quotation) -> bool:
    """Store a new one, unless its invitation has one already."""
    statement = insert(QuotationRow).values(db.columns(QuotationRow, quotation)).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(QuotationRow.id))).first() is not None


async def save(tx: AsyncSession, quotation: Quotation) -> None:
    await db.save(tx, QuotationRow, quotation)


async def follow(tx: AsyncSession, quotation: Quotation) -> None:
    """Store the newer invitation beside an unchanged quotation; the caller holds its lock."""
    columns = db.columns(QuotationRow, quotation)
    kept = ("invitation", "invitation_epoch", "invitation_version", "respond_by")
    await tx.execute(
        update(QuotationRow)
        .where(QuotationRow.id == quotation.id)
        .values({name: columns[name] for name in kept})
    )
