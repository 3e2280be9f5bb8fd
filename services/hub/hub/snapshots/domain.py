"""A whole catalogue on its way in. It ends as applied, partial or rejected, or it waits for an operator."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from common.contracts.envelope import Contract
from common.contracts.snapshots import SnapshotHeld
from common.errors import Conflict, wrong_state

from hub.changes.domain import OUTCOMES
from hub.changes.lines import Item, Noun, Rejected
from hub.uploads.domain import Format

State = Literal["receiving", "received", "validated", "staged", "held", "applied", "partial", "rejected"]
OPEN: tuple[State, ...] = ("receiving", "received", "validated", "staged", "held")
# What the work is for.
DUE: tuple[State, ...] = ("received", "validated", "staged")
STATES_ZH: dict[State, str] = {
    "receiving": "接收中", "received": "已接收", "validated": "已校验", "staged": "已暂存", "held": "待核准",
    "applied": "已生效", "partial": "部分生效", "rejected": "已拒绝",
}  # fmt: skip
# A file that removes more than this is more likely cut off than meant.
FREE_REMOVALS = 10
FREE_SHARE = 0.10
# A file that breaks the work each time is not tried for ever.
ATTEMPTS = 3
# An upload that has not grown for so long is over.
SILENCE = timedelta(minutes=5)
# Files and outcomes of so many snapshots of a platform are kept.
KEPT = 5
# Outcomes that leave a row without effect.
WRONG = ("rejected", "fork", "not_owner", "stale")


class Snapshot(Contract):
    """A whole catalogue of a platform.

    Shape: `batch` names its rows while they are staged; `nouns` are those the file speaks of; `removals`
    of the `held` records would go; `counts` rows by outcome. What the transaction `untold_xid` took over
    goes on to matchmaking in parts, and has gone on up to `told_id`.
    """

    node: str
    number: int
    batch: UUID
    state: State
    format: Format
    size_bytes: int = 0
    sha256: str | None = None
    received_by: str
    received_at: datetime
    changed_at: datetime
    ended_at: datetime | None = None
    attempts: int = 0
    rows_read: int = 0
    rows_unreadable: int = 0
    nouns: tuple[Noun, ...] = ()
    counts: dict[str, int] = {}
    removals: int = 0
    held: int = 0
    reason: str | None = None
    zh: str | None = None
    en: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    untold_xid: int | None = None
    told_id: UUID | None = None


class Outcome(Contract):
    """What became of one row. `line` is its row in the file; what the file no longer had comes after."""

    line: int
    noun: str | None
    id: UUID | None
    outcome: str
    field: str | None
    rule: str | None
    zh: str | None
    en: str | None


def allowance(held: int) -> int:
    """How many removals need nobody's word."""
    return max(FREE_REMOVALS, int(held * FREE_SHARE))


def begun(snapshot: Snapshot, at: datetime) -> Snapshot:
    """The work begins, from the start of the file."""
    return snapshot.model_copy(
        update={
            "state": "received", "attempts": snapshot.attempts + 1, "rows_read": 0, "rows_unreadable": 0,
            "nouns": (), "counts": {}, "changed_at": at,
        }
    )  # fmt: skip


def received(snapshot: Snapshot, at: datetime, *, size_bytes: int, sha256: str) -> Snapshot:
    return snapshot.model_copy(
        update={"state": "received", "changed_at": at, "size_bytes": size_bytes, "sha256": sha256}
    )


def read(snapshot: Snapshot, lines: Sequence[Item], nouns: Sequence[Noun], at: datetime) -> Snapshot:
    """More of its rows have been looked at."""
    nameless = sum(isinstance(line, Rejected) and line.id is None for line in lines)
    return snapshot.model_copy(
        update={
            "rows_read": snapshot.rows_read + len(lines), "nouns": tuple(nouns), "changed_at": at,
            "rows_unreadable": snapshot.rows_unreadable + nameless,
        }
    )  # fmt: skip


def moved(snapshot: Snapshot, state: State, at: datetime) -> Snapshot:
    return snapshot.model_copy(update={"state": state, "changed_at": at})


