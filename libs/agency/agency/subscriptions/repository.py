"""Subscriptions in the database, as far as the caller may see them."""

from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from agency.subscriptions.domain import Subscription
from agency.subscriptions.tables import SubscriptionRow


def _seen_by(who: Principal) -> Select[Any]:
    query = select(SubscriptionRow)
    return query if who.staff else query.where(SubscriptionRow.owner_subject == who.subject)


async def of_provider(
    tx: AsyncSession, who: Principal, provider_id: UUID, *, lock: bool = False
) -> Subscription | None:
    query = _seen_by(who).where(SubscriptionRow.provider_id == provider_id)
    return await db.one(tx, query, Subscription, lock=lock)


async def add(tx: AsyncSession, subscription: Subscription) -> bool:
    """Store a new one, unless its provider has one."""
    values = db.columns(SubscriptionRow, subscription)
    statement = insert(SubscriptionRow).values(values).on_conflict_do_nothing()
    return (await tx.execute(statement.returning(SubscriptionRow.id))).first() is not None


async def save(tx: AsyncSession, subscription: Subscription) -> None:
    await db.save(tx, SubscriptionRow, subscription)
