"""Campaigns and plans over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from common.contracts.allocations import CampaignKind
from common.fields import Cents, Line, Text
from common.http import In, Out
from pydantic import ConfigDict, Field, computed_field

from matchmaking.campaigns.domain import CampaignState, Demands, Draft, Providers, Rules, Support
from matchmaking.campaigns.plans import Failure, PlanLine, PlanState, Worded
from matchmaking.campaigns.problem import Comparison
from matchmaking.campaigns.wording import sentence

EXAMPLE: dict[str, Any] = {
    "name": "2026 年检验检测服务券", "kind": "service_voucher", "opens_on": "2026-03-01",
    "closes_on": "2026-06-30", "budget_cents": 50_000_000,
    "support": {"amount_cents": 500_000, "share_percent": 50},
    "demands": {"categories": ["technology_quality"], "size_classes": ["small", "micro"]},
    "providers": {"categories": ["technology_quality"], "capacity": 20},
    "rules": {"most_percent": 20, "leasts": [{"division": "150100", "count": 5}]},
}  # fmt: skip


class CampaignIn(Draft, In):
    """A new campaign."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})


class CampaignChangesIn(In):
    """What changes; the parts that are given replace the old ones whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"budget_cents": 60_000_000}]})

    name: Line | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    budget_cents: Cents | None = None
    support: Support | None = None
    demands: Demands | None = None
    providers: Providers | None = None
    rules: Rules | None = None

    def given(self) -> dict[str, Any]:
        """Only a budget may be taken away by null."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in said.items() if value is not None or name == "budget_cents"}


class ReasonIn(In):
    """Why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "预算已调整，需重新编制"}]})

    reason: Annotated[Text, Field(max_length=2_000)]


class CampaignOut(Out):
    """A campaign."""

    id: UUID
    epoch: int
    version: int
    name: str
    kind: CampaignKind
    opens_on: date
    closes_on: date
    budget_cents: int | None
    support: Support
    demands: Demands
    providers: Providers
    rules: Rules
    state: CampaignState
    state_reason: str | None
    plans: int
    accepted_plan: int | None
    created_by: str
    created_at: datetime
    changed_at: datetime


class PlanSummaryOut(Out):
    """A plan without its lines. `done` of `total` demands have been judged while it is computed.

    `gap` is how far, relative to this plan, a better one could be; 0 is proven the best. `binding` are the
    limits that are used up, with the utility one more unit (a place, a yuan) would add; `clashes` those
    that cannot hold together.
    """

    id: UUID
    campaign_id: UUID
    number: int
    state: PlanState
    state_reason: str | None
    done: int
    total: int
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None
    method: str | None
    gap: float | None
    versions: dict[str, str]
    comparison: Comparison | None
    binding: tuple[Worded, ...]
    clashes: tuple[Worded, ...]
    failure: Failure | None

    @computed_field
    @property
    def clash_zh(self) -> str | None:
        return sentence(self.clashes)[0] if self.clashes else None

    @computed_field
    @property
    def clash_en(self) -> str | None:
        return sentence(self.clashes)[1] if self.clashes else None


class PlanOut(PlanSummaryOut):
    """A plan with one page of its lines, in the order of submission, and why demands have no provider."""

    unassigned: dict[str, int]
    lines: tuple[PlanLine, ...]
    next_cursor: UUID | None


class CampaignAllocationOut(Out):
    """A demand given to a provider."""

    id: UUID
    epoch: int
    version: int
    campaign_id: UUID
    plan_number: int
    kind: CampaignKind
    demand_id: UUID
    demand_number: str
    demand_title: str
    demand_window: str
    platform: str
    provider_id: UUID
    provider_name: str
    offering_id: UUID
    offering_title: str
    amount_cents: int
    state: str
    state_reason: str | None
    decided_at: datetime
