"""Providers asked to quote (询价邀请): whom, until when, and what their answers make of the demand."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from common import ids
from common.contracts.invitations import (
    DemandSummary,
    InvitationAnswered,
    InvitationAwarded,
    InvitationExpired,
    InvitationIssued,
    InvitationLost,
    InvitationState,
)
from common.contracts.invitations import Invitation as Public
from common.contracts.matches import Candidate
from common.contracts.quotations import QuotationState
from common.errors import Conflict, Invalid

from window.demands.domain import Demand

MAX_DAYS = 90
OPEN: frozenset[InvitationState] = frozenset({"issued", "quoted", "declined", "withdrawn", "expired"})
# Who still hopes, and is told when the demand ends without them.
HOPEFUL: frozenset[InvitationState] = frozenset({"issued", "quoted"})
ANSWERS: dict[QuotationState, InvitationState] = {
    "submitted": "quoted",
    "declined": "declined",
    "withdrawn": "withdrawn",
    "expired": "expired",
}


class Invitation(Public):
    """An invitation as the demand's window holds it."""

    owner_subject: str
    answered_at: datetime | None = None


def issue(
    demand: Demand,
    candidates: Sequence[Candidate],
    invited: Iterable[Invitation],
    offering_ids: Sequence[UUID],
    *,
    window: str,
    respond_by: datetime,
    at: datetime,
) -> list[tuple[Invitation, InvitationIssued]]:
    """One invitation for each chosen offering.

    Shape: who lost may be asked again: a refused offer has lapsed (Civil Code art. 478), so after an award
    that was undone the enterprise asks anew and the provider says anew whether it stands by its offer.
    Raises: Invalid for an offering that was not matched or a bad deadline; Conflict for a provider asked before.
    """
    if not at < respond_by <= at + timedelta(days=MAX_DAYS):
        raise Invalid(
            "respond-by-range",
            zh=f"答复期限须晚于现在且不超过 {MAX_DAYS} 天",
            en=f"respond_by must lie after now and within {MAX_DAYS} days",
            field="respond_by",
        )
    matched = {candidate.offering_id: candidate for candidate in candidates}
    taken = {
        (invitation.platform, invitation.provider_id) for invitation in invited if invitation.state != "lost"
    }
    issued: list[tuple[Invitation, InvitationIssued]] = []
    for place, offering_id in enumerate(offering_ids):
        candidate = matched.get(offering_id)
        if candidate is None:
            raise Invalid(
                "offering-not-matched",
                zh="该服务产品不在当前对接结果中；请从对接结果中选择",
                en="this offering is not in the current match; choose from the match",
                field=f"offering_ids.{place}",
            )
        if (candidate.platform, candidate.provider_id) in taken:
            raise Conflict(
                "already-invited",
                zh=f"{candidate.provider_name}已受邀；同一需求每家机构只邀请一次",
                en=f"{candidate.provider_name} is invited already; a demand invites each provider once",
                field=f"offering_ids.{place}",
            )
        taken.add((candidate.platform, candidate.provider_id))
        invitation = Invitation(
            id=ids.new(),
            version=1,
            demand_id=demand.id,
            demand_window=window,
            platform=candidate.platform,
            provider_id=candidate.provider_id,
            provider_name=candidate.provider_name,
            offering_id=candidate.offering_id,
            offering_version=candidate.offering_version,
            offering_title=candidate.title,
            demand=_summary(demand),
            respond_by=respond_by,
            state="issued",
            issued_at=at,
            owner_subject=demand.owner_subject,
        )
        issued.append((invitation, InvitationIssued.of(invitation)))
    return issued


def _summary(demand: Demand) -> DemandSummary:
    return DemandSummary.model_validate({n: getattr(demand, n) for n in DemandSummary.model_fields})


def answer(
    invitation: Invitation, quotation: QuotationState, reason: str | None, at: datetime
) -> tuple[Invitation, InvitationAnswered] | None:
    """Follow the provider's quotation; None when it changes nothing, or comes after the end.

    Shape: a quotation that was made in time but travelled past the deadline still counts.
    """
    state = ANSWERS.get(quotation)
    if state is None or state == invitation.state or invitation.state not in OPEN:
        return None
    if invitation.state == "expired" and state != "quoted":
        return None
    answered = _next(invitation, state=state, state_reason=reason, answered_at=at)
    return answered, InvitationAnswered.of(answered)


def expire(invitation: Invitation, at: datetime) -> tuple[Invitation, InvitationExpired] | None:
    """None when it was answered, or may be until a later moment: `respond_by` itself is in time."""
    if invitation.state != "issued" or at <= invitation.respond_by:
        return None
    expired = _next(invitation, state="expired", state_reason="deadline-passed")
    return expired, InvitationExpired.of(expired)


def outlook(invitations: Iterable[Invitation]) -> Literal["quoting", "evaluating", "no_quotation"]:
    """What the answers make of the demand."""
    states = {invitation.state for invitation in invitations}
    if "issued" in states:
        return "quoting"
    return "evaluating" if "quoted" in states else "no_quotation"


def win(invitation: Invitation, demand: Demand) -> tuple[Invitation, InvitationAwarded]:
    """The winner learns the enterprise's name, and its platform whose account may ask for the contact."""
    named = invitation.demand.model_copy(update={"enterprise_name": demand.legal_name})
    won = _next(
        invitation, state="awarded", state_reason=None, demand=named, enterprise_subject=demand.owner_subject
    )
    return won, InvitationAwarded.of(won)


def relapse(invitation: Invitation, reason: str) -> tuple[Invitation, InvitationAnswered] | None:
    """The award met a quotation that had been taken back; None for one that was not awarded."""
    if invitation.state != "awarded":
        return None
    withdrawn = _next(invitation, state="withdrawn", state_reason=reason, enterprise_subject=None)
    return withdrawn, InvitationAnswered.of(withdrawn)


def lose(invitation: Invitation, reason: str) -> tuple[Invitation, InvitationLost] | None:
    """None for who has no hope to lose: declined, withdrawn or lost before."""
    if invitation.state not in HOPEFUL:
        return None
    lost = _next(invitation, state="lost", state_reason=reason)
    return lost, InvitationLost.of(lost)


def _next(invitation: Invitation, **update: object) -> Invitation:
    return invitation.model_copy(update={"version": invitation.version + 1, **update})
