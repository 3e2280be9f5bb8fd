"""An open demand that fits an offering (商机), told to the provider's platform by matchmaking."""

from datetime import date
from typing import Literal
from uuid import UUID

from common.contracts.demands import Budget, SizeClass
from common.contracts.envelope import Contract, Fact, State
from common.contracts.finance import FinanceNeed
from common.contracts.technology import TechnologyNeed
from common.fields import DivisionCode, Line, Moment, NodeId, Score, Slug, Text


class DemandNotice(Contract):
    """As much of a demand as anybody who may answer it sees; never whose it is."""

    number: Line
    title: Line
    text: Text
    category: Slug | None = None
    division: DivisionCode
    size_class: SizeClass
    budget: Budget = Budget()
    needed_by: date | None = None
    finance: FinanceNeed | None = None
    technology: TechnologyNeed | None = None
    example: bool = False


class Opportunity(State):
    """One demand for one provider, through the offering of its that fits best."""

    demand_id: UUID
    demand_window: NodeId
    platform: NodeId
    provider_id: UUID
    offering_id: UUID
    offering_title: Line
    demand: DemandNotice
    score: Score
    reason_zh: str
    reason_en: str
    state: Literal["open", "closed"]
    state_reason: str | None = None
    found_at: Moment


class OpportunityFound(Opportunity, Fact):
    type = "opportunity.found.v1"


class OpportunityClosed(Opportunity, Fact):
    """The demand was awarded, withdrawn or ended; `state_reason` is its state."""

    type = "opportunity.closed.v1"
