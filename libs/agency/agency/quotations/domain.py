"""A quotation (报价): one provider's answer to one invitation, from the provider's side."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from common import ids
from common.contracts import quotations as contract
from common.contracts.envelope import Contract
from common.contracts.invitations import Invitation
from common.contracts.quotations import (
    QuotationDeclined,
    QuotationExpired,
    QuotationSettled,
    QuotationState,
    QuotationSubmitted,
    QuotationViewed,
    QuotationWithdrawn,
)
from common.errors import Conflict, Forbidden, Invalid, wrong_state
from common.fields import CHINA, Cents, Moment, OptionalText
from pydantic import Field

from agency.providers.domain import Provider, accepts_work

UNANSWERED: tuple[QuotationState, ...] = ("invited", "viewed")
OPEN: tuple[QuotationState, ...] = (*UNANSWERED, "submitted")
# Won: the parties may know each other.
WON: tuple[QuotationState, ...] = ("accepted", "confirmed")
# There is, or may soon be, an award to work on.
WORKABLE: tuple[QuotationState, ...] = ("submitted", *WON)
NAMES_ZH: dict[QuotationState, str] = {
    "invited": "待查看", "viewed": "已查看", "declined": "已谢绝", "submitted": "已报价", "withdrawn": "已撤回",
    "expired": "已过期", "rejected": "未中选", "accepted": "已中选", "confirmed": "已确认", "relapsed": "已失效",
}  # fmt: skip


class Offer(Contract):
    """What is submitted; a later one replaces an earlier one."""

    price_cents: Cents
    lead_days: Annotated[int, Field(ge=0, le=3650)]
    valid_until: date
    scope: OptionalText = ""


class Quotation(contract.Quotation):
    """A quotation with its owner and the newest state of its invitation."""

    owner_subject: str
    invitation: Invitation
    invitation_epoch: int
    invitation_version: int
    respond_by: Moment
    received_at: Moment
    changed_at: Moment


def key(invitation_id: UUID) -> UUID:
    """One quotation for one invitation, whichever message about it comes first."""
    return ids.derived("quotation", str(invitation_id))


def addressed(invitation: Invitation, *, node: str, source: str) -> None:
    """Raises: Forbidden when it is not the sender's to send, or not ours to hear."""
    if invitation.demand_window != source or invitation.platform != node:
        raise Forbidden(
            "foreign-invitation",
            zh="邀请的来源或对象与本平台不符；请由需求所属窗口重新发送",
            en="the invitation is not its sender's, or not for this platform; the demand's window must send it",
        )


def receive(
    invitation: Invitation, provider: Provider | None, *, platform: str, epoch: int = 1, at: datetime
) -> tuple[Quotation, QuotationDeclined | None]:
    """What an invitation becomes here. One nobody can answer is declined at once, so that nobody waits."""
    refusal = None
    if provider is None:
        refusal = "provider-unknown"
    elif provider.state != "active":
        refusal = "provider-not-active"
    elif at > invitation.respond_by:
        refusal = "arrived-after-deadline"
    quotation = Quotation(
        id=key(invitation.id),
        epoch=epoch,
        version=1,
        invitation_id=invitation.id,
        demand_id=invitation.demand_id,
        demand_window=invitation.demand_window,
        platform=platform,
        provider_id=invitation.provider_id,
        provider_name=provider.name if provider else invitation.provider_name,
        offering_id=invitation.offering_id,
        offering_version=invitation.offering_version,
        state="declined" if refusal else "invited",
        state_reason=refusal,
        answered_at=at if refusal else None,
        owner_subject=provider.owner_subject if provider else f"node:{platform}",
        invitation=Invitation.model_validate(invitation.model_dump()),
        invitation_epoch=invitation.epoch,
        invitation_version=invitation.version,
        respond_by=invitation.respond_by,
        received_at=at,
        changed_at=at,
    )
    return quotation, QuotationDeclined.of(quotation) if refusal else None


def outdated(quotation: Quotation, invitation: Invitation) -> bool:
    """Whether we know this state of the invitation, or a later one, already."""
    held = (quotation.invitation_epoch, quotation.invitation_version)
    return (invitation.epoch, invitation.version) <= held


