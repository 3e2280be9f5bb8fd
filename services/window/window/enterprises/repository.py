from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import db, errors
from common.auth import Principal
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from window.enterprises.domain import Enterprise
from window.enterprises.tables import EnterpriseRow

_TABLE = EnterpriseRow.__table__


def _visible(who: Principal) -> Select[Any]:
    query = select(EnterpriseRow)
    return query if who.staff else query.where(EnterpriseRow.owner_subject == who.subject)


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Enterprise:
    """Raises: NotFound when it is absent or not the caller's to see."""
    found = await db.one(tx, _visible(who).where(EnterpriseRow.id == id), Enterprise)
    if found is None:
        raise errors.absent("企业", "enterprise")
    return found


async def own(tx: AsyncSession, who: Principal, id: UUID) -> Enterprise:
    """The caller's own enterprise, locked. Raises: NotFound when it is absent or another account's."""
    query = select(EnterpriseRow).where(EnterpriseRow.id == id, EnterpriseRow.owner_subject == who.subject)
    found = await db.one(tx, query, Enterprise, lock=True)
    if found is None:
        raise errors.absent("企业", "enterprise")
    return found


async def own_many(
    tx: AsyncSession, wanted: Sequence[tuple[Principal, UUID]]
) -> dict[tuple[str, UUID], Enterprise]:
    """Those of the wanted enterprises that are the callers' own, by owner and id."""
    # On the table and not the class: every submission of a demand reads this first, and it halves the cost.
    query = select(_TABLE).where(
        _TABLE.c.id.in_({id for _, id in wanted}),
        _TABLE.c.owner_subject.in_({who.subject for who, _ in wanted}),
    )
    found = [Enterprise.model_validate(row) for row in (await tx.execute(query)).mappings()]
    return {(enterprise.owner_subject, enterprise.id): enterprise for enterprise in found}


async def page(
    tx: AsyncSession, who: Principal, *, credit_code: str | None, after: UUID | None, limit: int
) -> tuple[Sequence[Enterprise], UUID | None]:
    query = _visible(who)
    if credit_code is not None:
        query = query.where(EnterpriseRow.credit_code == credit_code)
    return await db.page(tx, query, EnterpriseRow.id, Enterprise, after=after, limit=limit)


async def add(tx: AsyncSession, enterprise: Enterprise) -> bool:
    """Store a new enterprise; False when its credit code is taken, also by a transaction not yet seen."""
    statement = (
        insert(EnterpriseRow)
        .values(db.columns(EnterpriseRow, enterprise))
        .on_conflict_do_nothing(index_elements=["credit_code"])
        .returning(EnterpriseRow.id)
    )
    return (await tx.execute(statement)).first() is not None


async def save(tx: AsyncSession, enterprise: Enterprise) -> None:
    await db.save(tx, EnterpriseRow, enterprise)


async def own_id(tx: AsyncSession, who: Principal, credit_code: str) -> UUID | None:
    """The id of the caller's own enterprise with that code."""
    query = select(EnterpriseRow.id).where(
        EnterpriseRow.credit_code == credit_code, EnterpriseRow.owner_subject == who.subject
    )
    return (await tx.execute(query)).scalar_one_or_none()
