"""A platform's way into the network, and out of it. The nodes of the topology begin as active members."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from common.contracts.envelope import Contract
from common.errors import Conflict, Invalid, wrong_state
from common.fields import AreaPrefix, Email, Line, NodeId, Phone
from common.node import Node, Topology
from pydantic import Field
from reference import divisions

Kind = Literal["window", "cluster", "matchmaking"]
State = Literal["registered", "keyed", "conformance", "probation", "active", "quarantined", "retired"]
DeletionPolicy = Literal["tombstone", "absence"]
Via = Literal["bus", "http"]

STATES_ZH: dict[State, str] = {
    "registered": "已登记", "keyed": "已发密钥", "conformance": "一致性测试中", "probation": "试运行",
    "active": "正式运行", "quarantined": "已隔离", "retired": "已退出",
}  # fmt: skip
# What it says is taken over.
APPLIES: frozenset[State] = frozenset({"keyed", "conformance", "probation", "active"})
# What it says is found by others.
SEARCHABLE: frozenset[State] = frozenset({"active"})
# Offsets of the topology end at 99; a joined platform has no port of ours.
NO_PORT = -1
# Whoever is no operator may have so many platforms on their way in.
OPEN_APPLICATIONS = 3
ON_THE_WAY: frozenset[State] = frozenset({"registered", "keyed", "conformance", "probation"})


class Contact(Contract):
    """Somebody to ask. Kept at the hub; never on the bus, never in a log."""

    name: Line
    phone: Phone | None = None
    email: Email | None = None


class Member(Contract):
    """A platform of the network.

    Shape: `held_from` is the state a quarantined member returns to; `subject` the account that joined it,
    None for a node of the topology.
    """

    id: NodeId
    kind: Kind
    zh: Line
    en: Line
    divisions: tuple[AreaPrefix, ...]
    deletion_policy: DeletionPolicy = "tombstone"
    contacts: Annotated[tuple[Contact, ...], Field(max_length=5)] = ()
    feed_url: str | None = None
    via: Via
    state: State
    since: datetime
    held_from: State | None = None
    reason: str | None = None
    subject: str | None = None
    version: int = 1
    created_at: datetime

    @property
    def epoch(self) -> int:
        """The hub keeps this record alone: it has one epoch, as the tag of an edit wants one."""
        return 1

    @property
    def applies(self) -> bool:
        return self.state in APPLIES

    @property
    def searchable(self) -> bool:
        return self.state in SEARCHABLE

    def node(self) -> Node:
        """The member as the topology lists nodes."""
        return Node(self.id, self.kind, self.zh, self.en, self.divisions, NO_PORT)


def settled(node: Node, at: datetime) -> Member:
    """A node of the topology, which is a member by being there."""
    assert node.kind != "hub"
    return Member(
        id=node.id, kind=node.kind, zh=node.zh, en=node.en, divisions=node.divisions, via="bus", state="active",
        since=at, created_at=at,
    )  # fmt: skip


def check_free(member: Member, network: Topology) -> None:
    """Raises: Conflict when the id or a division is another's. `network` are the nodes that have not left."""
    if any(node.id == member.id for node in network.nodes):
        raise Conflict(
            "node-id-taken",
            zh=f"平台编号 {member.id} 已被使用；请换一个",
            en=f"the id {member.id} is taken; choose another",
            field="id",
        )
    if member.kind != "window":
        return
    for division in member.divisions:
        for node in network.of_kind("window"):
            for owned in node.divisions:
                # A longer prefix carves a county out of a league; anything else would serve a place twice.
                if owned.startswith(division):
                    raise Conflict(
                        "division-overlap",
                        zh=f"行政区划 {division} 与 {node.zh}（{owned}）重叠；只能登记更长的区划代码，如其下的县区",
                        en=f"division {division} overlaps {owned} of {node.en}; only a longer prefix may be"
                        " declared, such as a county inside it",
                        field="divisions",
                        overlaps={"node": node.id, "division": owned},
                    )


def check_divisions(places: Iterable[str]) -> None:
    """Raises: Invalid for a prefix that is no place of the region, or one given twice."""
    seen: set[str] = set()
    for number, place in enumerate(places):
        try:
            divisions.get(place.ljust(6, "0"))
        except divisions.UnknownDivision:
            seen.add(place)
        if place in seen:
            raise Invalid(
                "unknown-division",
                zh=f"{place} 不是本区的行政区划代码（GB/T 2260 前缀），或重复；请核对",
                en=f"{place} is no division of the region (a prefix of GB/T 2260), or is given twice; check it",
                field=f"divisions.{number}",
            )
        seen.add(place)


