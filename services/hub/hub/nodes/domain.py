"""How a node is, from what it last said and when."""

from datetime import datetime, timedelta
from typing import Literal

from common.contracts.envelope import Contract
from common.errors import Conflict

from hub.members.domain import STATES_ZH, DeletionPolicy, Member, Via
from hub.members.domain import Kind as MemberKind
from hub.members.domain import State as MemberState

State = Literal["ready", "late", "silent", "never"]
# A node beats every 5 s: three missed beats are no accident.
LATE_AFTER_S = 15
# A restart with its recovery takes less; after a minute somebody should look.
SILENT_AFTER_S = 60
# Up to five minutes everything still works; beyond, tokens and deadlines do not.
SKEW_S = 300


class Heard(Contract):
    """The last beat of a node, as the hub heard it.

    Shape: `offset_s` is the node's clock minus ours, the way included; `beating_since` the first beat of
    the present unbroken row.
    """

    node: str
    sent_at: datetime
    heard_at: datetime
    beating_since: datetime
    epoch: int
    feed_seq: int
    applied_seq: int
    confirmed_seq: int = 0
    unsent: int
    unconfirmed: int
    dead_letters: int
    release: str
    offset_s: float


class Health(Contract):
    """The state of a node and since when; both None-free unless it never spoke."""

    state: State
    since: datetime | None


def health(heard: Heard | None, at: datetime) -> Health:
    if heard is None:
        return Health(state="never", since=None)
    quiet = at - heard.heard_at
    if quiet > timedelta(seconds=SILENT_AFTER_S):
        return Health(state="silent", since=heard.heard_at + timedelta(seconds=SILENT_AFTER_S))
    if quiet > timedelta(seconds=LATE_AFTER_S):
        return Health(state="late", since=heard.heard_at + timedelta(seconds=LATE_AFTER_S))
    return Health(state="ready", since=heard.beating_since)


def causes(health: Health, heard: Heard | None, refused: int) -> tuple[str, ...]:
    """Why an active member is degraded; a node that never spoke is not yet that."""
    found: list[str] = [health.state] if health.state in ("late", "silent") else []
    if refused:
        found.append("rejects")
    if heard is not None and abs(heard.offset_s) > SKEW_S:
        found.append("clock")
    return tuple(found)


class Standing(Contract):
    """What a member of the network may do at the hub now.

    Shape: `epoch` is the one it last spoke in; `fenced` while its feed went backwards and it has not yet
    spoken in a new one.
    """

    id: str
    kind: MemberKind
    state: MemberState
    deletion_policy: DeletionPolicy
    via: Via
    epoch: int = 1
    fenced: bool = False
    applies: bool
    searchable: bool

    def admit(self) -> None:
        """Raises: Conflict when nothing of it may be taken over now; what it says is to be kept and repeated."""
        if self.fenced:
            raise Conflict(
                "member-fenced",
                zh="该平台的消息序号倒退，可能由旧备份恢复；请提高 epoch 并重新发布全部记录后再提交",
                en="this platform's feed went backwards, as after a restore; raise its epoch, announce all records"
                " again and repeat",
            )
        if not self.applies:
            raise Conflict(
                f"member-{self.state}",
                zh=f"该平台当前为“{STATES_ZH[self.state]}”，不接收其数据；请保留变更，待恢复后重新提交",
                en=f"this platform is {self.state} and nothing of it is taken over; keep the changes and send them"
                " again once it is released",
            )


def standing(member: Member, *, epoch: int, fenced: bool) -> Standing:
    return Standing(
        id=member.id, kind=member.kind, state=member.state, deletion_policy=member.deletion_policy,
        via=member.via, epoch=epoch, fenced=fenced, applies=member.applies and not fenced,
        searchable=member.searchable,
    )  # fmt: skip
