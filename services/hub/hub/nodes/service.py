"""Listen to the nodes' hearts, answer with receipts, and say how each node is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common import heartbeat
from common.heartbeat import Beat, Receipt
from common.node import Node, Topology
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.nodes import domain, repository
from hub.nodes.domain import Health, Heard

SUBJECT = "hb"


@dataclass(frozen=True)
class NodeView:
    """A node and all that is known of it. `lag` counts its messages not yet applied here."""

    node: Node
    health: Health
    heard: Heard | None
    lag: int | None
    owed: int


class Listener:
    """Beats since the last write, and the receipts to answer them with.

    A beat is answered from memory, so that the hub still answers while its database is away: what the
    receipt says was true and stays true. Beats are written together, once a second.
    """

    def __init__(self, network: Topology):
        self._known = {node.id for node in network.spokes}
        self._pending: dict[str, Heard] = {}
        self._applied: dict[str, int] = {}
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
        self._pending[beat.node] = Heard(
            **beat.model_dump(),
            heard_at=at,
            beating_since=at,
            offset_s=round((beat.sent_at - at).total_seconds(), 3),
        )
        return Receipt(applied_seq=self._applied.get(beat.node, 0), at=at).model_dump_json().encode()

    async def write(self, tx: AsyncSession) -> None:
        """Store what was heard, confirm what the nodes have applied, read what we have applied."""
        pending, self._pending = self._pending, {}
        try:
            if pending:
                await repository.note(tx, list(pending.values()))
                await _confirm(tx, list(pending.values()))
            self._applied = await repository.applied(tx)
        except BaseException:
            # Not lost with the transaction; a newer beat of the same node counts more.
            self._pending = pending | self._pending
            raise


async def _confirm(tx: AsyncSession, heard: Sequence[Heard]) -> None:
    connection = (await (await tx.connection()).get_raw_connection()).driver_connection
    assert connection is not None
    for beat in heard:
        if beat.applied_seq > 0:
            await heartbeat.confirm(connection, beat.node, beat.applied_seq)


async def overview(tx: AsyncSession, network: Topology, *, at: datetime) -> list[NodeView]:
    """Every node of the topology, in its order. The hub itself is ready: it answers."""
    heard, applied, owed = (
        await repository.everything(tx),
        await repository.applied(tx),
        await repository.owed(tx),
    )
    views: list[NodeView] = []
    for node in network.nodes:
        beat = heard.get(node.id)
        if node.kind == "hub":
            views.append(NodeView(node, Health(state="ready", since=None), None, None, 0))
            continue
        lag = None if beat is None else max(0, beat.feed_seq - applied.get(node.id, 0))
        views.append(NodeView(node, domain.health(beat, at), beat, lag, owed.get(node.id, 0)))
    return views
