"""What the region may know of a demand's course: what happened, where and when; no names, no texts of quotes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from common.contracts.demands import Demand
from common.contracts.engagements import Engagement
from common.contracts.envelope import Contract, Envelope, Fact
from common.contracts.invitations import Invitation
from common.contracts.matches import Match
from common.contracts.progress import Progress
from common.contracts.quotations import Quotation
from common.contracts.ratings import Rating
from common.node import Topology

from hub.catalogue.domain import folded

NOUNS = ("demand", "match", "invitation", "quotation", "engagement", "progress", "rating")

# What makes two lines of a timeline tell the same.
SAME = ("source", "type", "entity", "entity_version")

# Nobody has been given the work yet.
OPEN = ("submitted", "published", "matched", "no_match", "quoting", "evaluating", "no_quotation")

SUMMARIES: dict[str, tuple[str, str]] = {
    "demand.submitted": ("需求已提交", "Demand submitted"),
    "demand.changed": ("需求已修改，重新对接", "Demand changed; matching starts anew"),
    "demand.matched": ("已有对接结果", "Demand matched"),
    "demand.unmatched": ("暂无匹配的服务", "No offering fits"),
    "demand.opened": ("已开始询价", "Quotations asked for"),
    "invitation.answered": ("{platform_zh}的机构已答复邀请", "Provider at {platform_en} answered"),
    "invitation.expired": (
        "{platform_zh}的机构逾期未答复",
        "Provider at {platform_en} did not answer in time",
    ),
    "quotation.expired": (
        "{platform_zh}的机构已获知邀请过期",
        "Provider at {platform_en} was told that the invitation expired",
    ),
    "engagement.cancelled": ("服务合同已取消", "Engagement cancelled"),
    "demand.evaluated": ("进入评选", "Quotations are being evaluated"),
    "demand.awarded": ("已选定服务机构", "Demand awarded"),
    "demand.progressed": ("服务有进展：{state}", "Service went on: {state}"),
    "demand.withdrawn": ("需求已撤回", "Demand withdrawn"),
    "match.computed": ("对接完成，候选 {candidates} 项", "Matching done, {candidates} candidates"),
    "invitation.issued": ("向{platform_zh}的机构发出邀请", "Provider at {platform_en} invited"),
    "invitation.awarded": ("{platform_zh}的机构中选", "Provider at {platform_en} won"),
    "invitation.lost": ("{platform_zh}的机构未中选", "Provider at {platform_en} did not win"),
    "quotation.viewed": (
        "{platform_zh}的机构已查看邀请",
        "Provider at {platform_en} looked at the invitation",
    ),
    "quotation.submitted": ("{platform_zh}的机构已报价", "Provider at {platform_en} quoted"),
    "quotation.declined": ("{platform_zh}的机构谢绝报价", "Provider at {platform_en} declined"),
    "quotation.withdrawn": (
        "{platform_zh}的机构撤回报价",
        "Provider at {platform_en} withdrew its quotation",
    ),
    "quotation.settled": ("{platform_zh}的机构已获知结果", "Provider at {platform_en} was told the result"),
    "engagement.created": ("服务合同已建立", "Engagement created"),
    "engagement.confirmed": ("服务机构已确认", "Provider confirmed"),
    "engagement.progressed": ("完成一个里程碑", "A milestone is done"),
    "engagement.delivered": ("已交付", "Delivered"),
    "engagement.accepted": ("企业已验收", "Enterprise accepted"),
    "engagement.closed": ("服务合同已结束", "Engagement closed"),
    "progress.reported": ("服务机构报告：{step}", "Provider reported: {step}"),
    "rating.given": ("企业已评价：{grade} 级", "Enterprise rated: grade {grade}"),
    "rating.changed": ("企业修改评价：{grade} 级", "Enterprise changed its rating: grade {grade}"),
}


class Case(Contract):
    """A demand as the register holds it."""

    owner: str
    id: UUID
    epoch: int
    version: int
    forked: bool
    state: str
    body: dict[str, Any]


class Event(Contract):
    """One thing that happened in a case. `platform` is the provider's, where the fact names it."""

    message_id: UUID
    case_id: UUID
    at: datetime
    source: str
    type: str
    entity: UUID
    entity_version: int
    platform: str | None
    zh: str
    en: str


def searched(demand: Demand) -> str:
    """The text of a demand that words are looked for in."""
    keywords = demand.technology.keywords if demand.technology is not None else ()
    return folded("\n".join((demand.number, demand.title, demand.text, *keywords)))


def earliest(events: Iterable[Event]) -> list[Event]:
    """Of those that tell the same, the earliest."""
    found: dict[tuple[object, ...], Event] = {}
    for one in events:
        same = tuple(getattr(one, name) for name in SAME)
        held = found.setdefault(same, one)
        if (one.at, one.message_id) < (held.at, held.message_id):
            found[same] = one
    return [found[same] for same in sorted(found, key=str)]


def event(envelope: Envelope, fact: Fact, network: Topology) -> Event:
    """The line of a fact in its case's timeline."""
    platform = platform_of(fact, envelope.source)
    node = next((node for node in network.nodes if node.id == platform), None)
    words: dict[str, object] = {
        "platform_zh": node.zh if node else "",
        "platform_en": node.en if node else "",
        "candidates": len(fact.candidates) if isinstance(fact, Match) else 0,
        "state": fact.state if isinstance(fact, Demand) else "",
        "step": fact.step if isinstance(fact, Progress) else "",
        "grade": fact.grade if isinstance(fact, Rating) else "",
    }
    kind = envelope.type.rsplit(".", 1)[0]
    zh, en = SUMMARIES.get(kind, (kind, kind))
    return Event(
        message_id=envelope.id, case_id=fact.case_id, at=envelope.time, source=envelope.source,
        type=envelope.type, entity=fact.id, entity_version=fact.version, platform=platform,
        zh=zh.format(**words), en=en.format(**words),
    )  # fmt: skip


def platform_of(fact: Fact, source: str) -> str | None:
    """The provider's platform, as far as the fact tells."""
    if isinstance(fact, Invitation | Quotation | Engagement | Rating):
        return fact.platform
    return source if isinstance(fact, Progress) else None