def follow(quotation: Quotation, invitation: Invitation) -> Quotation:
    """Keep the newest invitation. It is not part of the quotation, so the version stays."""
    return quotation.model_copy(
        update={
            "invitation": Invitation.model_validate(invitation.model_dump()),
            "invitation_epoch": invitation.epoch,
            "invitation_version": invitation.version,
            "respond_by": invitation.respond_by,
        }
    )


def view(quotation: Quotation, *, at: datetime) -> tuple[Quotation, QuotationViewed | None]:
    """Note that it was read; a second time changes nothing."""
    if quotation.state != "invited":
        return quotation, None
    viewed = _next(quotation, at, state="viewed")
    return viewed, QuotationViewed.of(viewed)


def submit(
    quotation: Quotation, offer: Offer, provider: Provider, *, at: datetime
) -> tuple[Quotation, QuotationSubmitted]:
    """Raises: Conflict after the deadline, in a wrong state, or when the provider is not active; Invalid."""
    if quotation.state not in (*OPEN, "expired"):
        raise _wrong(quotation, "报价", "answered with an offer")
    if at > quotation.respond_by or quotation.state == "expired":
        local = quotation.respond_by.astimezone(CHINA)
        raise Conflict(
            "deadline-passed",
            zh=f"报价已于北京时间 {local:%Y-%m-%d %H:%M} 截止；如需延期请联系需求所属窗口",
            en=f"quoting ended at {quotation.respond_by:%Y-%m-%d %H:%M} UTC; ask the demand's window to extend it",
        )
    accepts_work(provider)
    if offer.valid_until < at.astimezone(CHINA).date():
        raise Invalid(
            "valid-until-past",
            zh="报价有效期早于今天；请填写今天或以后的日期",
            en="the offer would have lapsed already; give today or a later day",
            field="valid_until",
        )
    submitted = _next(
        quotation,
        at,
        state="submitted",
        state_reason=None,
        revision=quotation.revision + 1,
        answered_at=at,
        provider_subject=quotation.owner_subject,
        **offer.model_dump(include=set(Offer.model_fields)),
    )
    return submitted, QuotationSubmitted.of(submitted)


def decline(quotation: Quotation, reason: str, *, at: datetime) -> tuple[Quotation, QuotationDeclined]:
    """Raises: Conflict once it was answered; an offer is withdrawn instead."""
    if quotation.state not in UNANSWERED:
        raise _wrong(quotation, "谢绝", "declined")
    declined = _next(quotation, at, state="declined", state_reason=reason, answered_at=at)
    return declined, QuotationDeclined.of(declined)


def withdraw(
    quotation: Quotation, reason: str | None, *, at: datetime
) -> tuple[Quotation, QuotationWithdrawn]:
    """Raises: Conflict unless submitted."""
    if quotation.state != "submitted":
        raise _wrong(quotation, "撤回", "withdrawn")
    withdrawn = _next(quotation, at, state="withdrawn", state_reason=reason)
    return withdrawn, QuotationWithdrawn.of(withdrawn)


def settle(
    quotation: Quotation, invitation: Invitation, *, at: datetime
) -> tuple[Quotation, QuotationSettled | QuotationExpired | None]:
    """What the end of the invitation means here. An award that crossed our withdrawal has relapsed, and
    the window is told; an offer that was made in time outlives the invitation's deadline.
    """
    if invitation.state == "expired":
        if quotation.state not in UNANSWERED:
            return quotation, None
        expired = _next(quotation, at, state="expired", state_reason="deadline-passed")
        return expired, QuotationExpired.of(expired)
    if invitation.state == "awarded":
        if quotation.state in (*WON, "relapsed"):
            return quotation, None
        if quotation.state == "submitted":
            settled = _next(quotation, at, state="accepted", state_reason=None)
        else:
            settled = _next(quotation, at, state="relapsed", state_reason=f"award-of-{quotation.state}")
        return settled, QuotationSettled.of(settled)
    if quotation.state not in OPEN:
        return quotation, None
    settled = _next(quotation, at, state="rejected", state_reason=invitation.state_reason or "not-selected")
    return settled, QuotationSettled.of(settled)


def _next(quotation: Quotation, at: datetime, **update: object) -> Quotation:
    return quotation.model_copy(update={"version": quotation.version + 1, "changed_at": at, **update})


def _wrong(quotation: Quotation, zh: str, en: str) -> Conflict:
    return wrong_state("quotation", quotation.state, "报价", NAMES_ZH[quotation.state], zh=zh, en=en)
