"""Take in whole catalogues: kept as they come, staged row by row, switched to at once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from datetime import datetime
from itertools import cycle
from typing import BinaryIO

from common import audit, ids, log, outbox
from common.auth import Principal
from common.contracts.envelope import wrap
from common.errors import Conflict, absent
from common.outbox import HUB
from sqlalchemy.ext.asyncio import AsyncSession

from hub.changes import service as changes
from hub.changes.domain import NOUNS, Lines
from hub.changes.lines import Item, Noun
from hub.changes.service import Aim
from hub.members import service as members
from hub.members.domain import Membership
from hub.snapshots import domain, files, reading, repository
from hub.snapshots.domain import Outcome, Snapshot
from hub.uploads import service as uploads
from hub.uploads.domain import Broken, Format
from hub.uploads.service import Begin

CHUNK = 2000


async def open_(
    tx: AsyncSession, who: Principal, node: str, form: Format, membership: Membership, *, at: datetime
) -> Snapshot:
    """A new snapshot whose file is about to come.

    Raises: NotFound; Conflict while nothing of the platform is taken over.
    """
    await members.own(tx, who, node)
    await changes.aim(tx, membership, node)
    await repository.lock_numbers(tx, node)
    snapshot = Snapshot(
        node=node, number=await repository.last_number(tx, node) + 1, batch=ids.new(), state="receiving",
        format=form, received_by=who.subject, received_at=at, changed_at=at,
    )  # fmt: skip
    await repository.add(tx, snapshot)
    return snapshot


async def keep(tx: AsyncSession, snapshot: Snapshot, part: int, data: bytes, *, at: datetime) -> None:
    await uploads.keep(tx, snapshot.batch, part, data)
    await repository.save(tx, domain.moved(snapshot, "receiving", at))


async def close(
    tx: AsyncSession, who: Principal, snapshot: Snapshot, *, size_bytes: int, sha256: str, at: datetime
) -> Snapshot:
    """The file is whole; the work may begin."""
    snapshot = domain.received(snapshot, at, size_bytes=size_bytes, sha256=sha256)
    await repository.save(tx, snapshot)
    detail = {"number": snapshot.number, "size_bytes": size_bytes, "sha256": sha256}
    await audit.add(tx, who.subject, "snapshot.received", snapshot.node, at=at, detail=detail)
    return snapshot


async def break_off(tx: AsyncSession, snapshot: Snapshot, *, at: datetime) -> None:
    """The upload ended before its end."""
    held = await repository.get(tx, snapshot.node, snapshot.number, lock=True)
    if held is not None and held.state == "receiving":
        await _reject(
            tx,
            held,
            at,
            "upload-broken",
            "上传中断；请重新上传完整文件",
            "the upload broke off; send the whole file again",
        )


async def _reject(
    tx: AsyncSession, snapshot: Snapshot, at: datetime, reason: str, zh: str, en: str
) -> Snapshot:
    snapshot = domain.rejected(snapshot, at, reason=reason, zh=zh, en=en)
    await repository.save(tx, snapshot)
    await changes.unstage(tx, snapshot.batch)
    detail = {"number": snapshot.number, "reason": reason}
    await audit.add(tx, f"node:{HUB}", "snapshot.rejected", snapshot.node, at=at, detail=detail)
    log.get("snapshots").warning(
        "snapshot-rejected", node=snapshot.node, number=snapshot.number, reason=reason
    )
    return snapshot


async def get(tx: AsyncSession, who: Principal, node: str, number: int, *, lock: bool = False) -> Snapshot:
    """Raises: NotFound."""
    await members.own(tx, who, node)
    snapshot = await repository.get(tx, node, number, lock=lock)
    if snapshot is None:
        raise absent("快照", "snapshot")
    return snapshot


async def page(
    tx: AsyncSession, who: Principal, node: str, *, before: int | None, limit: int
) -> tuple[Sequence[Snapshot], int | None]:
    await members.own(tx, who, node)
    return await repository.page(tx, node, before=before, limit=limit)


async def outcomes(
    tx: AsyncSession, snapshot: Snapshot, *, outcome: str | None, after: int, limit: int
) -> list[Outcome]:
    """What became of each row, in the order of the file."""
    return await repository.outcomes(tx, snapshot.batch, outcome=outcome, after=after, limit=limit)


async def outcomes_between(tx: AsyncSession, snapshot: Snapshot, first: int, last: int) -> dict[int, Outcome]:
    """What became of some lines."""
    return await repository.outcomes_between(tx, snapshot.batch, first, last)


async def approve(tx: AsyncSession, who: Principal, node: str, number: int, *, at: datetime) -> Snapshot:
    """Raises: NotFound; Conflict unless it is held."""
    snapshot = domain.approved(await get(tx, who, node, number, lock=True), who.subject, at)
    await repository.save(tx, snapshot)
    detail = {"number": number, "removals": snapshot.removals, "held": snapshot.held}
    await audit.add(tx, who.subject, "snapshot.approved", node, at=at, detail=detail)
    return snapshot


async def discard(tx: AsyncSession, who: Principal, node: str, number: int, *, at: datetime) -> Snapshot:
    """Raises: NotFound; Conflict when it has ended."""
    snapshot = domain.discarded(await get(tx, who, node, number, lock=True), at)
    await repository.save(tx, snapshot)
    await changes.unstage(tx, snapshot.batch)
    await audit.add(tx, who.subject, "snapshot.discarded", node, at=at, detail={"number": number})
    return snapshot


async def give_up_on_the_silent(tx: AsyncSession, *, at: datetime) -> None:
    """End the uploads that have stopped growing."""
    for snapshot in await repository.silent(tx, at - domain.SILENCE):
        await _reject(
            tx,
            snapshot,
            at,
            "upload-broken",
            "上传中断；请重新上传完整文件",
            "the upload broke off; send the whole file again",
        )


async def due(tx: AsyncSession) -> Snapshot | None:
    return await repository.due(tx)


async def begin_work(tx: AsyncSession, snapshot: Snapshot, *, at: datetime) -> Snapshot | None:
    """Start from the beginning of the file; None when it was tried too often, or has ended meanwhile."""
    held = await repository.get(tx, snapshot.node, snapshot.number, lock=True)
    if held is None or held.state not in domain.DUE:
        return None
    if held.attempts >= domain.ATTEMPTS:
        zh, en = (
            "处理多次失败，已停止；请联系运维",
            "the work failed several times and was stopped; tell operations",
        )
        await _reject(tx, held, at, "work-failed", zh, en)
        return None
    begun = domain.begun(held, at)
    await changes.unstage(tx, begun.batch)
    await repository.forget_outcomes(tx, begun.batch)
    await repository.save(tx, begun)
    return begun


async def stage(
    begin: Begin, snapshot: Snapshot, membership: Membership, now: Callable[[], datetime]
) -> Snapshot:
    """Read the whole file into the staging table, in transactions of their own. Ends as staged or rejected."""
    try:
        async with uploads.whole(begin, snapshot.batch, snapshot.size_bytes, snapshot.format) as file:
            return await _read(begin, snapshot, file, membership, now)
    except (Broken, Conflict) as error:
        async with begin() as tx:
            return await _reject(tx, snapshot, now(), error.code, error.zh, error.en)


async def _read(
    begin: Begin, snapshot: Snapshot, file: BinaryIO, membership: Membership, now: Callable[[], datetime]
) -> Snapshot:
    """Raises: Broken, Conflict."""
    async with begin() as tx:
        goal = await changes.aim(tx, membership, snapshot.node)
    judge, nouns = Lines(), set[Noun]()
    async with aclosing(_chunks(file, snapshot, goal.epoch)) as chunks:
        async for chunk in chunks:
            nouns |= {line.noun for line in chunk if line.noun is not None}
            async with begin() as tx:
                judge.take(await changes.complete(tx, goal, chunk))
                ready, judged = judge.taken()
                await changes.stage(tx, snapshot.batch, ready, judged)
                await repository.add_outcomes(tx, snapshot.batch, judged)
                snapshot = domain.read(snapshot, chunk, [noun for noun in NOUNS if noun in nouns], now())
                await repository.save(tx, snapshot)
    async with begin() as tx:
        await repository.save(tx, domain.moved(snapshot, "validated", now()))
        await repository.analyze(tx)
        counts = await repository.counts(tx, snapshot.batch)
        if snapshot.rows_read and counts.get("rejected", 0) == snapshot.rows_read:
            zh = "没有一行可以采纳；逐行原因见 outcomes"
            return await _reject(
                tx, snapshot, now(), "no-good-row", zh, "not one row is good; see the outcomes"
            )
        snapshot = domain.moved(snapshot, "staged", now())
        await repository.save(tx, snapshot)
    return snapshot


async def _chunks(file: BinaryIO, snapshot: Snapshot, epoch: int) -> AsyncGenerator[list[Item]]:
    """The rows of a file in their order, read beside what is done with them.

    Raises: Broken.
    """
    form, node = snapshot.format, snapshot.node
    if form == "hsds" or snapshot.size_bytes < reading.LARGE_BYTES:
        few = reading.chunks(file, form, node, epoch)
        while (chunk := await asyncio.to_thread(next, few, None)) is not None:
            yield chunk
        return
    words = (file.name, form, node, str(epoch))
    async with AsyncExitStack() as stack:
        parts = [
            await stack.enter_async_context(
                uploads.spoken(reading.__name__, *words, str(part), str(reading.PARTS))
            )
            for part in range(reading.PARTS)
        ]
        # Each reads every second chunk: they come in turn, and whoever has none left was the last.
        for part in cycle(parts):
            said = await part.get()
            if isinstance(said, Exception):
                raise said
            if isinstance(said, tuple):
                raise Broken(said[0], zh=said[1], en=said[2], field=said[3])
            if said is None:
                return
            yield said


async def switch(tx: AsyncSession, snapshot: Snapshot, membership: Membership, *, at: datetime) -> Snapshot:
    """Take over a staged catalogue in this one transaction, or hold it: a reader never sees half of it."""
    await repository.patient(tx)
    await changes.one_at_a_time(tx, snapshot.node)
    held_ = await repository.get(tx, snapshot.node, snapshot.number, lock=True)
    if held_ is None or held_.state != "staged":
        return snapshot
    snapshot = held_
    if (newer := await repository.newest_switched(tx, snapshot)) is not None:
        return await _superseded(tx, snapshot, newer, at)
    goal = await changes.aim(tx, membership, snapshot.node)
    removing = _covered(snapshot, goal)
    removals, held = await changes.leaving(tx, goal, snapshot.batch, removing)
    meant = snapshot.approved_at is not None
    if not meant and (removals > domain.allowance(held) or (snapshot.rows_read == 0 and held > 0)):
        snapshot = await _hold(tx, snapshot, membership, removals, held, at)
    else:
        await changes.stage_removals(tx, goal, snapshot.batch, removing, files.AFTER)
        await changes.apply_into(tx, goal, snapshot.batch, repository.OUTCOMES, at=at)
        counts = await repository.counts(tx, snapshot.batch)
        xid = await changes.transaction(tx) if goal.to is not None else None
        snapshot = domain.ended(snapshot, at, counts=counts, removals=removals, held=held, xid=xid)
        await repository.save(tx, snapshot)
        detail = {"number": snapshot.number, **snapshot.counts}
        await audit.add(tx, f"node:{HUB}", f"snapshot.{snapshot.state}", snapshot.node, at=at, detail=detail)
    for older in await repository.older_open(tx, snapshot):
        await _superseded(tx, older, snapshot.number, at)
    return snapshot


def _covered(snapshot: Snapshot, goal: Aim) -> Sequence[Noun]:
    """The nouns whose missing records are gone: none while a row may stand for any of them."""
    if not goal.absence or snapshot.rows_unreadable:
        return ()
    return snapshot.nouns if snapshot.rows_read else NOUNS


async def _superseded(tx: AsyncSession, snapshot: Snapshot, by: int, at: datetime) -> Snapshot:
    older = domain.superseded(snapshot, at, by)
    await repository.save(tx, older)
    await changes.unstage(tx, older.batch)
    detail = {"number": older.number, "by": by}
    await audit.add(tx, f"node:{HUB}", "snapshot.superseded", older.node, at=at, detail=detail)
    return older


async def _hold(
    tx: AsyncSession, snapshot: Snapshot, membership: Membership, removals: int, held: int, at: datetime
) -> Snapshot:
    """Emits: SnapshotHeld, to its platform."""
    snapshot = domain.held(snapshot, at, removals=removals, held=held)
    await repository.save(tx, snapshot)
    envelope = wrap(domain.told(snapshot), id=ids.new(), source=HUB, at=at, recipient=snapshot.node)
    await outbox.forward(tx, envelope, membership.feed(snapshot.node))
    detail = {"number": snapshot.number, "removals": removals, "held": held, "reason": snapshot.reason}
    await audit.add(tx, f"node:{HUB}", "snapshot.held", snapshot.node, at=at, detail=detail)
    log.get("snapshots").error("snapshot-held", node=snapshot.node, **detail)
    return snapshot


async def refuse(tx: AsyncSession, snapshot: Snapshot, error: Conflict, *, at: datetime) -> None:
    """It can no longer be switched to: its platform may not change its catalogue now."""
    await _reject(tx, snapshot, at, error.code, error.zh, error.en)


async def tidy(tx: AsyncSession) -> None:
    await repository.sweep(tx)


async def pass_on(tx: AsyncSession, membership: Membership, *, at: datetime) -> bool:
    """Owe matchmaking a part of what was switched to. Whether there was any.

    Shape: not with the switch, which would hold the whole catalogue up by as much again.
    """
    snapshot = await repository.untold(tx)
    if snapshot is None or snapshot.untold_xid is None:
        return False
    last = None
    with suppress(
        Conflict
    ):  # while nothing of it is taken over it is not found either; drift is mended later
        goal = await changes.aim(tx, membership, snapshot.node)
        last = await changes.pass_on(tx, goal, snapshot.untold_xid, snapshot.told_id, CHUNK, at=at)
    await repository.save(tx, domain.passed_on(snapshot, last))
    return True


async def index(tx: AsyncSession) -> bool:
    """Bring a part of the words that came in bulk into the index. Whether there was any."""
    return await changes.index(tx, CHUNK) > 0
