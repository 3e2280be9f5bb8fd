"""Campaigns: what operators do to them and to their plans, each act with its line in the audit; and how a
plan is made: gathered here, solved in a process of its own.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from common import audit, ids, journal
from common.auth import Principal
from common.contracts.allocations import AllocationMade
from common.contracts.demands import Demand
from common.errors import Invalid, Unavailable, absent
from common.fields import CHINA, Text
from common.mirrors import Key
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.campaigns import domain, plans, repository, selection, wording
from matchmaking.campaigns.domain import Campaign, Draft
from matchmaking.campaigns.plans import Allocation, Failure, Plan, PlanLine
from matchmaking.campaigns.problem import Problem, Solution
from matchmaking.campaigns.selection import Gathered, Inputs, Scored, SeenOffer, SeenProvider
from matchmaking.matching import engine
from matchmaking.rankings import service as rankings

# A run renews its lease at every step; the longest step is the solver's.
SOLVE_S = 150.0
LEASE = timedelta(seconds=SOLVE_S + 30)
ATTEMPTS = 3
# As deep as a demand's fitting offerings are looked through for providers of the campaign.
LOOKED_THROUGH = 2_000


class Fitting(Protocol):
    """The engine: what serves a demand, best first."""

    async def fitting(
        self, tx: AsyncSession, owner: str, demand: Demand, *, at: datetime, limit: int
    ) -> Sequence[Scored]: ...


async def get(tx: AsyncSession, who: Principal, id: UUID, *, lock: bool = False) -> Campaign:
    """Raises: NotFound."""
    campaign = await repository.find(tx, who, id, lock=lock)
    if campaign is None:
        raise absent("活动", "campaign")
    return campaign


async def get_plan(tx: AsyncSession, who: Principal, id: UUID, number: int, *, lock: bool = False) -> Plan:
    """Raises: NotFound."""
    plan = await repository.plan(tx, who, id, number, lock=lock)
    if plan is None:
        raise absent("方案", "plan")
    return plan


async def inputs_of(tx: AsyncSession, who: Principal, id: UUID, number: int) -> Inputs:
    """What a plan was made from. Raises: NotFound, also while it is not yet gathered."""
    plan = await get_plan(tx, who, id, number)
    inputs = await repository.inputs_of(tx, who, plan.id)
    if inputs is None:
        raise absent("方案的输入", "input of the plan")
    return inputs


async def create(tx: AsyncSession, who: Principal, draft: Draft, *, at: datetime) -> Campaign:
    """Raises: Invalid."""
    campaign = domain.create(draft, id=ids.new(), by=who.subject, at=at)
    await repository.add(tx, campaign)
    await _note(tx, who, "campaign.created", campaign, at)
    return campaign


async def change(
    tx: AsyncSession, who: Principal, id: UUID, changes: dict[str, Any], match: Match, *, at: datetime
) -> Campaign:
    """Raises: NotFound; Stale; Conflict; Invalid."""
    campaign = await get(tx, who, id, lock=True)
    match.check(campaign)
    await _check_idle(tx, who, id)
    return await _keep(tx, who, "campaign.changed", domain.change(campaign, changes, at=at), at)


async def cancel(tx: AsyncSession, who: Principal, id: UUID, reason: Text, *, at: datetime) -> Campaign:
    """A plan that is being computed then comes to nothing. Raises: NotFound; Conflict."""
    campaign = domain.cancel(await get(tx, who, id, lock=True), reason, at=at)
    for state in (*plans.ACTIVE, "proposed"):
        if plan := await repository.plan_in(tx, who, id, (state,)):
            await repository.save_plan(tx, plans.finish(plan, "superseded", at=at))
    return await _keep(tx, who, "campaign.cancelled", campaign, at)


async def plan(tx: AsyncSession, who: Principal, id: UUID, *, at: datetime) -> Plan:
    """Ask for a plan; it is computed beside the requests. Raises: NotFound; Conflict while one is computed."""
    campaign = await get(tx, who, id, lock=True)
    await _check_idle(tx, who, id)
    counted = domain.count_plan(campaign, at=at)
    wanted = plans.request(counted, by=who.subject, at=at)
    await repository.add_plan(tx, wanted)
    await _keep(tx, who, "campaign.plan-requested", counted, at, plan=wanted.number)
    return wanted


async def accept(tx: AsyncSession, who: Principal, id: UUID, number: int, *, at: datetime) -> Plan:
    """The plan becomes allocations; the campaign's row lock makes it the only one.

    Raises: NotFound; Conflict, also naming demands and providers that have changed since.
    Emits: AllocationMade, to the demand's window and to the provider's platform.
    """
    campaign = await get(tx, who, id, lock=True)
    await _check_idle(tx, who, id)
    chosen = plans.decide(await get_plan(tx, who, id, number, lock=True), "accepted", None)
    accepted = domain.accept(campaign, number, at=at)
    lines = await repository.assigned(tx, who, chosen.id)
    allocations = [plans.allocate(accepted, chosen, line, at=at) for line in lines]
    await _allocate(tx, lines, allocations)
    await repository.save_plan(tx, chosen)
    await _keep(tx, who, "campaign.plan-accepted", accepted, at, plan=number, allocations=len(lines))
    await _tell(tx, who, [plans.made(allocation) for allocation in allocations], at)
    return chosen


async def _allocate(tx: AsyncSession, lines: Sequence[PlanLine], allocations: Sequence[Allocation]) -> None:
    """Raises: Conflict when a demand, a provider or an earlier allocation stands in the way of any of it."""
    demands: dict[Key, PlanLine] = {(line.demand_window, line.demand_id): line for line in lines}
    providers = {(a.platform, a.provider_id): a.provider_name for a in allocations}
    open = await repository.still_open(tx, demands, domain.OPEN) if lines else set[Key]()
    active = await repository.still_active(tx, providers) if lines else set[Key]()
    stored = await repository.add_allocations(tx, allocations)
    gone = [_named(line) for key, line in demands.items() if key not in open]
    idle = [
        {"platform": platform, "provider_id": str(id), "name": name}
        for (platform, id), name in providers.items()
        if (platform, id) not in active
    ]
    taken = [_named(demands[a.demand_window, a.demand_id]) for a in allocations if a.id not in stored]
    if gone or idle or taken:
        raise plans.outdated(gone, idle, taken)


def _named(line: PlanLine) -> dict[str, str]:
    return {"window": line.demand_window, "demand_id": str(line.demand_id), "number": line.demand_number}


async def _tell(tx: AsyncSession, who: Principal, facts: Sequence[AllocationMade], at: datetime) -> None:
    """Each platform hears of what concerns it, once."""
    for recipient in sorted({node for fact in facts for node in (fact.demand_window, fact.platform)}):
        concerned = [fact for fact in facts if recipient in (fact.demand_window, fact.platform)]
        await journal.write_many(tx, concerned, who=who, at=at, recipient=recipient)


async def reject(
    tx: AsyncSession, who: Principal, id: UUID, number: int, reason: Text, *, at: datetime
) -> Plan:
    """Raises: NotFound; Conflict."""
    campaign = await get(tx, who, id, lock=True)
    await _check_idle(tx, who, id)
    refused = plans.decide(await get_plan(tx, who, id, number, lock=True), "rejected", reason)
    await repository.save_plan(tx, refused)
    rejected = domain.reject(campaign, reason, at=at)
    await _keep(tx, who, "campaign.plan-rejected", rejected, at, plan=number)
    return refused


async def withdraw(
    tx: AsyncSession, who: Principal, id: UUID, allocation_id: UUID, reason: Text, *, at: datetime
) -> Allocation:
    """Raises: NotFound; Conflict. Emits: AllocationWithdrawn, to window and platform."""
    await get(tx, who, id)
    held = await repository.allocation(tx, who, id, allocation_id)
    if held is None:
        raise absent("分配", "allocation")
    withdrawn, fact = plans.withdraw(held, reason, at=at)
    await repository.save_allocation(tx, withdrawn)
    for recipient in sorted({fact.demand_window, fact.platform}):
        await journal.write(tx, fact, who=who, at=at, recipient=recipient)
    return withdrawn


async def _check_idle(tx: AsyncSession, who: Principal, id: UUID) -> None:
    """Raises: Conflict while a plan is being computed."""
    if active := await repository.plan_in(tx, who, id, plans.ACTIVE):
        raise plans.running(active.number)


async def _keep(
    tx: AsyncSession, who: Principal, action: str, campaign: Campaign, at: datetime, **detail: Any
) -> Campaign:
    await repository.save(tx, campaign)
    await _note(tx, who, action, campaign, at, **detail)
    return campaign


async def _note(
    tx: AsyncSession, who: Principal, action: str, campaign: Campaign, at: datetime, **detail: Any
) -> None:
    said = {"version": campaign.version, "state": campaign.state, **detail}
    await audit.add(tx, who.subject, action, campaign.id, at=at, detail=said)


async def claim(tx: AsyncSession, *, at: datetime) -> Plan | None:
    """Take the next plan to compute; one that failed to finish thrice is given up."""
    while waiting := await repository.next_plan(tx, at):
        if waiting.attempts < ATTEMPTS:
            update = {
                "state": "running",
                "attempts": waiting.attempts + 1,
                "lease_until": at + LEASE,
                "done": 0,
            }
            run = waiting.model_copy(update=update)
            await repository.save_plan(tx, run)
            return run
        reason = Failure(
            code="gave-up",
            zh="多次计算中断；请重新编制方案",
            en="it broke off again and again; make a new plan",
        )
        await repository.save_plan(tx, plans.finish(waiting, "failed", at=at, failure=reason))
    return None


async def gather(tx: AsyncSession, who: Principal, run: Plan) -> Gathered:
    """The demands and providers the campaign means, as copied now. Raises: Invalid when they are too many."""
    campaign = await get(tx, who, run.campaign_id)
    wanted, offered = campaign.demands, campaign.providers
    demands = await repository.demands(
        tx,
        states=wanted.states or domain.OPEN,
        keys=[(one.window, one.id) for one in wanted.listed],
        categories=selection.own_and_below(wanted.categories),
        size_classes=wanted.size_classes,
        areas=wanted.divisions,
        limit=domain.MAX_DEMANDS + 1,
    )
    listed = [(one.platform, one.id) for one in offered.listed]
    found = await repository.providers(tx, keys=listed, limit=20 * domain.MAX_PROVIDERS)
    within = set(selection.own_and_below(offered.categories))
    providers = [
        SeenProvider(platform=owner, id=provider.id, name=provider.name)
        for owner, provider in found
        if selection.in_area(provider.division, offered.divisions)
        and (not within or within & set(provider.categories))
    ]
    if len(demands) > domain.MAX_DEMANDS or len(providers) > domain.MAX_PROVIDERS:
        raise Invalid(
            "too-many-to-plan",
            zh=f"一个方案最多 {domain.MAX_DEMANDS} 项需求、{domain.MAX_PROVIDERS} 家机构；请缩小筛选范围",
            en=f"a plan holds at most {domain.MAX_DEMANDS} demands and {domain.MAX_PROVIDERS} providers; narrow the filters",
        )
    in_time = [
        (owner, demand)
        for owner, demand in demands
        if demand.submitted_at.astimezone(CHINA).date() <= campaign.closes_on
    ]
    return Gathered(campaign, in_time, providers, await repository.allocated(tx, campaign.kind))


async def fit(
    tx: AsyncSession, by: Fitting, gathered: Gathered, owner: str, demand: Demand, *, at: datetime
) -> list[SeenOffer]:
    """The campaign's providers that may take a demand, with the engine's scores."""
    if (owner, demand.id) in gathered.taken:
        return []
    found = await by.fitting(tx, owner, demand, at=at, limit=LOOKED_THROUGH)
    return selection.offers_for(gathered, (owner, demand.id), found)


async def go_on(tx: AsyncSession, run: Plan, done: int, total: int, *, at: datetime) -> bool:
    """Note how far a run is. Whether it is still wanted."""
    held = await repository.run_of(tx, run)
    if held is None:
        return False
    update = {"done": done, "total": total, "lease_until": at + LEASE}
    await repository.save_plan(tx, held.model_copy(update=update))
    return True


async def solve(problem: Problem) -> Solution:
    """The solution, from a process of its own that is killed when it takes too long.

    Raises: Unavailable when it gives none.
    """
    # It needs none of the service's secrets, and one thread: the services of a platform share its cores.
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUBNET_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "matchmaking.campaigns.solving",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=env | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(SOLVE_S):
            out, _ = await process.communicate(problem.model_dump_json().encode())
    except TimeoutError:
        raise _no_solution(
            "too-slow", "求解超时；请缩小活动范围", "the solver took too long; narrow the campaign"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _no_solution(
            "solver-failed", "求解程序异常退出；请重新编制方案", "the solver broke off; make a new plan"
        )
    return Solution.model_validate_json(out)


def _no_solution(code: str, zh: str, en: str) -> Unavailable:
    return Unavailable(code, zh=zh, en=en)


async def fail(tx: AsyncSession, run: Plan, failure: Failure, *, at: datetime) -> None:
    """The run ends without a result."""
    if held := await repository.run_of(tx, run):
        await repository.save_plan(tx, plans.finish(held, "failed", at=at, failure=failure))


async def propose(
    tx: AsyncSession, who: Principal, run: Plan, inputs: Inputs, solution: Solution, *, at: datetime
) -> None:
    """Store what a run came to, with all it was made from; nothing when it is no longer wanted."""
    campaign = await get(tx, who, run.campaign_id, lock=True)
    held = await repository.run_of(tx, run)
    if held is None:
        return
    names = wording.Names(inputs)
    versions = engine.versions() | {
        "weights": (await rankings.active(tx)).version,
        "catalogue": f"{await repository.catalogue(tx)} published",
    }
    result: dict[str, Any] = {"versions": versions, "method": solution.method, "gap": solution.gap}
    await repository.put_inputs(tx, run.id, inputs)
    if solution.outcome == "infeasible":
        clashes = wording.clash(names, solution.clashes)
        await repository.save_plan(tx, plans.finish(held, "infeasible", at=at, clashes=clashes, **result))
    elif solution.outcome == "timed-out":
        late = Failure(
            code="too-slow",
            zh="限时内未找到方案；请放宽规则",
            en="no plan was found in time; relax the rules",
        )
        await repository.save_plan(tx, plans.finish(held, "failed", at=at, failure=late, **result))
    else:
        if earlier := await repository.plan_in(tx, who, run.campaign_id, ("proposed",)):
            await repository.save_plan(tx, plans.finish(earlier, "superseded", at=at))
        result |= {"comparison": solution.comparison, "binding": wording.binding(names, solution.binding)}
        await repository.add_lines(tx, selection.lines(run.id, inputs, solution))
        await repository.save_plan(tx, plans.finish(held, "proposed", at=at, **result))
        await _keep(tx, who, "campaign.plan-proposed", domain.propose(campaign, at=at), at, plan=run.number)
