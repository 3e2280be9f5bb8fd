from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from common import copies, db
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope
from common.copies import State
from pydantic_core import to_json
from sqlalchemy import Select, false, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import domain
from hub.cases.domain import OPEN, Case, Event
from hub.cases.tables import CaseEventRow, CaseRow
from hub.catalogue.domain import Search, folded, pattern


async def follow_all(tx: AsyncSession, said: Sequence[tuple[Envelope, Demand]]) -> list[copies.Outcome]:
    return await copies.apply_all(
        tx,
        CaseRow,
        [
            State(envelope, searched={"state": demand.state, "search_text": domain.searched(demand)})
            for envelope, demand in said
        ],
    )


_EVENT = tuple(CaseEventRow.__table__.columns.keys())
_NOTE = text(
    f"INSERT INTO case_events AS held ({', '.join(_EVENT)}) SELECT {', '.join(_EVENT)}"
    " FROM json_populate_recordset(NULL::case_events, CAST(:rows AS json))"
    f" ON CONFLICT ({', '.join(domain.SAME)}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _EVENT if name not in domain.SAME)
    + " WHERE (excluded.at, excluded.message_id) < (held.at, held.message_id)"
)


async def note_all(tx: AsyncSession, events: Sequence[Event]) -> None:
    """Add lines; of several that tell the same, the earliest stays, whatever order they come in.

    Shape: no two events tell the same.
    """
    if events:
        await tx.execute(_NOTE, {"rows": to_json(events).decode()})


async def owners_of(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    return await copies.owners(tx, CaseRow, ids)


async def platforms_of(tx: AsyncSession, entities: Collection[UUID]) -> dict[UUID, str]:
    if not entities:
        return {}
    query = select(CaseEventRow.entity, CaseEventRow.platform).where(
        CaseEventRow.entity.in_(entities), CaseEventRow.platform.is_not(None)
    )
    return {entity: platform for entity, platform in (await tx.execute(query)).all() if platform}


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
