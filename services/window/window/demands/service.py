from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from common import announcements, audit, db, ids, journal, outbox, trace
from common.auth import Principal
from common.contracts.demands import DemandState
from common.contracts.envelope import Fact
from common.errors import Refusal
from common.preconditions import Match
from common.tables import AuditRow, OutboxRow
from sqlalchemy.ext.asyncio import AsyncSession

from window.demands import domain, repository
from window.demands.domain import Demand, Draft
from window.demands.similarity import Similar, nearly_the_same
from window.enterprises import service as enterprises

# An enterprise with more open demands than these has other means than a hint.
COMPARED_DEMANDS = 50


@dataclass(frozen=True)
class Submission:
    """One caller's demand for one of its enterprises."""

    who: Principal
    enterprise_id: UUID
    draft: Draft
    at: datetime
    traceparent: str | None = None


async def submit(tx: AsyncSession, wishes: Sequence[Submission]) -> Sequence[Demand | Refusal]:
    """Take in what came together: a demand or a refusal for each, in order.

    Shape: NotFound when the enterprise is not the caller's; Invalid. Emits: DemandSubmitted for each demand.
    """
    known = await enterprises.own_many(tx, [(wish.who, wish.enterprise_id) for wish in wishes])
    numbers = await repository.numbers(tx, len(wishes))
    results: list[Demand | Refusal] = []
    told: list[tuple[Fact, None]] = []
    owed: list[dict[str, object]] = []
    noted: list[dict[str, Any]] = []
    for wish, enterprise, number in zip(wishes, known, numbers, strict=True):
        if isinstance(enterprise, Refusal):
            results.append(enterprise)
            continue
        who, at = wish.who, wish.at
        receipt = domain.receipt(who.node, at, number)
        try:
            demand, fact = domain.submit(
                wish.draft, enterprise, id=ids.new(), number=receipt, staff=who.staff, at=at
            )
        except Refusal as refusal:
            results.append(refusal)
            continue
        results.append(demand)
        trace.traceparent.set(wish.traceparent)
        told.append((fact, None))
        owed += outbox.envelopes(fact, who.node, at, None)
        detail = {"version": fact.version, "epoch": fact.epoch}
        noted.append(audit.row(who.subject, fact.type, fact.id, fact.case_id, at, detail))
    if owed:
        # What the journal does for one, for all at once.
        await repository.add(tx, [result for result in results if isinstance(result, Demand)])
        await announcements.note(tx, told)
        await db.add_all(tx, OutboxRow, owed)
        await db.add_all(tx, AuditRow, noted)
    return results


async def similar_to_draft(
    tx: AsyncSession, who: Principal, enterprise_id: UUID, title: str, text: str
) -> Sequence[Similar]:
    """Open demands of the enterprise that say nearly the same as what it is about to submit.

    Raises: NotFound when the enterprise is not the caller's to see.
    """
    enterprise = await enterprises.get(tx, who, enterprise_id)
    others = await repository.newest_open(tx, who, enterprise.id, enterprise.owner_subject, COMPARED_DEMANDS)
    return nearly_the_same(title, text, others)


async def similar(tx: AsyncSession, who: Principal, id: UUID) -> Sequence[Similar]:
    """Other open demands of the same enterprise that say nearly the same. Raises: NotFound."""
    demand = await repository.get(tx, who, id)
    others = await repository.newest_open(
        tx, who, demand.enterprise_id, demand.owner_subject, COMPARED_DEMANDS + 1
    )
    return nearly_the_same(demand.title, demand.text, [other for other in others if other.id != id])


async def change(
    tx: AsyncSession, who: Principal, id: UUID, changes: Mapping[str, Any], match: Match, *, at: datetime
) -> Demand:
    """Raises: NotFound; Stale; Conflict; Invalid. Emits: DemandChanged."""
    demand = await repository.own(tx, who, id)
    match.check(demand)
    return await _keep(tx, who, demand, domain.change(demand, changes, at), at)


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Demand:
    """A demand the caller may see, for the slices above. Raises: NotFound."""
    return await repository.get(tx, who, id, lock=lock)


async def own(tx: AsyncSession, who: Principal, id: UUID) -> Demand:
    """The caller's own demand, locked, for the slices above. Raises: NotFound."""
    return await repository.own(tx, who, id)


async def seen(tx: AsyncSession, who: Principal, wanted: Sequence[UUID]) -> set[UUID]:
    """Those of the wanted demands that the caller may see, for the slices above."""
    return await repository.seen(tx, who, wanted) if wanted else set()


async def idle(tx: AsyncSession, who: Principal, wanted: Sequence[UUID]) -> Sequence[Demand]:
    """Those of the wanted demands that nobody else is working on, locked, for the slices above."""
    return await repository.idle(tx, who, wanted)


async def match(
    tx: AsyncSession, who: Principal, demand: Demand, outcome: Literal["matched", "no_match"], *, at: datetime
) -> Demand:
    """Emits: DemandMatched or DemandUnmatched when the outcome is new."""
    return await _keep(tx, who, demand, domain.match(demand, outcome, at), at)


async def open(tx: AsyncSession, who: Principal, demand: Demand, *, at: datetime) -> Demand:
    """Raises: Conflict. Emits: DemandOpened when it was not open."""
    return await _keep(tx, who, demand, domain.open(demand, at), at)


async def evaluate(
    tx: AsyncSession,
    who: Principal,
    demand: Demand,
    outlook: Literal["quoting", "evaluating", "no_quotation"],
    *,
    at: datetime,
) -> Demand:
    """Emits: DemandEvaluated, or DemandOpened when answers are awaited again."""
    return await _keep(tx, who, demand, domain.evaluate(demand, outlook, at), at)


async def award(
    tx: AsyncSession, who: Principal, demand: Demand, engagement_id: UUID, reason: str, *, at: datetime
) -> Demand:
    """Emits: DemandAwarded."""
    return await _keep(tx, who, demand, domain.award(demand, engagement_id, reason, at), at)


async def relapse(tx: AsyncSession, who: Principal, id: UUID, reason: str, *, at: datetime) -> Demand:
    """The award is undone. Emits: DemandEvaluated."""
    demand = await repository.get(tx, who, id, lock=True)
    return await _keep(tx, who, demand, domain.relapse(demand, reason, at), at)


async def progress(tx: AsyncSession, who: Principal, id: UUID, state: DemandState, *, at: datetime) -> Demand:
    """Follow the engagement. Emits: DemandProgressed when the demand was not as far."""
    demand = await repository.get(tx, who, id, lock=True)
    return await _keep(tx, who, demand, domain.progress(demand, state, at), at)


async def withdraw(tx: AsyncSession, who: Principal, demand: Demand, reason: str, *, at: datetime) -> Demand:
    """Raises: Conflict. Emits: DemandWithdrawn."""
    return await _keep(tx, who, demand, domain.withdraw(demand, reason, at), at)


async def _keep(
    tx: AsyncSession, who: Principal, before: Demand, step: tuple[Demand, Fact] | None, at: datetime
) -> Demand:
    if step is None:
        return before
    demand, fact = step
    await repository.save(tx, demand)
    await journal.write(tx, fact, who=who, at=at)
    return demand
