from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import copies, db
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope
from sqlalchemy import Select, false, func, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases.domain import OPEN, Case, Event
from hub.cases.tables import CaseEventRow, CaseRow
from hub.catalogue.domain import Search, folded, pattern

KEY = ("source", "type", "entity", "entity_version")


async def follow(tx: AsyncSession, envelope: Envelope, demand: Demand) -> copies.Outcome:
    keywords = demand.technology.keywords if demand.technology is not None else ()
    text = folded("\n".join((demand.number, demand.title, demand.text, *keywords)))
    return await copies.apply(tx, CaseRow, envelope, state=demand.state, search_text=text)


async def note(tx: AsyncSession, event: Event) -> None:
    """Add a line; of several that tell the same, the earliest stays, whatever order they come in."""
    statement = insert(CaseEventRow).values(db.columns(CaseEventRow, event))
    new = statement.excluded
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=KEY,
            set_={name: new[name] for name in CaseEventRow.__table__.columns.keys() if name not in KEY},
            where=tuple_(new.at, new.message_id) < tuple_(CaseEventRow.at, CaseEventRow.message_id),
        )
    )


async def owner_of(tx: AsyncSession, id: UUID) -> str | None:
    return (await tx.execute(select(CaseRow.owner).where(CaseRow.id == id).limit(1))).scalar_one_or_none()


async def platform_of(tx: AsyncSession, entity: UUID) -> str | None:
    query = select(CaseEventRow.platform).where(
        CaseEventRow.entity == entity, CaseEventRow.platform.is_not(None)
    )
    return (await tx.execute(query.limit(1))).scalar_one_or_none()


def _visible(query: Select[Any], who: Principal) -> Select[Any]:
    """All for operators and departments, their own window's for its staff, none for anybody else."""
    if who.roles & {"operator", "department"}:
        return query
    if "window_staff" in who.roles and who.home:
        return query.where(CaseRow.owner == who.home)
    return query.where(false())


async def page(
    tx: AsyncSession, who: Principal, *, state: str | None, owner: str | None, words: tuple[str, ...],
    after: UUID | None, limit: int,
) -> tuple[Sequence[Case], UUID | None]:  # fmt: skip
    query = _visible(select(CaseRow), who)
    if state is not None:
        query = query.where(CaseRow.state == state)
    if owner is not None:
        query = query.where(CaseRow.owner == owner)
    for word in words:
        query = query.where(CaseRow.search_text.like(pattern(word), escape="\\"))
    return await db.page(tx, query, CaseRow.id, Case, after=after, limit=limit)


def _answerable(query: Select[Any], who: Principal) -> Select[Any]:
    """All for staff of any platform and for agencies, wherever they are; none for anybody else."""
    away = bool(who.roles & {"window_staff", "cluster_staff"} and who.home)
    return query if away or who.roles & {"agency", "operator"} else query.where(false())


async def technology_needs(
    tx: AsyncSession, who: Principal, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Case], UUID | None]:
    """Open demands that need a technology, of every window."""
    need, wanted = CaseRow.body["technology"], search.technology
    query = _answerable(select(CaseRow), who).where(CaseRow.state.in_(OPEN), need.astext.is_not(None))
    if search.categories is not None:
        query = query.where(CaseRow.body["category"].astext.in_(search.categories))
    if wanted.field is not None:
        field = func.lower(func.normalize(need["field"].astext, literal_column("NFKC")))
        query = query.where(field.like(pattern(folded(wanted.field)), escape="\\"))
    if wanted.cooperation is not None:
        query = query.where(need["cooperation"].contains([wanted.cooperation]))
    for word in search.words:
        query = query.where(CaseRow.search_text.like(pattern(word), escape="\\"))
    return await db.page(tx, query, CaseRow.id, Case, after=after, limit=limit)


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Case | None:
    return await db.one(tx, _visible(select(CaseRow).where(CaseRow.id == id), who), Case)


async def timeline(tx: AsyncSession, who: Principal, id: UUID) -> Sequence[Event]:
    """What happened, in order; empty unless the caller may see the case."""
    seen = _visible(select(CaseRow.id).where(CaseRow.id == id), who)
    rows = await tx.execute(
        select(CaseEventRow)
        .where(CaseEventRow.case_id.in_(seen))
        .order_by(CaseEventRow.at, CaseEventRow.entity_version, CaseEventRow.message_id)
    )
    return [db.value(row, Event) for row in rows.scalars()]


async def by_state(tx: AsyncSession) -> dict[str, int]:
    rows = await tx.execute(
        select(CaseRow.state, func.count()).group_by(CaseRow.state).order_by(CaseRow.state)
    )
    return dict(rows.all())


async def unsaid(tx: AsyncSession, owner: str, epoch: int) -> Sequence[Case]:
    query = select(CaseRow).where(CaseRow.owner == owner, CaseRow.epoch < epoch).order_by(CaseRow.id)
    return [db.value(row, Case) for row in (await tx.execute(query)).scalars()]
