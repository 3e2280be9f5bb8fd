from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import db
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.changes.domain import Result
from hub.snapshots import domain
from hub.snapshots.domain import Outcome, Snapshot
from hub.snapshots.tables import OutcomeRow, SnapshotRow

LOCK = 0x48554244
OUTCOMES = OutcomeRow.__tablename__
# The whole catalogue of a platform in one transaction takes longer than a call may.
PATIENCE = "300s"


async def lock_numbers(tx: AsyncSession, node: str) -> None:
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(node))))


async def last_number(tx: AsyncSession, node: str) -> int:
    query = select(func.coalesce(func.max(SnapshotRow.number), 0)).where(SnapshotRow.node == node)
    return (await tx.execute(query)).scalar_one()


async def add(tx: AsyncSession, snapshot: Snapshot) -> None:
    await db.add(tx, SnapshotRow, snapshot)


async def save(tx: AsyncSession, snapshot: Snapshot) -> None:
    await tx.execute(
        update(SnapshotRow)
        .where(SnapshotRow.node == snapshot.node, SnapshotRow.number == snapshot.number)
        .values(db.columns(SnapshotRow, snapshot))
    )


async def get(tx: AsyncSession, node: str, number: int, *, lock: bool = False) -> Snapshot | None:
    query = select(SnapshotRow).where(SnapshotRow.node == node, SnapshotRow.number == number)
    return await db.one(tx, query, Snapshot, lock=lock)


async def page(
    tx: AsyncSession, node: str, *, before: int | None, limit: int
) -> tuple[Sequence[Snapshot], int | None]:
    """Newest first."""
    query = select(SnapshotRow).where(SnapshotRow.node == node)
    if before is not None:
        query = query.where(SnapshotRow.number < before)
    rows = (await tx.execute(query.order_by(SnapshotRow.number.desc()).limit(limit + 1))).scalars().all()
    return [db.value(row, Snapshot) for row in rows[:limit]], rows[limit - 1].number if len(
        rows
    ) > limit else None


async def due(tx: AsyncSession) -> Snapshot | None:
    """The next one to work on; of a platform always the oldest."""
    query = select(SnapshotRow).where(SnapshotRow.state.in_(domain.DUE))
    return await db.one(tx, query.order_by(SnapshotRow.received_at, SnapshotRow.number).limit(1), Snapshot)


async def silent(tx: AsyncSession, before: datetime) -> list[Snapshot]:
    """Uploads that have stopped."""
    query = select(SnapshotRow).where(SnapshotRow.state == "receiving", SnapshotRow.changed_at < before)
    rows = (await tx.execute(query.with_for_update(skip_locked=True))).scalars()
    return [db.value(row, Snapshot) for row in rows]


async def older_open(tx: AsyncSession, snapshot: Snapshot) -> list[Snapshot]:
    query = select(SnapshotRow).where(
        SnapshotRow.node == snapshot.node,
        SnapshotRow.number < snapshot.number,
        SnapshotRow.state.in_(domain.OPEN),
    )
    return [db.value(row, Snapshot) for row in (await tx.execute(query.with_for_update())).scalars()]


async def newest_switched(tx: AsyncSession, snapshot: Snapshot) -> int | None:
    """The number of a later one that was switched to, or waits for approval."""
    query = select(func.max(SnapshotRow.number)).where(
        SnapshotRow.node == snapshot.node,
        SnapshotRow.number > snapshot.number,
        SnapshotRow.state.in_(("held", "applied", "partial")),
    )
    return (await tx.execute(query)).scalar_one()


async def forget_outcomes(tx: AsyncSession, batch: UUID) -> None:
    await tx.execute(delete(OutcomeRow).where(OutcomeRow.batch == batch))


async def add_outcomes(tx: AsyncSession, batch: UUID, judged: Sequence[Result]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "batch": batch, "line": r.line, "noun": r.noun, "id": r.id, "outcome": r.outcome, "field": r.field,
            "rule": r.rule, "zh": r.zh, "en": r.en,
        }
        for r in judged
    ]  # fmt: skip
    if rows:
        await tx.execute(OutcomeRow.__table__.insert(), rows)  # pyright: ignore[reportAttributeAccessIssue]


async def counts(tx: AsyncSession, batch: UUID) -> dict[str, int]:
    query = select(OutcomeRow.outcome, func.count()).where(OutcomeRow.batch == batch)
    return dict((await tx.execute(query.group_by(OutcomeRow.outcome))).all())


async def outcomes(
    tx: AsyncSession, batch: UUID, *, outcome: str | None, after: int, limit: int
) -> list[Outcome]:
    query = select(OutcomeRow).where(OutcomeRow.batch == batch, OutcomeRow.line > after)
    if outcome is not None:
        query = query.where(OutcomeRow.outcome == outcome)
    rows = (await tx.execute(query.order_by(OutcomeRow.line).limit(limit))).scalars()
    return [db.value(row, Outcome) for row in rows]


async def outcomes_between(tx: AsyncSession, batch: UUID, first: int, last: int) -> dict[int, Outcome]:
    query = select(OutcomeRow).where(OutcomeRow.batch == batch, OutcomeRow.line.between(first, last))
    return {row.line: db.value(row, Outcome) for row in (await tx.execute(query)).scalars()}


async def patient(tx: AsyncSession) -> None:
    """This transaction may take long."""
    await tx.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))


async def analyze(tx: AsyncSession) -> None:
    """Let the planner know how much is staged before all of it is joined; a small sample tells."""
    await tx.execute(text("SET LOCAL default_statistics_target = 10"))
    await tx.execute(text("ANALYZE catalogue_staging (batch, line, noun, id, role)"))


async def untold(tx: AsyncSession) -> Snapshot | None:
    """One whose records are not all passed on yet, locked."""
    query = select(SnapshotRow).where(SnapshotRow.untold_xid.is_not(None)).limit(1)
    row = (await tx.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if row is None else db.value(row, Snapshot)


async def sweep(tx: AsyncSession) -> None:
    """Staged rows of what is no longer open, and files and outcomes of snapshots long ended."""
    open_ = ", ".join(f"'{state}'" for state in domain.OPEN)
    await tx.execute(
        text(
            "DELETE FROM catalogue_staging s WHERE NOT EXISTS"
            f" (SELECT FROM snapshots n WHERE n.batch = s.batch AND n.state IN ({open_}))"
        )
    )
    for table in ("snapshot_parts", "snapshot_outcomes"):
        await tx.execute(
            text(
                f"DELETE FROM {table} t USING (SELECT batch, state, row_number() OVER (PARTITION BY node"
                " ORDER BY number DESC) AS place FROM snapshots) n"
                f" WHERE n.batch = t.batch AND n.place > {domain.KEPT} AND n.state NOT IN ({open_})"
            )
        )