def held(snapshot: Snapshot, at: datetime, *, removals: int, held: int) -> Snapshot:
    """Nothing is changed until an operator says so."""
    free = allowance(held)
    if snapshot.rows_read == 0:
        reason = "empty-file"
        zh = f"文件没有数据行，而枢纽现有 {held} 条记录；请核对文件，确需清空请运营人员核准，否则放弃"
        en = (
            f"the file has no row and the hub holds {held} records; check the file, and have an operator approve"
            " it if it is meant, else discard it"
        )
    else:
        reason = "mass-removal"
        zh = (
            f"将删除现有 {held} 条中的 {removals} 条，超过 {free} 条的限额；目录未改动。"
            "请核对文件是否完整，确需删除请运营人员核准，否则放弃"
        )
        en = (
            f"it would remove {removals} of {held} records, more than {free}; nothing was changed. Check that the"
            " file is whole, and have an operator approve it if it is meant, else discard it"
        )
    return snapshot.model_copy(
        update={
            "state": "held", "changed_at": at, "removals": removals, "held": held, "reason": reason, "zh": zh,
            "en": en,
        }
    )  # fmt: skip


def ended(
    snapshot: Snapshot, at: datetime, *, counts: dict[str, int], removals: int, held: int, xid: int | None
) -> Snapshot:
    """It is switched to: wholly, or all but the rows that were wrong."""
    wrong = sum(counts.get(name, 0) for name in WRONG)
    return snapshot.model_copy(
        update={
            "state": "partial" if wrong else "applied", "changed_at": at, "ended_at": at, "removals": removals,
            "held": held, "counts": {name: counts[name] for name in OUTCOMES if counts.get(name)},
            "reason": None, "zh": None, "en": None, "untold_xid": xid,
        }
    )  # fmt: skip


def passed_on(snapshot: Snapshot, last: UUID | None) -> Snapshot:
    """Matchmaking is owed what was taken over up to an id; None: all of it."""
    if last is None:
        return snapshot.model_copy(update={"untold_xid": None, "told_id": None})
    return snapshot.model_copy(update={"told_id": last})


def rejected(snapshot: Snapshot, at: datetime, *, reason: str, zh: str, en: str) -> Snapshot:
    """Nothing of it is taken over."""
    return snapshot.model_copy(
        update={"state": "rejected", "changed_at": at, "ended_at": at, "reason": reason, "zh": zh, "en": en}
    )


def superseded(snapshot: Snapshot, at: datetime, by: int) -> Snapshot:
    return rejected(
        snapshot, at, reason="superseded", zh=f"已有更新的快照 {by}；以最新的为准",
        en=f"snapshot {by} is newer, and the newest counts",
    )  # fmt: skip


def approved(snapshot: Snapshot, who: str, at: datetime) -> Snapshot:
    """Raises: Conflict unless it is held."""
    if snapshot.state != "held":
        raise _refused(snapshot, zh="核准", en="approved")
    return snapshot.model_copy(
        update={"state": "received", "changed_at": at, "approved_by": who, "approved_at": at, "attempts": 0}
    )


def discarded(snapshot: Snapshot, at: datetime) -> Snapshot:
    """Raises: Conflict when it has ended."""
    if snapshot.state not in OPEN:
        raise _refused(snapshot, zh="放弃", en="discarded")
    return rejected(snapshot, at, reason="discarded", zh="已放弃", en="it was discarded")


def _refused(snapshot: Snapshot, *, zh: str, en: str) -> Conflict:
    return wrong_state("snapshot", snapshot.state, "快照", STATES_ZH[snapshot.state], zh=zh, en=en)


def told(snapshot: Snapshot) -> SnapshotHeld:
    """What its platform is told of it."""
    return SnapshotHeld(
        id=snapshot.batch, version=1, node=snapshot.node, number=snapshot.number, state="held",
        removals=snapshot.removals, held=snapshot.held, reason=snapshot.reason, zh=snapshot.zh or "",
        en=snapshot.en or "", at=snapshot.changed_at,
    )  # fmt: skip
