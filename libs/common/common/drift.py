"""The holder's side of a comparison: find what differs in our copies, ask for it, note how it stands.

See contracts.digests for the steps. A difference that was asked for three times in vain waits for
somebody to order a repair; so does one that is no loss but a contradiction.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from common import digests
from common.contracts.digests import (
    ROWS,
    DigestCompared,
    DigestListed,
    DigestQuestioned,
    DigestTaken,
    DigestWanted,
    Exchange,
    Wanted,
)
from common.convergence import Line, digest, follows, records
from common.digests import KINDS, Difference, Digest, Key, Record
from common.tables import DifferenceRow, DriftRow

# So often a difference is asked for by itself.
ASKED = 3
# In its first round what is found is mended; in its second only looked at.
ROUNDS = 2
# Why a copy was ended here: by us, in its owner's name.
DISOWNED = "disowned"


@dataclass(frozen=True)
class Copies:
    """What is held of others.

    Shape: `live` and `ended` are SQL for the records of :owner that are alive, and for the tombstones;
    `forget` drops a copy that contradicts the owner's, where the one who tells it is not its owner and
    cannot say it under a newer version.
    """

    observer: str
    live: str
    ended: str
    forget: Callable[[AsyncSession, str, Key], Awaitable[None]] | None = None


def copies(observer: str, offerings: str, providers: str, **other: Any) -> Copies:
    """The copies in two tables of `CopyColumns`."""

    def of(content: str, deleted: str) -> str:
        return " UNION ALL ".join(
            f"SELECT '{noun}' AS noun, id, epoch, version, {content} AS content_hash FROM {table}"
            f" WHERE owner = :owner AND {deleted}"
            for noun, table in (("offering", offerings), ("provider", providers))
        )

    ours = f"CASE WHEN body ->> 'state_reason' = '{DISOWNED}' THEN '{DISOWNED}' ELSE content_hash END"
    return Copies(observer, of("content_hash", "NOT deleted"), of(ours, "deleted"), **other)


async def on_taken(tx: AsyncSession, held: Copies, line: Line, fact: DigestTaken, *, at: datetime) -> bool:
    """Compare; question the buckets that differ. Whether none does. Emits: DigestQuestioned or DigestCompared."""
    theirs = Digest.parse(fact.buckets)
    mine = await digest(tx, held.live, fact.owner)
    differing = mine.differing(theirs)
    await tx.execute(
        delete(DifferenceRow).where(DifferenceRow.owner == fact.owner, DifferenceRow.bucket.not_in(differing))
    )
    if differing:
        await _note(tx, held, fact, "questioned", at=at, records=mine.count)
        await line.say(tx, DigestQuestioned(**follows(fact), buckets=differing), at=at)
        return False
    before = await get(tx, held.observer, fact.owner)
    repaired = before is not None and any(before.drift.values())
    await _note(
        tx, held, fact, "equal", at=at, records=mine.count, drift={}, compared_at=at, equal_at=at,
        **({"repaired_at": at} if repaired else {}),
    )  # fmt: skip
    return True


async def on_listed(tx: AsyncSession, held: Copies, line: Line, fact: DigestListed, *, at: datetime) -> None:
    """Find what differs in a bucket and ask for it. Emits: DigestWanted."""
    theirs = [Record(*row) for row in fact.rows]
    bounds = {"after": fact.after, "upto": fact.upto}
    mine = await records(tx, held.live, fact.owner, [fact.bucket], **bounds)
    ended = await records(tx, held.ended, fact.owner, [fact.bucket], **bounds)
    found = digests.compare(theirs, mine, {record.key: record for record in ended})
    asked = await _keep(tx, fact, found, at)
    wanted = await _wanted(tx, held, fact, found, asked)
    final = fact.rest == 0
    if wanted or final:
        await _ask(tx, held, line, fact, wanted, final, at)


async def _ask(
    tx: AsyncSession,
    held: Copies,
    line: Line,
    fact: DigestListed,
    wanted: Sequence[Wanted],
    final: bool,
    at: datetime,
) -> None:
    known = await get(tx, held.observer, fact.owner)
    # Parts before this one may have asked for something: then the last one tells the owner to look again.
    repairing = bool(wanted) or (
        known is not None and (known.exchange, known.state) == (fact.id, "repairing")
    )
    if repairing:
        last = final and fact.round < ROUNDS
        parts = [wanted[first : first + ROWS] for first in range(0, len(wanted), ROWS)] or [()]
        facts = [
            DigestWanted(**follows(fact), records=tuple(part), last=last and place == len(parts) - 1)
            for place, part in enumerate(parts)
        ]
        await line.say(tx, *(one for one in facts if one.records or one.last), at=at)
    more = {"drift": await counts(tx, fact.owner), "compared_at": at} if final else {}
    await _note(tx, held, fact, "repairing" if repairing else "questioned", at=at, **more)


async def _keep(
    tx: AsyncSession, fact: DigestListed, found: Sequence[Difference], at: datetime
) -> dict[Key, int]:
    """Replace what was known of this part of the bucket. How often each difference has been asked for."""
    inside = [DifferenceRow.owner == fact.owner, DifferenceRow.bucket == fact.bucket]
    if fact.after is not None:
        inside.append(DifferenceRow.id > fact.after)
    if fact.upto is not None:
        inside.append(DifferenceRow.id <= fact.upto)
    known = {
        (row.noun, row.id): row
        for row in (await tx.execute(delete(DifferenceRow).where(*inside).returning(DifferenceRow))).scalars()
    }
    rows: list[dict[str, Any]] = []
    asked: dict[Key, int] = {}
    for one in found:
        before = known.get(one.key)
        same = before is not None and (before.epoch, before.version) == _age(one.theirs)
        asked[one.key] = before.asked if before is not None and same else 0
        asking = fact.round < ROUNDS
        rows.append(_row(fact, one, before.found_at if before else at, asked[one.key] + asking))
    if rows:
        await tx.execute(insert(DifferenceRow), rows)
    return asked


def _row(fact: DigestListed, one: Difference, found_at: datetime, asked: int) -> dict[str, Any]:
    noun, id = one.key
    epoch, version = _age(one.theirs)
    held_epoch, held_version = _age(one.held)
    return {
        "owner": fact.owner, "noun": noun, "id": id, "bucket": fact.bucket, "kind": one.kind, "epoch": epoch,
        "version": version, "held_epoch": held_epoch, "held_version": held_version, "found_at": found_at,
        "asked": asked,
    }  # fmt: skip


def _age(record: Record | None) -> tuple[int, int]:
    return (0, 0) if record is None else record.age


async def _wanted(
    tx: AsyncSession, held: Copies, fact: DigestListed, found: Iterable[Difference], asked: dict[Key, int]
) -> list[Wanted]:
    if fact.round >= ROUNDS:
        return []
    wanted: list[Wanted] = []
    for one in found:
        noun, id = one.key
        contradicts = one.kind in ("content", "ahead")
        if not fact.repair and (
            asked[one.key] >= ASKED
            or (contradicts and held.forget is None and not (one.held and one.held.content == DISOWNED))
        ):
            continue
        if contradicts and held.forget is not None:
            await held.forget(tx, fact.owner, one.key)
        # What stands against the owner's word has to be exceeded.
        above = one.held.age if one.held is not None and (contradicts or one.kind == "extra") else None
        wanted.append(Wanted(noun=noun, id=id, above=above))
    return wanted


async def get(tx: AsyncSession, observer: str, owner: str) -> DriftRow | None:
    query = select(DriftRow).where(DriftRow.observer == observer, DriftRow.owner == owner)
    return (await tx.execute(query, execution_options={"populate_existing": True})).scalar_one_or_none()


async def counts(tx: AsyncSession, owner: str) -> dict[str, int]:
    """The known differences by kind; kinds without one are left out."""
    query = (
        select(DifferenceRow.kind, func.count())
        .where(DifferenceRow.owner == owner)
        .group_by(DifferenceRow.kind)
        .order_by(DifferenceRow.kind)
    )
    return dict((await tx.execute(query)).all())


async def _note(
    tx: AsyncSession, held: Copies, fact: Exchange, state: str, *, at: datetime, **other: Any
) -> None:
    await note(tx, held.observer, fact, state, at=at, **other)


async def note(
    tx: AsyncSession, observer: str, fact: Exchange, state: str, *, at: datetime, **other: Any
) -> None:
    """How a comparison stands now."""
    values = {
        "observer": observer, "owner": fact.owner, "exchange": fact.id, "round": fact.round, "state": state,
        "drift": {}, "records": 0, "asked_at": at, **other,
    }  # fmt: skip
    changed = {"exchange", "round", "state"} | set(other)
    statement = insert(DriftRow).values(values)
    new = statement.excluded
    # The time of asking belongs to an exchange's first step.
    asked_at = text(
        "CASE WHEN drift.exchange = excluded.exchange THEN drift.asked_at ELSE excluded.asked_at END"
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["observer", "owner"],
            set_={name: new[name] for name in changed} | {"asked_at": asked_at},
        )
    )


async def tell(tx: AsyncSession, line: Line, fact: Exchange, *, at: datetime) -> None:
    """Tell the hub how our copies stand. Emits: DigestCompared."""
    found = Counter(await counts(tx, fact.owner))
    told = DigestCompared(**follows(fact, **{kind: found[kind] for kind in KINDS}))
    await line.say(tx, told, at=at)


async def differences(tx: AsyncSession, owner: str, limit: int) -> list[DifferenceRow]:
    query = select(DifferenceRow).where(DifferenceRow.owner == owner).order_by(DifferenceRow.id).limit(limit)
    return list((await tx.execute(query)).scalars())


async def known(tx: AsyncSession) -> list[DriftRow]:
    """Every comparison there was."""
    return list((await tx.execute(select(DriftRow).order_by(DriftRow.observer, DriftRow.owner))).scalars())


def ended(body: dict[str, Any]) -> dict[str, Any]:
    """The state after a record's last: its owner does not know it any more."""
    return body | {"state": "retired", "state_reason": DISOWNED, "version": body["version"] + 1}
