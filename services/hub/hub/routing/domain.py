"""Who may say what, and to whom it goes on. A refusal parks the message; nothing of it is applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from common.contracts.envelope import Contract, Envelope, Fact
from common.errors import Forbidden, Invalid, Unavailable
from common.node import Kind, Node, Topology

from hub.cases.domain import platform_of
from hub.members.domain import Membership

MAY_SAY: dict[Kind, frozenset[str]] = {
    "hub": frozenset(),
    "window": frozenset(
        {
            "demand", "invitation", "quotation", "engagement", "progress", "rating", "provider", "offering",
            "subscription", "digest",
        }
    ),
    "cluster": frozenset({"provider", "offering", "quotation", "progress", "booking", "subscription", "digest"}),
    "matchmaking": frozenset({"match", "opportunity", "allocation", "digest"}),
}  # fmt: skip
# What matchmaking keeps copies of.
FOR_MATCHMAKING = frozenset(
    {"demand", "offering", "provider", "rating", "invitation", "quotation", "engagement", "subscription"}
)
# A provider's standing concerns every platform that may invite it or award to it.
FOR_ALL_PLATFORMS = frozenset({"provider.suspended.v1", "provider.restored.v1", "provider.retired.v1"})
# noun -> (the field that must name the sender, the field that must name the recipient).
PARTIES: dict[str, tuple[str | None, str | None]] = {
    "invitation": ("demand_window", "platform"),
    "engagement": ("demand_window", "platform"),
    "quotation": ("platform", "demand_window"),
    "progress": (None, "demand_window"),
    "rating": (None, "platform"),
    "subscription": ("platform", None),
    "opportunity": (None, "platform"),
}
# Nouns only the window of the demand may say, and nouns addressed to it.
OF_DEMAND_WINDOW = frozenset({"demand", "invitation", "engagement", "rating"})
TO_DEMAND_WINDOW = frozenset({"quotation", "progress", "match"})
# Nobody may speak of a record that another platform made.
OWNED = frozenset({"offering", "provider"})
# Of a comparison, what an owner says, and what the one says who holds our copies. They stay between two.
STEPS_OF_OWNER = frozenset({"digest.taken.v1", "digest.listed.v1", "digest.disowned.v1"})
STEPS_OF_HOLDER = frozenset({"digest.questioned.v1", "digest.wanted.v1", "digest.compared.v1"})


class Known(Contract):
    """What the register already knows of the record: who owns it, its demand, and who does the work."""

    owner: str | None = None
    demand_window: str | None = None
    platform: str | None = None


Said: TypeAlias = tuple[Envelope, Fact]


@dataclass(frozen=True)
class Asked:
    """The records that some messages speak of, as far as they are to be looked up: ids by noun."""

    owned: Mapping[str, set[UUID]]
    demands: set[UUID]
    engagements: set[UUID]


def asked(said: Sequence[Said]) -> Asked:
    owned: dict[str, set[UUID]] = {}
    demands: set[UUID] = set()
    engagements: set[UUID] = set()
    for envelope, fact in said:
        if envelope.noun in OWNED:
            owned.setdefault(envelope.noun, set()).add(fact.id)
            continue
        demand, engagement = demand_of(fact, envelope.noun), engagement_of(fact)
        if demand:
            demands.add(demand)
        if engagement and envelope.noun == "progress":
            engagements.add(engagement)
    return Asked(owned, demands, engagements)


@dataclass(frozen=True)
class Register:
    """Who owns what, before the first of some messages; it learns from each that was accepted."""

    owners: Mapping[str, dict[UUID, str]]
    windows: dict[UUID, str]
    platforms: dict[UUID, str]

    def known(self, envelope: Envelope, fact: Fact) -> Known:
        noun = envelope.noun
        if noun in OWNED:
            return Known(owner=self.owners[noun].get(fact.id))
        demand = demand_of(fact, noun)
        engagement = engagement_of(fact) if noun == "progress" else None
        return Known(
            demand_window=self.windows.get(demand) if demand else None,
            platform=self.platforms.get(engagement) if engagement else None,
        )

    def learn(self, envelope: Envelope, fact: Fact) -> None:
        noun = envelope.noun
        if noun in OWNED:
            self.owners[noun].setdefault(fact.id, envelope.source)
        elif noun == "demand":
            self.windows.setdefault(fact.id, envelope.source)
        platform = platform_of(fact, envelope.source)
        if platform is not None:
            self.platforms.setdefault(fact.id, platform)


def check(envelope: Envelope, fact: Fact, known: Known, network: Topology) -> None:
    """Raises: Forbidden or Invalid, naming the rule."""
    sender = _node(network, envelope.source)
    noun, source, recipient = envelope.noun, envelope.source, envelope.recipient
    if sender is None or noun not in MAY_SAY[sender.kind]:
        raise Forbidden("noun-not-allowed", zh=f"{source} 无权发布 {noun}", en=f"{source} may not say {noun}")
    if recipient is not None and _node(network, recipient) is None:
        raise Invalid(
            "unknown-recipient",
            zh=f"网络中没有平台 {recipient}",
            en=f"no node {recipient} in this network",
            field="recipient",
        )
    if noun == "digest":
        holds = sender.kind == "matchmaking"
        if envelope.type not in (STEPS_OF_HOLDER if holds else STEPS_OF_OWNER):
            raise Forbidden(
                "step-not-allowed",
                zh=f"{source} 无权发布 {envelope.type}",
                en=f"{source} may not say {envelope.type}",
            )
        if not holds:
            _agree(_value(fact, "owner"), source, "not-owner", "owner")
    sender_field, recipient_field = PARTIES.get(noun, (None, None))
    if sender_field is not None:
        _agree(_value(fact, sender_field), source, "not-owner", sender_field)
    if recipient_field is not None and recipient is not None:
        _agree(_value(fact, recipient_field), recipient, "wrong-recipient", recipient_field)
    if noun == "allocation" and recipient is not None:
        # It has two: who asked, and who is to serve.
        platform, window = _value(fact, "platform"), _value(fact, "demand_window")
        _agree(recipient, platform if recipient == platform else window, "wrong-recipient", "demand_window")
    if noun in OF_DEMAND_WINDOW:
        _agree(known.demand_window, source, "not-owner", "demand_id")
    if noun in TO_DEMAND_WINDOW and recipient is not None:
        _agree(known.demand_window, recipient, "wrong-recipient", "demand_id")
    if noun in OWNED:
        _agree(known.owner, source, "not-owner", "id")
    if noun == "progress":
        _agree(known.platform, source, "not-owner", "engagement_id")


def heard(envelope: Envelope, membership: Membership) -> bool:
    """Whether what the sender says of its catalogue goes on to matchmaking.

    Raises: Unavailable while the sender is quarantined: its messages wait; Forbidden for what a platform
    may not say before it is active.
    """
    if envelope.source in membership.silenced:
        raise Unavailable(
            "sender-held",
            zh=f"{envelope.source} 已被隔离，其消息保留待解除",
            en=f"{envelope.source} is held; its messages wait until it is released",
        )
    if envelope.source not in membership.hidden:
        return True
    if envelope.noun not in OWNED | {"digest"}:
        raise Forbidden(
            "member-not-active",
            zh=f"{envelope.source} 尚未正式运行，只能发布服务机构和服务产品；请在正式运行后再发送",
            en=f"{envelope.source} is not active yet and may only say providers and offerings; send it once active",
        )
    return False


def destinations(envelope: Envelope, network: Topology, *, searchable: bool = True) -> list[str]:
    """The nodes a message goes on to, each once, never back to its sender."""
    found: list[str] = []
    if not searchable or envelope.noun == "digest":
        return found
    if envelope.noun in FOR_MATCHMAKING:
        found.append(network.of_kind("matchmaking")[0].id)
    if envelope.type in FOR_ALL_PLATFORMS or _said_again(envelope):
        found += [node.id for node in network.of_kind("window", "cluster")]
    if envelope.recipient is not None:
        found.append(envelope.recipient)
    return [id for id in dict.fromkeys(found) if id not in (envelope.source, network.hub.id)]


def _said_again(envelope: Envelope) -> bool:
    """Whether it may change what the platforms hold of a provider: anything but an active one's first word."""
    if envelope.type != "provider.announced.v1":
        return False
    first = (envelope.entityepoch, envelope.entityversion) == (1, 1)
    return not first or envelope.data.get("state") in ("suspended", "rejected", "retired")


def demand_of(fact: Fact, noun: str) -> UUID | None:
    """The demand a fact belongs to."""
    return fact.id if noun == "demand" else getattr(fact, "demand_id", None)


def engagement_of(fact: Fact) -> UUID | None:
    return getattr(fact, "engagement_id", None)


def _node(network: Topology, id: str) -> Node | None:
    return next((node for node in network.nodes if node.id == id), None)


def _value(fact: Fact, field: str) -> Any:
    return getattr(fact, field, None)


def _agree(said: str | None, must: str, code: str, field: str) -> None:
    """A field that is known must name the node; what nobody knows yet decides nothing."""
    if said is not None and said != must:
        raise Forbidden(
            code, zh=f"{field} 属于 {said}，不是 {must}", en=f"{field} is {said}'s, not {must}'s", field=field
        )
