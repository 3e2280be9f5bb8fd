from datetime import datetime
from typing import Literal

from common.heartbeat import Beat
from pydantic import BaseModel, ConfigDict

from hub.nodes.domain import State


class NodeDetail(BaseModel):
    """What operations need to know.

    Shape: `lag` its messages not applied here; `unsent` and `unconfirmed` rows of its outbox; `owed` our
    messages it has not confirmed; `clock_offset_s` its clock minus ours; `fenced` says why nothing of it is
    applied: its epoch or feed went back (epoch, feed, message), or it begins anew (restoration);
    `drift` counts copies of its records that differ, None before the first comparison.
    """

    lag: int
    unsent: int
    unconfirmed: int
    owed: int
    dead_letters: int
    clock_offset_s: float
    epoch: int
    feed_seq: int
    release: str
    fenced: str | None = None
    drift: int | None = None


class Membership(BaseModel):
    """Where a platform stands in the network; None for the hub.

    Shape: `causes` of degraded: late, silent, rejects, clock. Its staff and operators see the `reason`.
    """

    state: Literal[
        "registered", "keyed", "conformance", "probation", "active", "degraded", "quarantined", "retired"
    ]
    since: datetime
    via: Literal["bus", "http"]
    causes: list[str] = []
    reason: str | None = None


class BeatIn(Beat):
    """What a platform says of itself every 5 seconds.

    Shape: `feed_seq` is the last position it gave its own messages, `applied_seq` the last `feedseq` of ours
    that it has handled and stored; `unsent` and `unconfirmed` count its own messages.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "node": "example-window", "epoch": 1, "sent_at": "2026-11-23T02:00:00Z", "feed_seq": 0,
                    "applied_seq": 0, "unsent": 0, "unconfirmed": 0, "dead_letters": 0, "release": "1.0",
                }
            ]
        }
    )  # fmt: skip


class NodeOut(BaseModel):
    """A platform of the network; `detail` is for operators only."""

    id: str
    kind: Literal["hub", "window", "cluster", "matchmaking"]
    zh: str
    en: str
    divisions: list[str]
    state: State
    since: datetime | None
    last_beat_at: datetime | None
    membership: Membership | None = None
    detail: NodeDetail | None = None


class Nodes(BaseModel):
    items: list[NodeOut]
