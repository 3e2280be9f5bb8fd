"""The work after an award (服务合同): what the provider reports, and what the enterprise accepts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from common.contracts.engagements import Engagement as Public
from common.contracts.engagements import (
    EngagementAccepted,
    EngagementCancelled,
    EngagementClosed,
    EngagementConfirmed,
    EngagementCreated,
    EngagementDelivered,
    EngagementProgressed,
    EngagementState,
    Milestone,
)
from common.contracts.envelope import Contract, Fact
from common.contracts.progress import Progress
from common.contracts.quotations import Quotation
from common.errors import Conflict, Forbidden, Invalid
from common.fields import Line

from window.demands.domain import Demand, today

F = TypeVar("F", bound=Fact)
# Reports may arrive in another order than they were made: the furthest decides.
COURSE: tuple[EngagementState, ...] = ("created", "confirmed", "in_progress", "delivered", "accepted")
# Before the delivery it can still come to nothing.
CANCELLABLE = COURSE[:3]
# What the demand is called meanwhile.
DEMAND_STATES = {"confirmed": "in_service", "in_progress": "in_service", "delivered": "delivered"}


class Plan(Contract):
    """A milestone as it is agreed at the award."""

    title: Line
    due: date | None = None


class Engagement(Public):
    """An engagement as the demand's window, which owns it, holds it."""

    owner_subject: str
    enterprise_id: UUID
    award_reason: str
    confirmed_at: datetime | None = None
    changed_at: datetime


def create(
    demand: Demand,
    quotation: Quotation,
    milestones: Sequence[Plan],
    *,
    id: UUID,
    window: str,
    reason: str,
    at: datetime,
) -> tuple[Engagement, EngagementCreated]:
    """Raises: Invalid when a milestone is due in the past or before the one above it."""
    earliest = today(at)
    for place, plan in enumerate(milestones):
        if plan.due is None:
            continue
        if plan.due < earliest:
            raise Invalid(
                "milestone-order",
                zh="里程碑日期不得早于今天或上一里程碑；请调整",
                en="a milestone is due today or later, and not before the one above it; change its date",
                field=f"milestones.{place}.due",
            )
        earliest = plan.due
    assert quotation.price_cents is not None
    engagement = Engagement(
        id=id,
        version=1,
        demand_id=demand.id,
        demand_window=window,
        demand_number=demand.number,
        title=demand.title,
        enterprise_name=demand.legal_name,
        invitation_id=quotation.invitation_id,
        quotation_id=quotation.id,
        quotation_revision=quotation.revision,
        platform=quotation.platform,
        provider_id=quotation.provider_id,
        provider_name=quotation.provider_name,
        price_cents=quotation.price_cents,
        lead_days=quotation.lead_days,
        milestones=tuple(
            Milestone(number=number, title=plan.title, due=plan.due)
            for number, plan in enumerate(milestones, start=1)
        ),
        state="created",
        created_at=at,
        provider_subject=quotation.provider_subject,
        owner_subject=demand.owner_subject,
        enterprise_id=demand.enterprise_id,
        award_reason=reason,
        changed_at=at,
    )
    return engagement, EngagementCreated.of(engagement)


def report(
    engagement: Engagement, progress: Progress, *, source: str, at: datetime
) -> tuple[Engagement, Fact]:
    """Take a report of the provider. A late one is noted without turning back.

    Raises: Forbidden when it is another's; Conflict when it was said before or all is over; Invalid.
    """
    if (source, progress.provider_id, progress.demand_id) != (
        engagement.platform, engagement.provider_id, engagement.demand_id,
    ):  # fmt: skip
        raise Forbidden(
            "foreign-report",
            zh="进度报告与服务合同的机构或平台不符",
            en="the report is not from the engagement's provider and platform",
            field="engagement_id",
        )
    if engagement.state not in COURSE:
        raise Conflict(
            "engagement-over", zh="服务合同已结束", en=f"the engagement is {engagement.state}", field="step"
        )
    if progress.step == "confirmed":
        if engagement.confirmed_at is not None:
            raise _said_before(progress)
        return _reach("confirmed", EngagementConfirmed, engagement, at, confirmed_at=progress.reported_at)
    if progress.step == "delivered":
        if engagement.delivered_at is not None:
            raise _said_before(progress)
        return _reach(
            "delivered",
            EngagementDelivered,
            engagement,
            at,
            delivered_at=progress.reported_at,
            delivery_note=progress.note,
        )
    return _reach("in_progress", EngagementProgressed, engagement, at, milestones=_tick(engagement, progress))


def _tick(engagement: Engagement, progress: Progress) -> tuple[Milestone, ...]:
    for milestone in engagement.milestones:
        if milestone.number == progress.milestone:
            if milestone.done_at is not None:
                raise _said_before(progress)
            break
    else:
        raise Invalid(
            "milestone-unknown",
            zh="服务合同没有这个里程碑",
            en="the engagement has no such milestone",
            field="milestone",
        )
    return tuple(
        m.model_copy(update={"done_at": progress.reported_at}) if m.number == progress.milestone else m
        for m in engagement.milestones
    )


def _said_before(progress: Progress) -> Conflict:
    return Conflict(
        "reported-before",
        zh="该进度已报告过",
        en=f"{progress.step} was reported before",
        field="step",
    )


def _reach(
    state: EngagementState, kind: type[Fact], engagement: Engagement, at: datetime, **update: Any
) -> tuple[Engagement, Fact]:
    further = COURSE.index(state) > COURSE.index(engagement.state)
    return _step(
        kind if further else EngagementProgressed,
        engagement,
        at,
        state=state if further else engagement.state,
        **update,
    )


def accept(engagement: Engagement, at: datetime) -> tuple[Engagement, EngagementAccepted]:
    """Raises: Conflict unless it has been delivered and not yet accepted."""
    if engagement.state != "delivered":
        raise Conflict(
            "not-delivered" if engagement.state in COURSE[:3] else "engagement-over",
            zh=f"服务合同当前状态为 {engagement.state}，只有交付后才能验收",
            en=f"the engagement is {engagement.state}; only what is delivered can be accepted",
        )
    return _step(EngagementAccepted, engagement, at, state="accepted", accepted_at=at)


def relapse(
    engagement: Engagement, quotation: Quotation, *, source: str, reason: str, at: datetime
) -> tuple[Engagement, EngagementCancelled]:
    """The provider had taken its quotation back before it heard of the award.

    Raises: Forbidden when it is another's word; Conflict once it was delivered or is over.
    """
    if (source, quotation.provider_id, quotation.demand_id) != (
        engagement.platform, engagement.provider_id, engagement.demand_id,
    ):  # fmt: skip
        raise Forbidden(
            "foreign-quotation",
            zh="报价与服务合同的机构或平台不符",
            en="the quotation is not from the engagement's provider and platform",
            field="provider_id",
        )
    if engagement.state not in CANCELLABLE:
        raise Conflict(
            "engagement-over",
            zh=f"服务合同当前状态为 {engagement.state}，不能再取消",
            en=f"the engagement is {engagement.state} and cannot come to nothing any more",
            field="state",
        )
    return _step(EngagementCancelled, engagement, at, state="cancelled", state_reason=reason)


def close(engagement: Engagement, at: datetime) -> tuple[Engagement, EngagementClosed]:
    """After the rating nothing is owed any more."""
    return _step(EngagementClosed, engagement, at, state="closed")


def _step(kind: type[F], engagement: Engagement, at: datetime, **update: Any) -> tuple[Engagement, F]:
    new = engagement.model_copy(update={**update, "version": engagement.version + 1, "changed_at": at})
    return new, kind.of(new)
