"""What stood between an offering and a demand; whether a result comes out the same again."""

from datetime import date
from typing import Literal
from uuid import UUID

from common.contracts.demands import Demand
from common.contracts.envelope import Contract
from common.contracts.matches import Candidate, Component, NearMiss

from matchmaking.matching import eligibility, engine, reasons
from matchmaking.matching.engine import Ranking, Scored
from matchmaking.matching.listing import Offer
from matchmaking.matching.reasons import Answered
from matchmaking.matching.retrieval import Hit
from matchmaking.matching.weights import Weights

Verdict = Literal["candidate", "beyond-the-last", "fails-conditions", "not-relevant", "not-public"]
_CONDITIONS: dict[str, tuple[str, str]] = {
    "provider-active": ("服务机构当前未处于有效状态", "its provider is not active"),
    "published": ("服务未在发布中（已暂停或约满）", "it is paused or full"),
    "capacity": ("承接量已满", "it has no capacity left"),
    "qualification": ("所需资质缺失或已过期", "a qualification it needs is missing or has lapsed"),
    "category": ("不属于需求所选类别", "it is outside the category the demand names"),
    "service-area": ("服务范围不含需求所在地", "it does not serve the demand's place"),
    "size-class": ("不面向该规模的企业", "it does not serve enterprises of that size"),
    "budget": ("最低价格高于预算", "its lowest price is above the budget"),
    "needed-by": ("无法在所需日期前完成", "it cannot be done by the day it is needed"),
    "finance-amount": ("金额不在产品额度内", "the amount is outside its limits"),
    "finance-term": ("期限不在产品期限内", "the term is outside its limits"),
    "collateral": ("企业没有其接受的抵质押物", "the enterprise has none of the collateral it takes"),
    "guarantee": ("企业没有其接受的担保", "the enterprise has none of the guarantees it takes"),
    "maturity": ("技术成熟度低于要求", "the technology is less mature than asked for"),
    "cooperation": ("合作方式不一致", "it is offered for other ways of working together"),
    "platform-away": (
        "所属平台长时间失联或已被隔离",
        "its platform has been silent for long, or is quarantined",
    ),
}


class WhyNot(Contract):
    """Where an offering stands for a demand, judged now.

    Shape: `gap` is what its score lacks to the last one shown, None where a score did not decide.
    """

    verdict: Verdict
    failed: tuple[str, ...]
    relevance: float
    least_relevance: float
    lexical: float
    semantic: float | None
    topical: float
    answered: tuple[str, ...]
    score: float | None
    components: tuple[Component, ...]
    place: int | None
    last_shown_score: float | None
    gap: float | None
    reason_zh: str
    reason_en: str


def why_not(
    demand: Demand, offer: Offer, hit: Hit, ranking: Ranking, answered: Answered, by: Weights, today: date
) -> WhyNot:
    """Shape: `ranking` is of the same search, with or without this offering."""
    others = [one.hit for one in ranking.fitting] + [one.hit for one in ranking.failing]
    least = engine.least_relevance([hit, *others], by)
    failed = eligibility.failed(demand, offer, today)
    scored = next(
        (one for one in ranking.fitting if one.hit.key == hit.key),
        engine.score(demand, offer, hit, by, today),
    )
    ahead = sum(engine.best_first(one) < engine.best_first(scored) for one in ranking.fitting)
    shown = ranking.fitting[: engine.CANDIDATES]
    last = shown[-1].score if len(shown) == engine.CANDIDATES else None
    # What a widening let in is in the result although it fails a condition.
    verdict = _verdict(offer, hit, least, () if scored.relaxed else failed, ahead)
    judged = verdict in ("candidate", "beyond-the-last")
    zh, en = _sentence(verdict, demand, scored, least, failed, answered, ahead + 1)
    return WhyNot(
        verdict=verdict,
        failed=failed,
        relevance=hit.relevance,
        least_relevance=least,
        lexical=hit.lexical,
        semantic=hit.semantic,
        topical=hit.topical,
        answered=tuple(one.said for one in answered),
        score=scored.score if judged else None,
        components=scored.components,
        place=ahead + 1 if judged else None,
        last_shown_score=last,
        gap=max(0.0, last - scored.score) if last is not None and judged else None,
        reason_zh=zh,
        reason_en=en,
    )


def _verdict(offer: Offer, hit: Hit, least: float, failed: tuple[str, ...], ahead: int) -> Verdict:
    if not eligibility.may_be_shown(offer):
        return "not-public"
    if hit.relevance < least:
        return "not-relevant"
    if failed:
        return "fails-conditions"
    return "candidate" if ahead < engine.CANDIDATES else "beyond-the-last"


def _sentence(
    verdict: Verdict,
    demand: Demand,
    scored: Scored,
    least: float,
    failed: tuple[str, ...],
    answered: Answered,
    place: int,
) -> tuple[str, str]:
    if verdict == "not-public":
        return "该服务或其机构未公开，不参与对接。", "It or its provider is not public and is never matched."
    if verdict == "not-relevant":
        return (
            f"与需求的相关度为 {scored.hit.relevance:.2f}，低于入选下限 {least:.2f}。",
            f"Its relevance is {scored.hit.relevance:.2f}, below the {least:.2f} that is needed.",
        )
    if verdict == "fails-conditions":
        zh = "；".join(_CONDITIONS[name][0] for name in failed)
        en = "; ".join(_CONDITIONS[name][1] for name in failed)
        return f"不符合条件：{zh}。", f"It fails a condition: {en}."
    if verdict == "beyond-the-last":
        holds = ("", "It") if scored.relaxed else ("符合全部条件，", "It holds every condition and")
        return (
            f"{holds[0]}得分排第 {place}，仅展示前 {engine.CANDIDATES} 项。",
            f"{holds[1]} ranks {place}; the first {engine.CANDIDATES} are shown.",
        )
    zh, en = reasons.sentences(demand, scored.offer, answered, scored.relaxed)
    return f"在结果中，排第 {place}：{zh}", f"It is in the result, at place {place}: {en}"


class Replay(Contract):
    """A stored result, made once more from what was stored of it.

    Shape: `differences` name what came out otherwise; `outdated` what has changed since, so that it may.
    """

    identical: bool
    outdated: tuple[str, ...]
    differences: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    near_misses: tuple[NearMiss, ...]


def outdated(stored: dict[str, str]) -> tuple[str, ...]:
    """Parts of the engine that are no longer what they were."""
    now = engine.versions()
    return tuple(name for name in now if stored.get(name) != now[name])


def compare(
    candidates: tuple[Candidate, ...],
    near_misses: tuple[NearMiss, ...],
    again: engine.Result,
    stale: tuple[str, ...],
) -> Replay:
    found: list[str] = []
    if len(candidates) != len(again.candidates):
        found.append(f"candidates: {len(candidates)} stored, {len(again.candidates)} now")
    for was, now in zip(candidates, again.candidates, strict=False):
        changed = [name for name in type(was).model_fields if getattr(was, name) != getattr(now, name)]
        if changed:
            found.append(f"candidate {was.rank}: {', '.join(changed)}")
    if near_misses != again.near_misses:
        found.append("near misses")
    return Replay(
        identical=not found,
        outdated=stale,
        differences=tuple(found),
        candidates=again.candidates,
        near_misses=again.near_misses,
    )


class Similar(Contract):
    """Another open demand that says nearly the same."""

    window: str
    demand_id: UUID
    number: str
    title: str
    state: str
    similarity: float
