from datetime import datetime

from common.http import Out

from hub.snapshots import domain
from hub.snapshots.domain import Snapshot, State


class SnapshotOut(Out):
    """A whole catalogue that was handed in.

    Shape: while it is worked on, `rows_read` grows; `counts` are rows by outcome once it has ended;
    `removals` of the `held` records go, or would go; `may_remove` is how many go without approval.
    """

    node: str
    number: int
    state: State
    format: str
    size_bytes: int
    sha256: str | None
    received_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    rows_read: int
    rows_unreadable: int
    counts: dict[str, int]
    removals: int
    held: int
    may_remove: int
    reason: str | None
    message: str | None
    approved_at: datetime | None
    outcomes: str

    @classmethod
    def told(cls, snapshot: Snapshot, english: bool) -> "SnapshotOut":
        known = snapshot.model_dump(include=set(cls.model_fields))
        return cls(
            **known, may_remove=domain.allowance(snapshot.held),
            message=snapshot.en if english else snapshot.zh,
            outcomes=f"/v1/nodes/{snapshot.node}/snapshots/{snapshot.number}/outcomes",
        )  # fmt: skip


class Snapshots(Out):
    """Newest first; ask again with `before=next_before` until it is null."""

    items: list[SnapshotOut]
    next_before: int | None
