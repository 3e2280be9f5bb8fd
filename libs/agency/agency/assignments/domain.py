"""An assignment (承接任务): the provider's copy of an engagement, and what it reports of its work."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from common.contracts import engagements as contract
from common.contracts.engagements import EngagementState
from common.contracts.envelope import Contract
from common.contracts.progress import Progress, ProgressReported
from common.contracts.quotations import QuotationState
from common.contracts.ratings import Rating
from common.errors import Conflict, Forbidden, Invalid
from common.fields import OptionalText
from pydantic import Field

from agency.quotations.domain import WORKABLE

Step = Literal["confirmed", "milestone", "delivered"]
ORDER: dict[EngagementState, int] = {"created": 0, "confirmed": 1, "in_progress": 2}
NAMES_ZH: dict[Step, str] = {"confirmed": "确认承接", "milestone": "里程碑", "delivered": "交付"}


class Report(Contract):
    """One step of the work; a milestone has its number."""

    step: Step
    milestone: Annotated[int, Field(ge=1, le=50)] | None = None
    note: OptionalText = ""


class Assignment(contract.Engagement):
    """An engagement and its rating as last heard from its window, with our own reports, which may be
    ahead of it.
    """

    owner_subject: str
    reports: tuple[Progress, ...] = ()
    rating: Rating | None = None


def ours(
    engagement: contract.Engagement, *, node: str, source: str, quoted_to: str | None, held_by: str | None
) -> None:
    """Raises: Forbidden unless its window sends it, it is for us, and somebody here quoted for it.

    Shape: `quoted_to` is the window of the quotation it names; `held_by` the one we have this id from.
    """
    if (
        engagement.demand_window != source
        or engagement.platform != node
        or quoted_to != source
        or held_by not in (None, source)
    ):
        raise Forbidden(
            "foreign-engagement",
            zh="合同的来源、对象或所依据的报价与本平台不符；请由需求所属窗口核对后重新发送",
            en="the engagement is not its sender's, not for this platform, or rests on no quotation of ours",
        )


def rated_for_us(rating: Rating, *, node: str) -> None:
    """Raises: Forbidden when it is for a provider elsewhere. It may come before its engagement."""
    if rating.platform != node:
        raise Forbidden(
            "foreign-rating",
            zh="评价的机构不在本平台；请由需求所属窗口核对后重新发送",
            en="the rating is for a provider of another platform; the demand's window must send it there",
        )


def report(
    assignment: Assignment, draft: Report, *, quotation: QuotationState, id: UUID, at: datetime
) -> tuple[Progress, ProgressReported]:
    """Shape: `quotation` is the state of ours that it rests on; a withdrawal may be on its way to the window.

    Raises: Invalid for a milestone that is not there; Conflict for a step that cannot follow.
    """
    confirmed = assignment.state != "created" or any(r.step == "confirmed" for r in assignment.reports)
    delivered = assignment.state not in ORDER or any(r.step == "delivered" for r in assignment.reports)
    done = {m.number for m in assignment.milestones if m.done_at is not None}
    done |= {r.milestone for r in assignment.reports if r.milestone is not None}
    if delivered:
        raise Conflict(
            "assignment-over",
            zh="该任务已交付或已结束，不能再报告进度；请查看最新状态",
            en="the work is delivered or over and takes no more reports; read its state",
        )
    if quotation not in WORKABLE:
        raise Conflict(
            "quotation-over",
            zh="所依据的报价已撤回或失效，不能承接；请等待需求所属窗口取消该任务",
            en=f"the quotation it rests on is {quotation}; the demand's window is about to cancel the work",
        )
    if draft.step == "confirmed" and confirmed:
        raise _already(draft.step)
    if draft.step != "confirmed" and not confirmed:
        raise Conflict(
            "not-confirmed",
            zh="尚未确认承接；请先报告 confirmed",
            en="the work has not been confirmed; report confirmed first",
        )
    if draft.step == "milestone":
        _check_milestone(assignment, draft.milestone)
        if draft.milestone in done:
            raise _already(draft.step)
    elif draft.milestone is not None:
        raise Invalid(
            "milestone-unexpected",
            zh="只有里程碑报告才填写 milestone；请去掉",
            en="only a milestone report has a number; leave milestone out",
            field="milestone",
        )
    progress = Progress(
        id=id,
        version=1,
        engagement_id=assignment.id,
        demand_id=assignment.demand_id,
        demand_window=assignment.demand_window,
        provider_id=assignment.provider_id,
        step=draft.step,
        milestone=draft.milestone,
        note=draft.note,
        reported_at=at,
    )
    return progress, ProgressReported.of(progress)


def _check_milestone(assignment: Assignment, number: int | None) -> None:
    known = [m.number for m in assignment.milestones]
    if number not in known:
        raise Invalid(
            "unknown-milestone",
            zh=f"没有此里程碑；可用编号：{'、'.join(map(str, known)) or '无'}",
            en=f"no such milestone; there are: {', '.join(map(str, known)) or 'none'}",
            field="milestone",
        )


def _already(step: Step) -> Conflict:
    return Conflict(
        "already-reported",
        zh=f"“{NAMES_ZH[step]}”已经报告过；请查看已有报告",
        en=f"{step} has been reported already; see the reports",
    )
