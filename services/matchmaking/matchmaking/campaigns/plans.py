"""A plan (分配方案): proposed by the solver, accepted or rejected by staff; and the allocations it becomes."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from common import ids
from common.contracts import allocations as contract
from common.contracts.allocations import AllocationMade, AllocationWithdrawn
from common.contracts.envelope import Contract
from common.errors import Conflict, wrong_state
from common.fields import Moment, Text

from matchmaking.campaigns.domain import Campaign
from matchmaking.campaigns.problem import Comparison

PlanState = Literal[
    "queued", "running", "proposed", "infeasible", "failed", "superseded", "accepted", "rejected"
]
AllocationState = Literal["assigned", "withdrawn"]
ACTIVE = ("queued", "running")
STATES_ZH: dict[PlanState, str] = {
    "queued": "排队中", "running": "计算中", "proposed": "待审定", "infeasible": "无可行解", "failed": "计算失败",
    "superseded": "已被新方案取代", "accepted": "已采纳", "rejected": "已否决",
}  # fmt: skip


class Worded(Contract):
    """A limit in words. Shape: `worth` is the utility one more unit would add, None in a clash."""

    kind: str
    subject: str
    limit: int
    zh: str
    en: str
    worth: float | None = None


class Failure(Contract):
    """Why there is no result."""

    code: str
    zh: str
    en: str


class Plan(Contract):
    """Shape: `attempts` tells one run from the one that took over when it fell silent at `lease_until`."""

    id: UUID
    campaign_id: UUID
    number: int
    state: PlanState = "queued"
    state_reason: str | None = None
    attempts: int = 0
    lease_until: Moment | None = None
    done: int = 0
    total: int = 0
    requested_by: str
    requested_at: Moment
    finished_at: Moment | None = None
    method: str | None = None
    gap: float | None = None
    versions: dict[str, str] = {}
    comparison: Comparison | None = None
    binding: tuple[Worded, ...] = ()
    clashes: tuple[Worded, ...] = ()
    failure: Failure | None = None


class PlanLine(Contract):
    """One demand of a plan: its provider, or the reason why it has none."""

    id: UUID
    plan_id: UUID
    outcome: Literal["assigned", "unassigned"]
    demand_window: str
    demand_id: UUID
    demand_version: int
    demand_number: str
    demand_title: str
    amount_cents: int = 0
    reason: str | None = None
    platform: str | None = None
    provider_id: UUID | None = None
    provider_name: str | None = None
    offering_id: UUID | None = None
    offering_version: int | None = None
    offering_title: str | None = None
    utility: float | None = None


class Allocation(contract.Allocation):
    """Shape: `plan_number` stays here."""

    plan_number: int


def request(campaign: Campaign, *, by: str, at: datetime) -> Plan:
    """The plan that a campaign has just counted."""
    return Plan(
        id=ids.new(), campaign_id=campaign.id, number=campaign.plans, requested_by=by, requested_at=at
    )


def decide(plan: Plan, state: Literal["accepted", "rejected"], reason: Text | None) -> Plan:
    """Raises: Conflict unless it is proposed."""
    if plan.state != "proposed":
        zh, en = ("采纳", "accepted") if state == "accepted" else ("否决", "rejected")
        raise wrong_state("plan", plan.state, "方案", STATES_ZH[plan.state], zh=zh, en=en)
    return plan.model_copy(update={"state": state, "state_reason": reason})


def finish(plan: Plan, state: PlanState, *, at: datetime, **result: Any) -> Plan:
    return plan.model_copy(update={"state": state, "finished_at": at, "lease_until": None, **result})


def allocate(campaign: Campaign, plan: Plan, line: PlanLine, *, at: datetime) -> Allocation:
    """What an accepted line comes to. Its id is derived from the plan and the demand."""
    said = line.model_dump(include=set(contract.Allocation.model_fields) - {"id"})
    return Allocation.model_validate(
        said
        | {
            "id": ids.derived("allocation", str(plan.id), line.demand_window, str(line.demand_id)),
            "version": 1,
            "campaign_id": campaign.id,
            "campaign_name": campaign.name,
            "kind": campaign.kind,
            "state": "assigned",
            "decided_at": at,
            "plan_number": plan.number,
        }
    )


def made(allocation: Allocation) -> AllocationMade:
    return AllocationMade.of(allocation)


def withdraw(allocation: Allocation, reason: Text, *, at: datetime) -> tuple[Allocation, AllocationWithdrawn]:
    """Raises: Conflict when it is withdrawn already."""
    if allocation.state != "assigned":
        raise wrong_state(
            "allocation", allocation.state, "分配", "已撤回", zh="再次撤回", en="withdrawn again"
        )
    update = {
        "version": allocation.version + 1,
        "state": "withdrawn",
        "state_reason": reason,
        "decided_at": at,
    }
    withdrawn = allocation.model_copy(update=update)
    return withdrawn, AllocationWithdrawn.of(withdrawn)


def running(number: int) -> Conflict:
    return Conflict(
        "plan-running",
        zh=f"第 {number} 号方案正在计算；请等它完成后再试",
        en=f"plan {number} is being computed; wait until it is done and try again",
        plan=number,
    )


def outdated(
    demands: list[dict[str, str]], providers: list[dict[str, str]], taken: list[dict[str, str]]
) -> Conflict:
    """What has changed since the plan was made."""
    return Conflict(
        "plan-outdated",
        zh=f"方案已过时：{len(demands)} 项需求已不再办理，{len(providers)} 家机构已不在服务，{len(taken)} 项需求已在其他同类活动中获得分配；请重新编制方案",
        en=f"the plan is outdated: {len(demands)} demands are no longer open, {len(providers)} providers no longer active, {len(taken)} demands were given elsewhere by a campaign of this kind; make a new plan",
        demands=demands,
        providers=providers,
        taken=taken,
    )
