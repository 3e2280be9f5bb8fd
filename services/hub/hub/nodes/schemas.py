from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from hub.nodes.domain import State


class NodeDetail(BaseModel):
    """What operations need to know.

    Shape: `lag` its messages not applied here; `unsent` and `unconfirmed` rows of its outbox; `owed` our
    messages it has not confirmed; `clock_offset_s` its clock minus ours.
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
    detail: NodeDetail | None = None


class Nodes(BaseModel):
    items: list[NodeOut]
