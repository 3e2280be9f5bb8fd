"""/v1/campaigns: one optimal plan for many demands, proposed by the solver and accepted by staff."""

from typing import Annotated, Literal
from uuid import UUID

from common.auth import Principal, allow
from common.db import Tx
from common.http import After, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Path, Query, Response

from matchmaking.campaigns import repository, service
from matchmaking.campaigns.domain import CampaignState
from matchmaking.campaigns.plans import AllocationState
from matchmaking.campaigns.schemas import (
    CampaignAllocationOut,
    CampaignChangesIn,
    CampaignIn,
    CampaignOut,
    PlanOut,
    PlanSummaryOut,
    ReasonIn,
)
from matchmaking.campaigns.selection import Inputs
from matchmaking.deps import Operator

# Departments look on; operators act.
Reader = Annotated[Principal, allow("operator", "department")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])


@router.post("", status_code=201, summary="新建活动 · Make a campaign")
async def create(
    body: CampaignIn, who: Operator, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> CampaignOut:
    """服务券、“三走访”、培训名额：写明给什么、给哪些需求、由哪些机构承接、遵守哪些规则。

    What is given, to which demands, by which providers, under which rules. Nothing is planned yet.
    """

    async def act() -> CampaignOut:
        made = await service.create(tx, who, body, at=now)
        return tagged(response, CampaignOut.model_validate(made))

    return await once(act)


@router.get("", summary="活动列表 · List campaigns")
async def listing(
    who: Reader,
    tx: Tx,
    state: Annotated[CampaignState | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[CampaignOut]:
    found, cursor = await repository.page(tx, who, state=state, after=after, limit=limit)
    return Page(items=[CampaignOut.model_validate(one) for one in found], next_cursor=cursor)


@router.get("/{id}", summary="活动详情 · Read a campaign")
async def read(id: UUID, who: Reader, tx: Tx, response: Response) -> CampaignOut:
    return tagged(response, CampaignOut.model_validate(await service.get(tx, who, id)))


@router.patch("/{id}", summary="修改活动 · Change a campaign")
async def change(
    id: UUID, body: CampaignChangesIn, who: Operator, tx: Tx, now: Now, match: IfMatch, response: Response
) -> CampaignOut:
    """仅草稿或方案被否决时可改；否决后修改即回到草稿。A draft, or one whose plan was rejected."""
    changed = await service.change(tx, who, id, body.given(), match, at=now)
    return tagged(response, CampaignOut.model_validate(changed))


@router.post("/{id}/cancellation", summary="取消活动 · Cancel a campaign")
async def cancel(
    id: UUID, body: ReasonIn, who: Operator, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> CampaignOut:
    async def act() -> CampaignOut:
        done = await service.cancel(tx, who, id, body.reason, at=now)
        return tagged(response, CampaignOut.model_validate(done))

    return await once(act, 200)


@router.post("/{id}/plans", status_code=202, summary="编制方案 · Compute a plan")
async def plan(
    id: UUID, who: Operator, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> PlanSummaryOut:
    """后台计算，同一活动一次一个；用 Location 所指地址查看进度与结果。

    Computed beside the requests, one at a time for a campaign; read its progress and result at `Location`.
    """

    async def act() -> PlanSummaryOut:
        asked = await service.plan(tx, who, id, at=now)
        response.headers["Location"] = f"/v1/campaigns/{id}/plans/{asked.number}"
        return PlanSummaryOut.model_validate(asked)

    return await once(act, 202)


@router.get("/{id}/plans", summary="方案列表 · List the plans of a campaign")
async def list_plans(
    id: UUID, who: Reader, tx: Tx, after: After = None, limit: Limit = 50
) -> Page[PlanSummaryOut]:
    await service.get(tx, who, id)
    found, cursor = await repository.plans_of(tx, who, id, after=after, limit=limit)
    return Page(items=[PlanSummaryOut.model_validate(one) for one in found], next_cursor=cursor)


@router.get("/{id}/plans/{number}", summary="方案详情与对比 · Read a plan with its comparison")
async def read_plan(
    id: UUID,
    number: Number,
    who: Reader,
    tx: Tx,
    outcome: Annotated[Literal["assigned", "unassigned"], Query()] = "assigned",
    after: After = None,
    limit: Limit = 50,
) -> PlanOut:
    """逐条列出分配或未分配原因（outcome），并与“先到先得”“贪心”对比；无可行解时指出冲突的约束。

    One page of lines, assigned or unassigned with reasons; beside it what first come first served and greedy
    would have given; where nothing is feasible, which limits clash.
    """
    found = await service.get_plan(tx, who, id, number)
    lines, cursor = await repository.lines(tx, who, found.id, outcome, after=after, limit=limit)
    reasons = await repository.reasons(tx, who, found.id)
    summary = PlanSummaryOut.model_validate(found).model_dump(exclude={"clash_zh", "clash_en"})
    return PlanOut.model_validate(summary | {"unassigned": reasons, "lines": lines, "next_cursor": cursor})


@router.get("/{id}/plans/{number}/inputs", summary="方案的全部输入 · All that a plan was made from")
async def read_inputs(id: UUID, number: Number, who: Reader, tx: Tx) -> Inputs:
    """以同样输入重新计算，结果相同。The same inputs give the same plan."""
    return await service.inputs_of(tx, who, id, number)


@router.post("/{id}/plans/{number}/acceptance", summary="采纳方案 · Accept a plan")
async def accept(id: UUID, number: Number, who: Operator, tx: Tx, now: Now, once: OnlyOnce) -> PlanSummaryOut:
    """一个活动只采纳一个方案；需求已了结或机构已停用的，返回 409 并逐一列出。

    One plan of a campaign, ever. 409 names demands no longer open and providers no longer active.
    """

    async def act() -> PlanSummaryOut:
        return PlanSummaryOut.model_validate(await service.accept(tx, who, id, number, at=now))

    return await once(act, 200)


@router.post("/{id}/plans/{number}/rejection", summary="否决方案 · Reject a plan")
async def reject(
    id: UUID, number: Number, body: ReasonIn, who: Operator, tx: Tx, now: Now, once: OnlyOnce
) -> PlanSummaryOut:
    """活动可修改后重新编制方案。The campaign may then be changed and planned again."""

    async def act() -> PlanSummaryOut:
        return PlanSummaryOut.model_validate(await service.reject(tx, who, id, number, body.reason, at=now))

    return await once(act, 200)


@router.get("/{id}/allocations", summary="活动的分配结果 · Allocations of a campaign")
async def list_allocations(
    id: UUID,
    who: Reader,
    tx: Tx,
    state: Annotated[AllocationState | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[CampaignAllocationOut]:
    await service.get(tx, who, id)
    found, cursor = await repository.allocations(tx, who, id, state=state, after=after, limit=limit)
    return Page(items=[CampaignAllocationOut.model_validate(one) for one in found], next_cursor=cursor)


@router.post("/{id}/allocations/{allocation_id}/withdrawal", summary="撤回分配 · Withdraw an allocation")
async def withdraw(
    id: UUID, allocation_id: UUID, body: ReasonIn, who: Operator, tx: Tx, now: Now, once: OnlyOnce
) -> CampaignAllocationOut:
    """需求所在窗口与机构所在平台都会收到通知。Both sides are told."""

    async def act() -> CampaignAllocationOut:
        done = await service.withdraw(tx, who, id, allocation_id, body.reason, at=now)
        return CampaignAllocationOut.model_validate(done)

    return await once(act, 200)
