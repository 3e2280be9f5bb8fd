"""Listen to the nodes' hearts, answer with receipts, and say how each node is."""

import json
from dataclasses import dataclass
from datetime import datetime

from common import heartbeat
from common.auth import Principal
from common.errors import Conflict, absent
from common.heartbeat import Beat, Receipt
from common.node import Node, Topology
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.fences import domain as fences
from hub.fences import service as fencing
from hub.fences.domain import Fences
from hub.members import service as registry
from hub.members.domain import Member, pulled
from hub.nodes import domain, repository
from hub.nodes.domain import Health, Heard, Standing

SUBJECT = "hb"


@dataclass(frozen=True)
class NodeView:
    """A node and all that is known of it. `lag` counts its messages not yet applied here.

    Shape: `member` is None for the hub; `causes` say why an active member is degraded.
    """

    node: Node
    health: Health
    heard: Heard | None
    lag: int | None
    owed: int
    member: Member | None = None
    causes: tuple[str, ...] = ()
    fenced: str | None = None
    drift: int | None = None


class Listener:
    """Beats since the last write, and the receipts to answer them with.

    A beat is answered from memory, so that the hub still answers while its database is away: what the
    receipt says was true and stays true. Beats are written together, once a second.
    """

    def __init__(self, network: Topology, fences: Fences):
        self._known = {node.id for node in network.spokes}
        self._pending: dict[str, Heard] = {}
        self._fences = fences
        self.ignored = 0

    def hear(self, subject: str, payload: bytes, at: datetime) -> bytes | None:
        """The receipt for a beat; None for what is no beat of the node whose subject it came on."""
        try:
            beat = Beat.model_validate(json.loads(payload))
        except (ValueError, RecursionError, ValidationError):
            self.ignored += 1
            return None
        # The bus lets each node use only its own subject; the name inside must agree.
        if subject != f"{SUBJECT}.{beat.node}" or beat.node not in self._known:
            self.ignored += 1
            return None
        self._pending[beat.node] = _heard(beat, at)
        told = self._fences.receipt(beat.node)
        receipt = Receipt(applied_seq=self._fences.applied.get(beat.node, 0), at=at, **told)
        return receipt.model_dump_json(exclude_none=True).encode()

    async def write(self, tx: AsyncSession, *, at: datetime) -> None:
        """Store what was heard, confirm what the nodes have applied, read what we have applied."""
        pending, self._pending = self._pending, {}
        try:
            if pending:
                await repository.note(tx, list(pending.values()))
                for beat in pending.values():
                    await _confirm(tx, beat.node, beat.applied_seq)
            heard = [(_furthest(beat), beat.node) for beat in pending.values()]
            behind = await fencing.hear(tx, heard, at=at)
            await fencing.fence(tx, list(self._fences.suspects), at=at)
            await fencing.refresh(tx, self._fences, pending, behind)
        except BaseException:
            # Not lost with the transaction; a newer beat of the same node counts more.
            self._pending = pending | self._pending
            raise


def _heard(beat: Beat, at: datetime) -> Heard:
    return Heard(
        **beat.model_dump(),
        heard_at=at,
        beating_since=at,
        offset_s=round((beat.sent_at - at).total_seconds(), 3),
    )


def _furthest(beat: Heard) -> fences.Beat:
    return fences.Beat.model_validate(beat.model_dump())


async def _confirm(tx: AsyncSession, feed: str, applied_seq: int) -> None:
    if applied_seq > 0:
        connection = (await (await tx.connection()).get_raw_connection()).driver_connection
        assert connection is not None
        await heartbeat.confirm(connection, feed, applied_seq)


async def overview(tx: AsyncSession, network: Topology, *, at: datetime) -> list[NodeView]:
    """Every node of the topology, in its order, then who joined. The hub itself is ready: it answers."""
    heard, applied, owed = (
        await repository.everything(tx),
        await repository.applied(tx),
        await repository.owed(tx),
    )
    refused = await repository.refused(tx)
    seen = await fencing.positions(tx)
    drift = await repository.drift(tx)
    known = {member.id: member for member in await registry.everything(tx)}
    views: list[NodeView] = []
    for node in network.nodes:
        beat = heard.get(node.id)
        if node.kind == "hub":
            views.append(NodeView(node, Health(state="ready", since=None), None, None, 0))
            continue
        lag = None if beat is None else max(0, beat.feed_seq - applied.get(node.id, 0))
        member = known.get(node.id)
        owing = owed.get(pulled(node.id) if member is not None and member.via == "http" else node.id, 0)
        health = domain.health(beat, at)
        causes = domain.causes(health, beat, refused.get(node.id, 0))
        why = seen[node.id].why if node.id in seen else None
        views.append(NodeView(node, health, beat, lag, owing, member, causes, why, drift.get(node.id)))
    return views


async def beat(tx: AsyncSession, who: Principal, beat: Beat, *, at: datetime) -> Receipt:
    """Hear a platform that joined, and tell how far its feed is applied.

    Raises: NotFound for anybody but that platform; Conflict when it has left, or beats on the bus.
    """
    member = await registry.get(tx, beat.node)
    if member is None or not who.staff_of(beat.node):
        raise absent("平台", "platform")
    if member.via == "bus":
        raise Conflict(
            "member-on-the-bus",
            zh="该平台经总线发送心跳；请使用总线",
            en="this platform beats on the bus; use the bus",
        )
    if member.state == "retired":
        domain.standing(member, epoch=beat.epoch, fenced=False).admit()
    await repository.note(tx, [_heard(beat, at)])
    await _confirm(tx, pulled(beat.node), beat.applied_seq)
    memory = Fences()
    behind = await fencing.hear(tx, [(_furthest(_heard(beat, at)), pulled(beat.node))], at=at)
    await fencing.refresh(tx, memory, (), behind)
    return Receipt(applied_seq=memory.applied.get(beat.node, 0), at=at, **memory.receipt(beat.node))


async def silent(tx: AsyncSession, *, at: datetime) -> dict[str, datetime]:
    """The nodes that were heard once and are not now, with when they were last."""
    heard = await repository.everything(tx)
    return {node: beat.heard_at for node, beat in heard.items() if domain.health(beat, at).state == "silent"}


async def heard(tx: AsyncSession, id: str) -> Heard | None:
    """The last beat of a node."""
    return (await repository.everything(tx)).get(id)


async def behind(tx: AsyncSession, id: str) -> tuple[int | None, int]:
    """How many messages of a node of the bus are not applied here, None unheard; how many of ours it owes."""
    beat = await heard(tx, id)
    lag = None if beat is None else max(0, beat.feed_seq - (await repository.applied(tx)).get(id, 0))
    return lag, (await repository.owed(tx)).get(id, 0)


async def standing(tx: AsyncSession, id: str) -> Standing | None:
    """What a member may do at the hub now; None for who is none."""
    member = await registry.get(tx, id)
    if member is None:
        return None
    at = (await fencing.positions(tx)).get(id, fences.Position(node=id))
    return domain.standing(member, epoch=at.epoch, fenced=at.fenced_at is not None)


async def members(tx: AsyncSession) -> dict[str, Standing]:
    """What every member may do at the hub now."""
    seen = await fencing.positions(tx)
    found: dict[str, Standing] = {}
    for member in await registry.everything(tx):
        at = seen.get(member.id, fences.Position(node=member.id))
        found[member.id] = domain.standing(member, epoch=at.epoch, fenced=at.fenced_at is not None)
    return found
