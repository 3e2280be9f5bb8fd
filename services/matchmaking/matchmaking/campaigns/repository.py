"""Campaigns and what hangs on them, as far as the caller may see them; and the copies they choose among."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from common.auth import Principal
from common.contracts.demands import Demand
from common.contracts.providers import Provider
from common.mirrors import Key, among
from sqlalchemy import ColumnElement, Select, column, false, func, or_, select, table, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.campaigns.domain import Campaign, CampaignState
from matchmaking.campaigns.plans import Allocation, AllocationState, Plan, PlanLine
from matchmaking.campaigns.selection import Inputs
from matchmaking.campaigns.tables import AllocationRow, CampaignRow, InputsRow, LineRow, PlanRow

READERS = frozenset({"operator", "department", "platform"})
# The copies that other slices keep, by the columns that every copy has.
_DEMANDS, _PROVIDERS, _OFFERINGS = (
    table(
        name, column("owner"), column("id"), column("deleted"), column("state"), column("body", JSONB),
    )
    for name in ("demands", "providers", "offerings")
)  # fmt: skip


def _open_to(who: Principal) -> ColumnElement[bool] | Any:
    """Campaigns are the network's own: operators and departments see all of them, others none."""
    return True if who.roles & READERS else false()


def _seen_by(who: Principal) -> Select[Any]:
    return select(CampaignRow).where(_open_to(who))


