"""Whole catalogues that were handed in at the hub (目录快照). The hub alone speaks of them, to their platform."""

from typing import Annotated, Literal

from pydantic import Field

from common.contracts.envelope import Fact, State
from common.fields import Count, Moment, NodeId, Slug

SnapshotState = Literal["held", "applied", "partial", "rejected"]


class Snapshot(State):
    """A snapshot of a platform's catalogue: its number there, and what became of it."""

    node: NodeId
    number: Count
    state: SnapshotState
    removals: Count
    held: Count
    reason: Slug | None = None
    zh: Annotated[str, Field(max_length=500)]
    en: Annotated[str, Field(max_length=500)]
    at: Moment


class SnapshotHeld(Snapshot, Fact):
    """It would remove too much, so nothing was changed: an operator approves it, or it is discarded."""

    type = "snapshot.held.v1"
