"""A campaign (专项活动): what it gives, to which demands, by which providers, under which rules."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from common.contracts.allocations import CampaignKind
from common.contracts.demands import DemandState, SizeClass
from common.contracts.envelope import Contract, State
from common.contracts.offerings import OfferingKind
from common.errors import Conflict, Invalid, wrong_state
from common.fields import CHINA, AreaPrefix, Cents, DivisionCode, Line, Moment, NodeId, Score, Slug, Text
from pydantic import ConfigDict, Field
from reference import categories, divisions

CampaignState = Literal["draft", "planned", "accepted", "rejected", "cancelled"]
# Demands that may still be given to somebody.
OPEN: tuple[DemandState, ...] = (
    "submitted", "published", "matched", "no_match", "quoting", "evaluating", "no_quotation",
)  # fmt: skip
STATES_ZH: dict[CampaignState, str] = {
    "draft": "草稿", "planned": "已有方案", "accepted": "已采纳", "rejected": "方案被否决", "cancelled": "已取消",
}  # fmt: skip
EDITABLE = ("draft", "rejected")
PLANNABLE = ("draft", "planned", "rejected")
# What one plan may hold: so much is solved in minutes and stored in one row.
MAX_DEMANDS, MAX_PROVIDERS = 5_000, 5_000
Percent = Annotated[int, Field(ge=1, le=100, strict=True)]
Number = Annotated[int, Field(ge=0, le=100_000, strict=True)]
Priority = Annotated[int, Field(ge=1, le=10, strict=True)]


class Part(Contract):
    """A part of a campaign: a field that it does not know is a mistake, not the future."""

    model_config = ConfigDict(extra="forbid")


class Support(Part):
    """What a demand gets: a fixed amount, a share of its own budget, or the share up to the amount."""

    amount_cents: Cents | None = None
    share_percent: Percent | None = None


class ListedDemand(Part):
    """Shape: one of priority 2 counts twice; a required one must be assigned."""

    window: NodeId
    id: UUID
    priority: Priority = 1
    required: bool = False


class Demands(Part):
    """Which demands: those listed, else all that fit every filter; an empty filter fits all.

    Shape: `kinds` are the kinds of offering that count as serving them.
    """

    listed: Annotated[tuple[ListedDemand, ...], Field(max_length=2_000)] = ()
    categories: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    divisions: Annotated[tuple[AreaPrefix, ...], Field(max_length=200)] = ()
    size_classes: Annotated[tuple[SizeClass, ...], Field(max_length=6)] = ()
    states: Annotated[tuple[DemandState, ...], Field(max_length=7)] = ()
    kinds: Annotated[tuple[OfferingKind, ...], Field(max_length=6)] = ()


class ListedProvider(Part):
    """Shape: `capacity` and `least` are numbers of demands; `budget_cents` is what it may receive."""

    platform: NodeId
    id: UUID
    capacity: Number
    budget_cents: Cents | None = None
    least: Number = 0


class Providers(Part):
    """Which providers: those listed, else all active ones that fit every filter, each with `capacity`."""

    listed: Annotated[tuple[ListedProvider, ...], Field(max_length=2_000)] = ()
    categories: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    divisions: Annotated[tuple[AreaPrefix, ...], Field(max_length=200)] = ()
    capacity: Number | None = None
    budget_cents: Cents | None = None


class LeagueLeast(Part):
    """At least so many demands of a league or city are assigned."""

    division: DivisionCode
    count: Number


class Exclusion(Part):
    """A provider that may not have this demand."""

    window: NodeId
    demand_id: UUID
    platform: NodeId
    provider_id: UUID


class SizePriority(Part):
    """How much a demand of this size counts; one that is listed has its own."""

    size_class: SizeClass
    priority: Priority


class Rules(Part):
    """Shape: `most_percent` of all assignments at most for one provider, rounded up to whole ones;
    `newcomers_percent` at least for providers the engine counts as new; pairs that score below
    `least_score` are not made.
    """

    most_percent: Percent | None = None
    newcomers_percent: Percent | None = None
    leasts: Annotated[tuple[LeagueLeast, ...], Field(max_length=20)] = ()
    exclusions: Annotated[tuple[Exclusion, ...], Field(max_length=1_000)] = ()
    priorities: Annotated[tuple[SizePriority, ...], Field(max_length=6)] = ()
    least_score: Score = 0.0


class Draft(Contract):
    """Shape: demands submitted after `closes_on` are not taken in; a plan is accepted from `opens_on` on."""

    name: Line
    kind: CampaignKind
    opens_on: date
    closes_on: date
    budget_cents: Cents | None = None
    support: Support = Support()
    demands: Demands = Demands()
    providers: Providers = Providers()
    rules: Rules = Rules()


class Campaign(Draft, State):
    """Shape: `plans` is how many were asked for; `accepted_plan` the number of the one that was accepted."""

    state: CampaignState = "draft"
    state_reason: str | None = None
    plans: int = 0
    accepted_plan: int | None = None
    created_by: str
    created_at: Moment
    changed_at: Moment


def create(draft: Draft, *, id: UUID, by: str, at: datetime) -> Campaign:
    """Raises: Invalid naming the field."""
    check(draft)
    return Campaign(**draft.model_dump(), id=id, version=1, created_by=by, created_at=at, changed_at=at)


def change(campaign: Campaign, changes: dict[str, Any], *, at: datetime) -> Campaign:
    """A rejected one becomes a draft again. Raises: Conflict; Invalid."""
    if campaign.state not in EDITABLE:
        raise refused(campaign, zh="修改", en="changed")
    changed = Campaign.model_validate(
        campaign.model_dump() | changes | {"state": "draft", "state_reason": None}
    )
    check(changed)
    return _next(changed, at)


def cancel(campaign: Campaign, reason: Text, *, at: datetime) -> Campaign:
    """Raises: Conflict."""
    if campaign.state not in PLANNABLE:
        raise refused(campaign, zh="取消", en="cancelled")
    return _next(campaign, at, state="cancelled", state_reason=reason)


def count_plan(campaign: Campaign, *, at: datetime) -> Campaign:
    """One more plan is asked for. Raises: Conflict."""
    if campaign.state not in PLANNABLE:
        raise refused(campaign, zh="编制方案", en="planned")
    return _next(campaign, at, plans=campaign.plans + 1)


def propose(campaign: Campaign, *, at: datetime) -> Campaign:
    return _next(campaign, at, state="planned", state_reason=None)


def accept(campaign: Campaign, number: int, *, at: datetime) -> Campaign:
    """Raises: Conflict when it is over, or not open yet."""
    if campaign.state != "planned":
        raise refused(campaign, zh="采纳方案", en="accepted")
    if at.astimezone(CHINA).date() < campaign.opens_on:
        raise Conflict(
            "campaign-not-open",
            zh=f"活动自 {campaign.opens_on} 起办理；请届时再采纳方案",
            en=f"the campaign opens on {campaign.opens_on}; accept a plan then",
            field="opens_on",
        )
    return _next(campaign, at, state="accepted", accepted_plan=number)


def reject(campaign: Campaign, reason: Text, *, at: datetime) -> Campaign:
    """Raises: Conflict."""
    if campaign.state != "planned":
        raise refused(campaign, zh="否决方案", en="rejected")
    return _next(campaign, at, state="rejected", state_reason=reason)


def refused(campaign: Campaign, *, zh: str, en: str) -> Conflict:
    return wrong_state("campaign", campaign.state, "活动", STATES_ZH[campaign.state], zh=zh, en=en)


def _next(campaign: Campaign, at: datetime, **changes: Any) -> Campaign:
    return campaign.model_copy(update={"version": campaign.version + 1, "changed_at": at, **changes})


def check(draft: Draft) -> None:
    """Raises: Invalid naming the field."""
    if draft.closes_on < draft.opens_on:
        raise _wrong("closes_on", "dates-reversed", "结束日期早于开始日期", "it closes before it opens")
    support = draft.support
    if draft.kind == "service_voucher":
        if support.amount_cents is None and support.share_percent is None:
            raise _wrong("support", "amount-needed", "请填写券额或补贴比例", "give an amount or a share")
        if draft.budget_cents is None:
            raise _wrong(
                "budget_cents", "budget-needed", "服务券活动须有预算", "a voucher campaign needs a budget"
            )
    if not draft.providers.listed and draft.providers.capacity is None:
        raise _wrong(
            "providers.capacity", "capacity-needed",
            "未逐一列出机构时，请填写每家机构的容量", "give the capacity of each provider, or list the providers",
        )  # fmt: skip
    _known(draft)
    _once(draft)


def _known(draft: Draft) -> None:
    for field, chosen in (("demands", draft.demands), ("providers", draft.providers)):
        for id in chosen.categories:
            try:
                categories.get(id)
            except categories.UnknownCategory:
                raise _wrong(f"{field}.categories", "unknown-category", f"没有服务分类 {id}", f"no service category {id}") from None  # fmt: skip
    if not set(draft.demands.states) <= set(OPEN):
        raise _wrong("demands.states", "state-not-open", f"只能选未了结的状态：{'、'.join(OPEN)}", f"choose among open states: {', '.join(OPEN)}")  # fmt: skip
    for least in draft.rules.leasts:
        try:
            level = divisions.get(least.division).level
        except divisions.UnknownDivision:
            level = None
        if level != "league_city":
            raise _wrong("rules.leasts", "unknown-league", f"{least.division} 不是盟市代码", f"{least.division} is no league or city")  # fmt: skip


def _once(draft: Draft) -> None:
    for field, keys in (
        ("demands.listed", [(one.window, one.id) for one in draft.demands.listed]),
        ("providers.listed", [(one.platform, one.id) for one in draft.providers.listed]),
        ("rules.leasts", [one.division for one in draft.rules.leasts]),
        ("rules.priorities", [one.size_class for one in draft.rules.priorities]),
    ):
        if len(set(keys)) < len(keys):
            raise _wrong(
                field,
                "listed-twice",
                "同一项列出了两次；请删除重复项",
                "something is listed twice; remove one",
            )


def _wrong(field: str, code: str, zh: str, en: str) -> Invalid:
    return Invalid(code, zh=zh, en=en, field=field)
