"""Fence who went back in time, order it to begin anew, and help who lost what it had confirmed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from common import audit, heartbeat
from common.auth import Principal
from common.contracts.envelope import Envelope
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import service as cases
from hub.catalogue import service as catalogue
from hub.fences import domain, repository
from hub.fences.domain import Beat, Fences, LostCase, Position, Restoration


async def admit(tx: AsyncSession, fences: Fences, envelope: Envelope) -> None:
    """Raises: Unavailable: the message waits in its stream."""
    node, feed_seq = envelope.source, envelope.feedseq
    if fences.admit(node, feed_seq) or feed_seq is None:
        return
    # A new message at a position that is applied: its sender numbers anew, unless it is one we had parked.
    if not await repository.parked(tx, node, str(envelope.id)):
        raise fences.suspect(node, feed_seq)


async def hear(tx: AsyncSession, beats: Sequence[tuple[Beat, str]], *, at: datetime) -> dict[str, int]:
    """Follow beats, each with the feed its node reads. Returns those who had confirmed more than we hold."""
    known = await repository.positions(tx, [beat.node for beat, _ in beats], lock=True)
    applied = await repository.applied(tx)
    behind: dict[str, int] = {}
    for beat, feed in beats:
        before = known.get(beat.node, Position(node=beat.node))
        position = domain.follow(before, beat, at)
        if position.epoch > before.epoch:
            await _taken(tx, position, at)
        position = await _resend(tx, position, beat, feed)
        if position != before or beat.node not in known:
            await repository.keep(tx, position)
        if beat.confirmed_seq > applied.get(beat.node, 0):
            behind[beat.node] = applied.get(beat.node, 0)
    return behind


async def _taken(tx: AsyncSession, position: Position, at: datetime) -> None:
    restoration = await repository.last(tx, position.node)
    if restoration is not None and (restoration.epoch, restoration.state) == (position.epoch, "ordered"):
        await repository.save(tx, restoration.model_copy(update={"state": "taken", "taken_at": at}))


async def _resend(tx: AsyncSession, position: Position, beat: Beat, feed: str) -> Position:
    """Our feed to the node: one of us may have lost what the other had."""
    last, confirmed = await repository.told(tx, feed)
    connection = await _connection(tx)
    if beat.applied_seq > last:
        # It has applied more than we know to have said: we are the older copy.
        await heartbeat.number_above(connection, feed, beat.applied_seq)
    if beat.applied_seq >= confirmed:
        return position.model_copy(update={"lost": 0})
    if position.lost + 1 < domain.STRIKES:
        return position.model_copy(update={"lost": position.lost + 1})
    await heartbeat.send_again(connection, feed, beat.applied_seq)
    return position.model_copy(update={"lost": 0})


async def _connection(tx: AsyncSession) -> Any:
    return (await (await tx.connection()).get_raw_connection()).driver_connection


async def fence(tx: AsyncSession, nodes: Iterable[str], *, at: datetime) -> None:
    """Fence nodes whose messages proved it."""
    known = await repository.positions(tx, nodes, lock=True)
    for node in nodes:
        await repository.keep(tx, domain.fence(known.get(node, Position(node=node)), "message", at))


async def refresh(tx: AsyncSession, fences: Fences, heard: Iterable[str], behind: dict[str, int]) -> None:
    """Bring this process's memory to what the database says; of those heard now, `behind` is all that is."""
    known = await repository.positions(tx)
    fences.fenced = {node: one.why for node, one in known.items() if one.fenced_at is not None and one.why}
    fences.floors = {node: one.floor for node, one in known.items()}
    fences.applied = await repository.applied(tx)
    fences.orders = await repository.ordered(tx)
    fences.behind = {node: at for node, at in fences.behind.items() if node not in heard} | behind
    fences.suspects = {}


async def positions(tx: AsyncSession) -> dict[str, Position]:
    """How far each node was ever seen, and who is fenced."""
    return await repository.positions(tx)


async def order(tx: AsyncSession, who: Principal, node: str, *, at: datetime) -> Restoration:
    """Let a node that was restored from an older copy begin anew. Repeated, the open order is the answer."""
    before = await repository.last(tx, node)
    if before is not None and before.state == "ordered":
        return before
    known = await repository.positions(tx, [node], lock=True)
    position, restoration = domain.order(
        known.get(node, Position(node=node)),
        epoch=await catalogue.newest_epoch(tx, node),
        furthest=await repository.furthest(tx, node),
        who=who.subject,
        at=at,
    )
    await repository.keep(tx, position)
    await repository.go_on_from(tx, node, position.feed_seq)
    await repository.add(tx, restoration)
    await audit.add(
        tx, who.subject, "restoration.ordered", node, at=at,
        detail={"epoch": restoration.epoch, "feed_seq": restoration.feed_seq},
    )  # fmt: skip
    return restoration


async def end(tx: AsyncSession, node: str, *, at: datetime) -> Restoration | None:
    """The node has said all it has; demands it did not say are lost, and listed for operators."""
    restoration = await repository.last(tx, node)
    if restoration is None or restoration.state == "ended":
        return None
    lost = [
        LostCase(id=one.id, number=one.body["number"], state=one.state)
        for one in await cases.unsaid(tx, node, restoration.epoch)
    ]
    ended = restoration.model_copy(
        update={
            "state": "ended",
            "taken_at": restoration.taken_at or at,
            "ended_at": at,
            "lost_cases": tuple(lost),
        }
    )
    await repository.save(tx, ended)
    return ended


async def complete(tx: AsyncSession, who: Principal, node: str, *, at: datetime) -> Restoration:
    """The node says itself that it has said all. Repeated, the answer is the same.

    Raises: NotFound, Conflict while it has not taken the epoch.
    """
    restoration = await repository.last(tx, node)
    if restoration is None:
        raise absent("恢复登记", "restoration")
    if restoration.state == "ordered":
        raise domain.not_taken(restoration.epoch)
    ended = await end(tx, node, at=at)
    if ended is None:
        return restoration
    await audit.add(
        tx, who.subject, "restoration.ended", node, at=at,
        detail={"epoch": ended.epoch, "lost_cases": len(ended.lost_cases)},
    )  # fmt: skip
    return ended


async def restorations(tx: AsyncSession, node: str) -> Sequence[Restoration]:
    return await repository.of_node(tx, node)
