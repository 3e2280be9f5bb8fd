"""What an enterprise needs (企业需求), as the hub and matchmaking may know it."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Contract, Fact, State
from common.contracts.finance import FinanceNeed
from common.contracts.technology import TechnologyNeed
from common.fields import Cents, DivisionCode, IndustryCode, Line, Moment, Slug, Text

DemandState = Literal[
    "draft", "submitted", "returned", "published", "matched", "no_match", "quoting", "evaluating", "awarded",
    "in_service", "delivered", "accepted", "disputed", "rated", "closed", "withdrawn", "expired", "no_quotation",
]  # fmt: skip
SizeClass = Literal["large", "medium", "small", "micro", "not_applicable", "incomplete"]


class Budget(Contract):
    """What the enterprise means to spend; an open end is None."""

    from_cents: Cents | None = None
    to_cents: Cents | None = None


class Demand(State):
    """A demand. `enterprise_name` is None while the enterprise keeps it hidden.

    Shape: `qualifications` are names of those the provider must hold; `finance` and `technology` say
    more of a need of that kind.
    """

    number: Line
    title: Line
    text: Text
    category: Slug | None = None
    industry: IndustryCode
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
    example: bool = False
    state: DemandState
    state_reason: str | None = None
    engagement_id: UUID | None = None
    submitted_at: Moment
    changed_at: Moment


class DemandSubmitted(Demand, Fact):
    type = "demand.submitted.v1"


class DemandChanged(Demand, Fact):
    """The enterprise edited it; matching starts anew."""

    type = "demand.changed.v1"


class DemandMatched(Demand, Fact):
    type = "demand.matched.v1"


class DemandUnmatched(Demand, Fact):
    type = "demand.unmatched.v1"


class DemandOpened(Demand, Fact):
    """Providers have been invited: it is quoting."""

    type = "demand.opened.v1"


class DemandEvaluated(Demand, Fact):
    """Nobody is awaited any more, or an award was undone: it is evaluating, or ended without a quotation."""

    type = "demand.evaluated.v1"


class DemandAwarded(Demand, Fact):
    type = "demand.awarded.v1"


class DemandProgressed(Demand, Fact):
    """Its engagement moved: in service, delivered, accepted, rated or closed."""

    type = "demand.progressed.v1"


class DemandWithdrawn(Demand, Fact):
    type = "demand.withdrawn.v1"