def _moved(member: Member, state: State, at: datetime, **other: object) -> Member:
    return member.model_copy(
        update={"state": state, "since": at, "reason": None, "version": member.version + 1, **other}
    )


def _refused(member: Member, *, zh: str, en: str) -> Conflict:
    return wrong_state("member", member.state, "平台", STATES_ZH[member.state], zh=zh, en=en)


def key(member: Member, at: datetime) -> Member:
    """A key is handed out. Raises: Conflict for who has left, or is on the bus and has an nkey."""
    if member.via == "bus":
        raise Conflict(
            "member-on-the-bus",
            zh="该平台经总线接入，使用 nkey；请联系运维更换",
            en="this platform is on the bus and uses its nkey; operations rotate it",
        )
    if member.state == "retired":
        raise _refused(member, zh="发放密钥", en="given a key")
    if member.state == "registered":
        return _moved(member, "keyed", at)
    return member.model_copy(update={"version": member.version + 1})


def test(member: Member, at: datetime) -> Member:
    """A conformance run begins; whoever is further stays where it is.

    Raises: Conflict before it has a key, while it is quarantined, and after it has left.
    """
    if member.state in ("registered", "quarantined", "retired"):
        raise _refused(member, zh="运行一致性测试", en="tested")
    if member.state == "keyed":
        return _moved(member, "conformance", at)
    return member.model_copy(update={"version": member.version + 1})


def tested(member: Member, at: datetime, *, passed: bool) -> Member | None:
    """A run has ended; it moves only whom it was to decide on."""
    if member.state != "conformance":
        return None
    return _moved(member, "probation" if passed else "keyed", at)


def activate(member: Member, at: datetime) -> Member:
    """Raises: Conflict unless it is on probation."""
    if member.state != "probation":
        raise _refused(
            member, zh="转为正式运行（须先通过一致性测试并试运行）", en="activated before its probation"
        )
    return _moved(member, "active", at)


def quarantine(member: Member, at: datetime, *, reason: str) -> Member:
    """Nothing of it is taken over, found or invited until it is released.

    Raises: Conflict when it already is, or has left.
    """
    if member.state in ("quarantined", "retired"):
        raise _refused(member, zh="隔离", en="quarantined")
    before: State = "keyed" if member.state == "conformance" else member.state
    return _moved(member, "quarantined", at, held_from=before, reason=reason)


def release(member: Member, at: datetime) -> Member:
    """Raises: Conflict unless it is quarantined."""
    if member.state != "quarantined":
        raise _refused(member, zh="解除隔离", en="released")
    return _moved(member, member.held_from or "active", at, held_from=None)


def retire(member: Member, at: datetime, *, reason: str) -> Member:
    """It leaves for good. Raises: Conflict when it has."""
    if member.state == "retired":
        raise _refused(member, zh="退出", en="retired")
    return _moved(member, "retired", at, held_from=None, reason=reason)


def due(member: Member, at: datetime, days: float | None) -> bool:
    """Whether its probation has lasted as long as the installation asks for."""
    if member.state != "probation" or days is None:
        return False
    return (at - member.since).total_seconds() >= days * 86_400


def pulled(node: str) -> str:
    """The feed of a platform without a stream: numbered and never published; see the sequencer."""
    return f"pull:{node}"


class Membership:
    """Everybody who belongs to the network now, as one process knows it.

    Shape: `network` is the topology widened by those who joined; `hidden` those whose records are found
    by nobody; `silenced` those whose words are held.
    """

    def __init__(self, topology: Topology, members: Iterable[Member] = ()):
        self.members = {member.id: member for member in members}
        listed = {node.id for node in topology.nodes}
        joined = [
            m
            for m in self.members.values()
            if m.id not in listed and m.state not in ("registered", "retired")
        ]
        self.network = Topology((*topology.nodes, *(member.node() for member in joined)))
        self.hidden = frozenset(m.id for m in self.members.values() if not m.searchable)
        self.silenced = frozenset(m.id for m in self.members.values() if not m.applies)
        self.over_http = frozenset(m.id for m in self.members.values() if m.via == "http")

    def feed(self, node: str) -> str:
        """The feed a node reads: its stream on the bus, or what it asks for over HTTP."""
        return pulled(node) if node in self.over_http else node
