"""/v1/assignments: work won, and reports on it."""

from typing import Annotated
from uuid import UUID

from common.contracts.engagements import EngagementState
from common.db import Tx
from common.http import After, Limit, Now, Page
from common.idempotency import OnlyOnce
from fastapi import APIRouter, Query

from agency.assignments import repository, service
from agency.assignments.schemas import AssignmentOut, ReportIn
from agency.deps import Agency, AgencyOrStaff

router = APIRouter(prefix="/v1/assignments", tags=["assignments"])


@router.get("", summary="承接任务列表 / List assignments")
async def listing(
    who: AgencyOrStaff,
    tx: Tx,
    state: Annotated[EngagementState | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[AssignmentOut]:
    found, cursor = await repository.page(tx, who, state=state, after=after, limit=limit)
    return Page(items=[AssignmentOut.model_validate(assignment) for assignment in found], next_cursor=cursor)


@router.get("/{id}", summary="承接任务详情 / Read an assignment")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx) -> AssignmentOut:
    """状态以需求所属窗口为准。The state is what the demand's window decided."""
    return AssignmentOut.model_validate(await service.get(tx, who, id))


@router.post("/{id}/reports", status_code=201, summary="报告进度 / Report progress")
async def report(id: UUID, body: ReportIn, who: Agency, tx: Tx, now: Now, once: OnlyOnce) -> AssignmentOut:
    """依次为确认承接、里程碑、交付。Confirmed, then milestones, then delivered."""

    async def act() -> AssignmentOut:
        return AssignmentOut.model_validate(await service.report(tx, who, id, body, at=now))

    return await once(act)
