"""A demand (需求) from its submission to its closing. Every step returns the new demand and its fact."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from common.contracts.demands import (
    Budget,
    DemandAwarded,
    DemandChanged,
    DemandEvaluated,
    DemandMatched,
    DemandOpened,
    DemandProgressed,
    DemandState,
    DemandSubmitted,
    DemandUnmatched,
    DemandWithdrawn,
)
from common.contracts.demands import (
    Demand as Public,
)
from common.contracts.envelope import Contract, Fact
from common.contracts.finance import FinanceNeed
from common.contracts.technology import TechnologyNeed
from common.errors import Conflict, Invalid
from common.fields import CHINA, DivisionCode, IndustryCode, Line, Moment, Slug, Text
from pydantic import Field
from reference import categories

from window.enterprises.domain import Enterprise, check_division, check_industry

# China keeps one zone and no summer time: no zone database is needed.
EDITABLE = frozenset({"submitted", "matched", "no_match"})
AWAITS_MATCH = EDITABLE | {"published"}
INVITES = frozenset({"matched", "quoting", "evaluating", "no_quotation"})
AWARDABLE = frozenset({"quoting", "evaluating"})
WITHDRAWABLE = AWAITS_MATCH | INVITES | {"draft", "returned"}
# Nobody does the work yet: the same need said again would be answered twice.
OPEN = WITHDRAWABLE
# What the engagement makes of its demand, in order.
COURSE: tuple[DemandState, ...] = ("awarded", "in_service", "delivered", "accepted", "rated", "closed")
STEPS_KEPT = 200
F = TypeVar("F", bound=Fact)


class Draft(Contract):
    """What an enterprise asks for. Industry and place default to its own."""

    title: Line
    text: Text
    category: Slug | None = None
    industry: IndustryCode | None = None
    division: DivisionCode | None = None
    budget: Budget = Budget()
    needed_by: date | None = None
    must_haves: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    nice_to_haves: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    qualifications: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    finance: FinanceNeed | None = None
    technology: TechnologyNeed | None = None
    confidential: bool = False
    example: bool = False


class Step(Contract):
    """One fact in the life of a demand."""

    at: Moment
    fact: str
    state: DemandState
    reason: str | None = None


class Demand(Public):
    """A demand as its window holds it.

    Shape: `content_version` is the version at which its content was last said: a match for an earlier
    one is outdated. `legal_name` is shown as `enterprise_name` unless confidential and not yet awarded.
    """

    owner_subject: str
    enterprise_id: UUID
    legal_name: Line
    confidential: bool = False
    content_version: int = 1
    timeline: tuple[Step, ...] = ()


def today(at: datetime) -> date:
    """The date in China."""
    return at.astimezone(CHINA).date()


def receipt(window: str, at: datetime, number: int) -> str:
    """The receipt number (受理编号), with the date in China."""
    return f"XQ-{window.upper()}-{today(at):%Y%m%d}-{number:06d}"


def submit(
    draft: Draft, enterprise: Enterprise, *, id: UUID, number: str, staff: bool, at: datetime
) -> tuple[Demand, DemandSubmitted]:
    """Raises: Invalid naming the field that is wrong."""
    check(draft, at)
    if draft.example and not (staff or enterprise.example):
        raise Invalid(
            "example-staff-only",
            zh="只有示例企业或本窗口工作人员可以提交示例需求；请去掉 example",
            en="only example enterprises and staff of this window submit examples; leave out example",
            field="example",
        )
    demand = Demand(
        id=id,
        version=1,
        number=number,
        title=draft.title,
        text=draft.text,
        category=draft.category,
        industry=draft.industry or enterprise.industry,
        division=draft.division or enterprise.division,
        size_class=enterprise.size_class,
        enterprise_name=None if draft.confidential else enterprise.name,
        budget=draft.budget,
        needed_by=draft.needed_by,
        must_haves=draft.must_haves,
        nice_to_haves=draft.nice_to_haves,
        qualifications=draft.qualifications,
        finance=draft.finance,
        technology=draft.technology,
        example=draft.example or enterprise.example,
        state="submitted",
        submitted_at=at,
        changed_at=at,
        owner_subject=enterprise.owner_subject,
        enterprise_id=enterprise.id,
        legal_name=enterprise.name,
        confidential=draft.confidential,
        timeline=(Step(at=at, fact=DemandSubmitted.type, state="submitted"),),
    )
    return demand, DemandSubmitted.of(demand)


def check(draft: Draft, at: datetime) -> None:
    """Raises: Invalid naming the field and the rule."""
    if draft.industry is not None:
        check_industry(draft.industry)
    if draft.division is not None:
        check_division(draft.division)
    if draft.category is not None:
        _check_category(draft.category)
    low, high = draft.budget.from_cents, draft.budget.to_cents
    if low is not None and high is not None and low > high:
        raise Invalid(
            "budget-upside-down",
            zh="预算下限大于上限；请调换",
            en="the budget starts above its end; swap them",
            field="budget.to_cents",
        )
    if draft.needed_by is not None and draft.needed_by < today(at):
        raise Invalid(
            "needed-by-past",
            zh="需求日期已过；请填写今天或以后的日期",
            en="the needed-by date has passed; give today or later",
            field="needed_by",
        )
    if draft.finance is not None and draft.finance.amount_cents == 0:
        raise Invalid(
            "finance-amount",
            zh="融资金额须大于零；请填写所需金额（分）",
            en="the amount sought must be more than nothing; give what is needed, in cents",
            field="finance.amount_cents",
        )
    if draft.technology is not None:
        since, until = draft.technology.from_year, draft.technology.to_year
        if since is not None and until is not None and since > until:
            raise Invalid(
                "years-upside-down",
                zh="起始年份晚于结束年份；请调换",
                en="the years start after their end; swap them",
                field="technology.to_year",
            )


def _check_category(id: str) -> None:
    try:
        categories.get(id)
    except categories.UnknownCategory:
        raise Invalid(
            "category-unknown",
            zh="没有这个服务分类；请从分类表中选择，或不填",
            en="no such service category; choose one of the taxonomy or leave it out",
            field="category",
        ) from None


def change(demand: Demand, changes: Mapping[str, Any], at: datetime) -> tuple[Demand, DemandChanged]:
    """Say it anew; matching starts again.

    Raises: Conflict once providers were invited; Invalid.
    """
    if demand.state not in EDITABLE:
        raise _wrong_state(demand, "修改", "be changed")
    said = Draft.model_validate(
        {name: getattr(demand, name) for name in Draft.model_fields} | dict(changes), from_attributes=True
    )
    # A date that was fine when it was said is checked again only when it is said again.
    check(said if "needed_by" in changes else said.model_copy(update={"needed_by": None}), at)
    update = {name: getattr(said, name) for name in changes}
    if "confidential" in changes:
        update["enterprise_name"] = None if said.confidential else demand.legal_name
    return _step(
        DemandChanged,
        demand,
        at,
        state="submitted",
        content_version=demand.version + 1,
        state_reason=None,
        **update,
    )


def awaits(demand: Demand, demand_version: int) -> bool:
    """Whether a match for that version of the demand is still of use."""
    return demand.state in AWAITS_MATCH and demand.content_version <= demand_version <= demand.version


def match(
    demand: Demand, outcome: Literal["matched", "no_match"], at: datetime
) -> tuple[Demand, DemandMatched | DemandUnmatched] | None:
    """None when a newer result says the same: the demand does not change, and matchmaking is not asked again."""
    if demand.state == outcome:
        return None
    return _step(DemandMatched if outcome == "matched" else DemandUnmatched, demand, at, state=outcome)


def open(demand: Demand, at: datetime) -> tuple[Demand, DemandOpened] | None:
    """Providers have been invited.

    Raises: Conflict when the demand invites nobody in its state.
    """
    if demand.state not in INVITES:
        raise _wrong_state(demand, "邀请报价", "invite providers")
    if demand.state == "quoting":
        return None
    return _step(DemandOpened, demand, at, state="quoting", state_reason=None)


def evaluate(
    demand: Demand, outlook: Literal["quoting", "evaluating", "no_quotation"], at: datetime
) -> tuple[Demand, DemandEvaluated | DemandOpened] | None:
    """Follow the answers of the invited providers; None when nothing changes."""
    if demand.state not in INVITES or demand.state == outlook:
        return None
    return _step(DemandOpened if outlook == "quoting" else DemandEvaluated, demand, at, state=outlook)


def award(demand: Demand, engagement_id: UUID, reason: str, at: datetime) -> tuple[Demand, DemandAwarded]:
    """The winner is chosen; from now on the name is known."""
    return _step(
        DemandAwarded,
        demand,
        at,
        state="awarded",
        state_reason=reason,
        engagement_id=engagement_id,
        enterprise_name=demand.legal_name,
    )


def relapse(demand: Demand, reason: str, at: datetime) -> tuple[Demand, DemandEvaluated] | None:
    """The award is undone: it can be awarded again, and the name is hidden again where it was.

    Shape: None for a demand that no award holds.
    """
    if demand.state not in ("awarded", "in_service"):
        return None
    return _step(
        DemandEvaluated,
        demand,
        at,
        state="evaluating",
        state_reason=reason,
        engagement_id=None,
        enterprise_name=None if demand.confidential else demand.legal_name,
    )


def check_awardable(demand: Demand) -> None:
    """Raises: Conflict."""
    if demand.state in COURSE:
        raise Conflict(
            "already-awarded",
            zh=f"该需求已经授标，服务合同编号 {demand.engagement_id}",
            en=f"this demand is awarded already; its engagement is {demand.engagement_id}",
        )
    if demand.state not in AWARDABLE:
        raise _wrong_state(demand, "授标", "be awarded")


def progress(demand: Demand, state: DemandState, at: datetime) -> tuple[Demand, DemandProgressed] | None:
    """Follow the engagement; None when the demand is as far already."""
    if demand.state not in COURSE or COURSE.index(state) <= COURSE.index(demand.state):
        return None
    return _step(DemandProgressed, demand, at, state=state, state_reason=None)


def withdraw(demand: Demand, reason: str, at: datetime) -> tuple[Demand, DemandWithdrawn]:
    """Raises: Conflict once it is awarded or over."""
    if demand.state not in WITHDRAWABLE:
        raise _wrong_state(demand, "撤回", "be withdrawn")
    return _step(DemandWithdrawn, demand, at, state="withdrawn", state_reason=reason)


def _step(kind: type[F], demand: Demand, at: datetime, **update: Any) -> tuple[Demand, F]:
    step = Step(
        at=at, fact=kind.type, state=update.get("state", demand.state), reason=update.get("state_reason")
    )
    timeline = (*demand.timeline[: STEPS_KEPT - 1], step)
    new = demand.model_copy(
        update={**update, "version": demand.version + 1, "changed_at": at, "timeline": timeline}
    )
    return new, kind.of(new)


def _wrong_state(demand: Demand, zh: str, en: str) -> Conflict:
    return Conflict(
        "demand-state",
        zh=f"需求当前状态为 {demand.state}，不能{zh}；请刷新后查看可用操作",
        en=f"the demand is {demand.state} and cannot {en} now; read it again to see what is open to you",
    )
