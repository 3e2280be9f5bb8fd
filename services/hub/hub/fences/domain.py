"""What a node's words prove about its database, and how it comes back from an older copy."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from common.contracts.envelope import Contract
from common.errors import Conflict, Unavailable

# A beat of an older moment may overtake a newer one; twice in a row is no accident.
STRIKES = 2
Why = Literal["epoch", "feed", "message", "restoration"]


class Position(Contract):
    """The furthest a node was ever seen.

    Shape: messages at or below `floor` are of before its last restoration; `strikes` are beats in a row
    that fell behind, `lost` those that had lost what we had sent.
    """

    node: str
    epoch: int = 1
    feed_seq: int = 0
    floor: int = 0
    strikes: int = 0
    lost: int = 0
    fenced_at: datetime | None = None
    why: Why | None = None


class LostCase(Contract):
    """A demand that its window does not know any more."""

    id: UUID
    number: str
    state: str


class Restoration(Contract):
    """A node begins anew.

    Shape: `epoch` is the one it takes on, `feed_seq` the position its feed goes on from; ordered, then taken
    by the node, ended when it has said all again.
    """

    node: str
    epoch: int
    feed_seq: int
    state: Literal["ordered", "taken", "ended"]
    ordered_at: datetime
    ordered_by: str
    taken_at: datetime | None = None
    ended_at: datetime | None = None
    lost_cases: tuple[LostCase, ...] = ()


class Beat(Contract):
    """What a beat says of positions. `confirmed_seq` is how far we had told it that its feed is applied."""

    node: str
    epoch: int
    feed_seq: int
    applied_seq: int
    confirmed_seq: int


def follow(position: Position, beat: Beat, at: datetime) -> Position:
    """What is known after a beat: further, or one strike nearer to a fence."""
    if beat.epoch > position.epoch:
        return position.model_copy(
            update={
                "epoch": beat.epoch,
                "feed_seq": max(beat.feed_seq, position.floor),
                "strikes": 0,
                "fenced_at": None,
                "why": None,
            }
        )
    why: Why | None = None
    if beat.epoch < position.epoch:
        why = "epoch"
    elif beat.feed_seq < position.feed_seq and position.why != "restoration":
        why = "feed"
    if why is None:
        return position.model_copy(update={"feed_seq": max(beat.feed_seq, position.feed_seq), "strikes": 0})
    struck = position.model_copy(update={"strikes": position.strikes + 1})
    return fence(struck, why, at) if struck.strikes >= STRIKES else struck


def fence(position: Position, why: Why, at: datetime) -> Position:
    """Nothing of the node is applied from now on; why it was fenced first stays."""
    if position.fenced_at is not None:
        return position
    return position.model_copy(update={"fenced_at": at, "why": why})


def order(
    position: Position, *, epoch: int, furthest: int, who: str, at: datetime
) -> tuple[Position, Restoration]:
    """Let a node begin anew, above all that was ever seen of it."""
    epoch, feed_seq = max(epoch, position.epoch) + 1, max(furthest, position.feed_seq)
    held = position.model_copy(
        update={
            "floor": feed_seq,
            "feed_seq": feed_seq,
            "fenced_at": position.fenced_at or at,
            "why": "restoration",
        }
    )
    return held, Restoration(
        node=position.node, epoch=epoch, feed_seq=feed_seq, state="ordered", ordered_at=at, ordered_by=who
    )


def not_taken(epoch: int) -> Conflict:
    return Conflict(
        "epoch-not-taken",
        zh=f"请先在心跳中报告新的 epoch（{epoch}），并以它重新推送全部记录",
        en=f"first report the new epoch ({epoch}) in your heartbeats, and push all records again in it",
    )


class Fences:
    """What a process of the hub must know at every message; read again every second.

    Shape: `applied` is how far each feed is applied; `orders` are restorations not yet taken; `behind` those
    who had confirmed more than we hold, with how much we hold.
    """

    def __init__(self) -> None:
        self.fenced: dict[str, Why] = {}
        self.floors: dict[str, int] = {}
        self.applied: dict[str, int] = {}
        self.orders: dict[str, Restoration] = {}
        self.behind: dict[str, int] = {}
        self.suspects: dict[str, int] = {}

    def admit(self, node: str, feed_seq: int | None) -> bool:
        """Whether a message may be applied as it is; False for one at a position that was used before.

        Raises: Unavailable while the node is fenced: its messages wait in their stream.
        """
        if node in self.fenced or node in self.suspects:
            raise held(node)
        used = feed_seq is not None and self.floors.get(node, 0) < feed_seq <= self.applied.get(node, 0)
        return not used

    def suspect(self, node: str, feed_seq: int) -> Unavailable:
        """Hold the node until the next write, which fences it."""
        self.suspects.setdefault(node, feed_seq)
        return held(node)

    def receipt(self, node: str) -> dict[str, Any]:
        """What a receipt tells beside the position."""
        told: dict[str, Any] = {}
        if node in self.fenced:
            told["fenced"] = self.fenced[node]
        if (restoration := self.orders.get(node)) is not None:
            told["restore"] = {"epoch": restoration.epoch, "feed_seq": restoration.feed_seq}
        if node in self.behind:
            told["again_after"] = self.behind[node]
        return told


def held(node: str) -> Unavailable:
    return Unavailable(
        "sender-fenced",
        zh=f"{node} 的数据库似乎由旧备份恢复，其消息保留待处理；请按 docs/operations.md 执行 hubnet restored {node}",
        en=f"the database of {node} went back in time and its messages wait; run hubnet restored {node}, see"
        " docs/operations.md",
    )
