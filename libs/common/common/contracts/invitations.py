"""A provider asked to quote (询价邀请). Owned by the demand's window, addressed to the provider's platform."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.demands import Budget, SizeClass
from common.contracts.envelope import Contract, Fact, State
from common.contracts.finance import FinanceNeed
from common.contracts.technology import TechnologyNeed
from common.fields import DivisionCode, Line, Moment, NodeId, Slug, Text

InvitationState = Literal["issued", "declined", "quoted", "awarded", "lost", "withdrawn", "expired"]


class DemandSummary(Contract):
    """As much of the demand as a provider needs to quote."""

    number: Line
    title: Line
    text: Text
    category: Slug | None = None
    division: DivisionCode
    size_class: SizeClass
    enterprise_name: Line | None = None
    budget: Budget = Budget()
    needed_by: date | None = None
    must_haves: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    nice_to_haves: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    qualifications: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    finance: FinanceNeed | None = None
    technology: TechnologyNeed | None = None


class Invitation(State):
    """One invited provider of one demand.

    Shape: `enterprise_subject` is the opaque account of the enterprise's owner, set while the award stands:
    the provider's platform shows the provider's contact to that account alone.
    """

    demand_id: UUID
    demand_window: NodeId
    platform: NodeId
    provider_id: UUID
    provider_name: Line
    offering_id: UUID
    offering_version: Annotated[int, Field(ge=1)]
    offering_title: Line
    demand: DemandSummary
    respond_by: Moment
    state: InvitationState
    state_reason: str | None = None
    issued_at: Moment
    enterprise_subject: Line | None = None


class InvitationIssued(Invitation, Fact):
    type = "invitation.issued.v1"


class InvitationAnswered(Invitation, Fact):
    """The provider quoted, declined or took its quotation back; for the register, its platform knows."""

    type = "invitation.answered.v1"


class InvitationExpired(Invitation, Fact):
    """Nobody answered by `respond_by`."""

    type = "invitation.expired.v1"


class InvitationAwarded(Invitation, Fact):
    type = "invitation.awarded.v1"


class InvitationLost(Invitation, Fact):
    """Another provider won, or the demand ended; `state_reason` says which."""

    type = "invitation.lost.v1"