async def find(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Campaign | None:
    return await db.one(tx, _seen_by(who).where(CampaignRow.id == id), Campaign, lock=lock)


async def page(
    tx: AsyncSession, who: Principal, *, state: CampaignState | None, after: UUID | None, limit: int
) -> tuple[Sequence[Campaign], UUID | None]:
    query = _seen_by(who)
    if state is not None:
        query = query.where(CampaignRow.state == state)
    return await db.page(tx, query, CampaignRow.id, Campaign, after=after, limit=limit)


async def add(tx: AsyncSession, campaign: Campaign) -> None:
    await db.add(tx, CampaignRow, campaign)


async def save(tx: AsyncSession, campaign: Campaign) -> None:
    await db.save(tx, CampaignRow, campaign)


def _plans(who: Principal, campaign_id: UUID) -> Select[Any]:
    return select(PlanRow).where(_open_to(who), PlanRow.campaign_id == campaign_id)


async def plan(
    tx: AsyncSession, who: Principal, campaign_id: UUID, number: int, *, lock: bool = False
) -> Plan | None:
    query = _plans(who, campaign_id).where(PlanRow.number == number)
    return await db.one(tx, query, Plan, lock=lock)


async def plans_of(
    tx: AsyncSession, who: Principal, campaign_id: UUID, *, after: UUID | None, limit: int
) -> tuple[Sequence[Plan], UUID | None]:
    return await db.page(tx, _plans(who, campaign_id), PlanRow.id, Plan, after=after, limit=limit)


async def plan_in(
    tx: AsyncSession, who: Principal, campaign_id: UUID, states: Collection[str]
) -> Plan | None:
    query = _plans(who, campaign_id).where(PlanRow.state.in_(states)).limit(1)
    return await db.one(tx, query, Plan)


async def add_plan(tx: AsyncSession, value: Plan) -> None:
    await db.add(tx, PlanRow, value)


async def save_plan(tx: AsyncSession, value: Plan) -> None:
    await tx.execute(update(PlanRow).where(PlanRow.id == value.id).values(db.columns(PlanRow, value)))


async def next_plan(tx: AsyncSession, at: datetime) -> Plan | None:
    """The oldest that waits, or whose run fell silent; locked, passing over what others hold."""
    silent = (PlanRow.state == "running") & (PlanRow.lease_until < at)
    query = select(PlanRow).where(or_(PlanRow.state == "queued", silent)).order_by(PlanRow.id).limit(1)
    row = (await tx.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if row is None else db.value(row, Plan)


async def run_of(tx: AsyncSession, given: Plan) -> Plan | None:
    """The plan while this very run of it goes on, locked."""
    query = select(PlanRow).where(
        PlanRow.id == given.id, PlanRow.state == "running", PlanRow.attempts == given.attempts
    )
    return await db.one(tx, query, Plan, lock=True)


async def put_inputs(tx: AsyncSession, plan_id: UUID, inputs: Inputs) -> None:
    await tx.execute(insert(InputsRow).values(plan_id=plan_id, body=inputs.model_dump(mode="json")))


async def inputs_of(tx: AsyncSession, who: Principal, plan_id: UUID) -> Inputs | None:
    query = select(InputsRow.body).where(_open_to(who), InputsRow.plan_id == plan_id)
    body = (await tx.execute(query)).scalar_one_or_none()
    return None if body is None else Inputs.model_validate(body)


async def add_lines(tx: AsyncSession, lines: Sequence[PlanLine]) -> None:
    await db.add_all(tx, LineRow, lines)


async def lines(
    tx: AsyncSession, who: Principal, plan_id: UUID, outcome: str, *, after: UUID | None, limit: int
) -> tuple[Sequence[PlanLine], UUID | None]:
    """In the order of submission."""
    query = select(LineRow).where(_open_to(who), LineRow.plan_id == plan_id, LineRow.outcome == outcome)
    if after is not None:
        query = query.where(LineRow.id > after)
    rows = (await tx.execute(query.order_by(LineRow.id).limit(limit + 1))).scalars().all()
    found = [db.value(row, PlanLine) for row in rows[:limit]]
    return found, found[-1].id if len(rows) > limit else None


async def assigned(tx: AsyncSession, who: Principal, plan_id: UUID) -> Sequence[PlanLine]:
    query = select(LineRow).where(_open_to(who), LineRow.plan_id == plan_id, LineRow.outcome == "assigned")
    return [db.value(row, PlanLine) for row in (await tx.execute(query.order_by(LineRow.id))).scalars()]


async def reasons(tx: AsyncSession, who: Principal, plan_id: UUID) -> dict[str, int]:
    """How many demands have no provider, by reason."""
    query = (
        select(LineRow.reason, func.count())
        .where(_open_to(who), LineRow.plan_id == plan_id, LineRow.outcome == "unassigned")
        .group_by(LineRow.reason)
        .order_by(LineRow.reason)
    )
    return {reason or "": count for reason, count in (await tx.execute(query)).all()}


def _allocations(who: Principal, campaign_id: UUID) -> Select[Any]:
    return select(AllocationRow).where(_open_to(who), AllocationRow.campaign_id == campaign_id)


async def allocations(
    tx: AsyncSession,
    who: Principal,
    campaign_id: UUID,
    *,
    state: AllocationState | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Allocation], UUID | None]:
    query = _allocations(who, campaign_id)
    if state is not None:
        query = query.where(AllocationRow.state == state)
    return await db.page(tx, query, AllocationRow.id, Allocation, after=after, limit=limit)


async def allocation(tx: AsyncSession, who: Principal, campaign_id: UUID, id: UUID) -> Allocation | None:
    query = _allocations(who, campaign_id).where(AllocationRow.id == id)
    return await db.one(tx, query, Allocation, lock=True)


async def add_allocations(tx: AsyncSession, values: Sequence[Allocation]) -> set[UUID]:
    """Store what no other standing allocation of the kind forbids. The ids stored."""
    statement = insert(AllocationRow).on_conflict_do_nothing().returning(AllocationRow.id)
    rows = [db.columns(AllocationRow, value) for value in values]
    return set((await tx.execute(statement, rows)).scalars()) if rows else set()


async def save_allocation(tx: AsyncSession, value: Allocation) -> None:
    await db.save(tx, AllocationRow, value)


async def allocated(tx: AsyncSession, kind: str) -> frozenset[Key]:
    """Demands with a standing allocation of a kind."""
    query = select(AllocationRow.demand_window, AllocationRow.demand_id).where(
        AllocationRow.kind == kind, AllocationRow.state == "assigned"
    )
    return frozenset((window, id) for window, id in (await tx.execute(query)).all())


async def demands(
    tx: AsyncSession,
    *,
    states: Collection[str],
    keys: Collection[Key] = (),
    categories: Collection[str] = (),
    size_classes: Collection[str] = (),
    areas: Collection[str] = (),
    limit: int,
) -> Sequence[tuple[str, Demand]]:
    """Copies in the order of submission; an empty filter fits all."""
    said = _DEMANDS.c.body
    query = select(_DEMANDS.c.owner, said).where(_DEMANDS.c.deleted.is_(False), _DEMANDS.c.state.in_(states))
    if keys:
        query = query.where(among((_DEMANDS.c.owner, _DEMANDS.c.id), keys))
    for name, wanted in (("category", categories), ("size_class", size_classes)):
        if wanted:
            query = query.where(said[name].astext.in_(wanted))
    if areas:
        query = query.where(or_(*(said["division"].astext.startswith(area) for area in areas)))
    query = query.order_by(said["submitted_at"].astext, _DEMANDS.c.owner, _DEMANDS.c.id).limit(limit)
    return [(owner, Demand.model_validate(body)) for owner, body in (await tx.execute(query)).all()]


async def providers(
    tx: AsyncSession, *, keys: Collection[Key] = (), limit: int
) -> Sequence[tuple[str, Provider]]:
    """Active ones, by platform and id."""
    query = select(_PROVIDERS.c.owner, _PROVIDERS.c.body).where(
        _PROVIDERS.c.deleted.is_(False), _PROVIDERS.c.state == "active"
    )
    if keys:
        query = query.where(among((_PROVIDERS.c.owner, _PROVIDERS.c.id), keys))
    query = query.order_by(_PROVIDERS.c.owner, _PROVIDERS.c.id).limit(limit)
    return [(owner, Provider.model_validate(body)) for owner, body in (await tx.execute(query)).all()]


async def still_open(tx: AsyncSession, keys: Collection[Key], states: Collection[str]) -> set[Key]:
    """Those demands that are open, and stay as they are until the commit."""
    return await _pinned(tx, _DEMANDS, keys, states)


async def still_active(tx: AsyncSession, keys: Collection[Key]) -> set[Key]:
    """Those providers that are active, and stay as they are until the commit."""
    return await _pinned(tx, _PROVIDERS, keys, ("active",))


async def _pinned(tx: AsyncSession, copies: Any, keys: Collection[Key], states: Collection[str]) -> set[Key]:
    query = (
        select(copies.c.owner, copies.c.id)
        .where(among((copies.c.owner, copies.c.id), keys), copies.c.deleted.is_(False))
        .where(copies.c.state.in_(states))
        # One that is being changed at this moment counts as changed: waiting for it could be a deadlock.
        .with_for_update(read=True, skip_locked=True)
    )
    return {(owner, id) for owner, id in (await tx.execute(query)).all()}


async def catalogue(tx: AsyncSession) -> int:
    """How many offerings were published."""
    query = select(func.count()).where(_OFFERINGS.c.deleted.is_(False), _OFFERINGS.c.state == "published")
    return (await tx.execute(query)).scalar_one()
