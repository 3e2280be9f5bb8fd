from uuid import UUID

from common.contracts.engagements import EngagementState
from common.db import Tx
from common.http import After, Caller, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import tagged
from fastapi import APIRouter, Response

from window.deps import Sme
from window.engagements import repository, service
from window.engagements.schemas import AcceptanceIn, EngagementOut

router = APIRouter(prefix="/v1/engagements", tags=["engagements"])


@router.get("", summary="服务合同列表 List engagements")
async def browse(
    tx: Tx,
    who: Caller,
    state: EngagementState | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[EngagementOut]:
    """本人需求的服务合同；本窗口工作人员可见全部。One's own; staff of this window see all."""
    found, cursor = await repository.page(tx, who, state=state, after=after, limit=limit)
    return Page(items=[EngagementOut.model_validate(value) for value in found], next_cursor=cursor)


@router.get("/{id}", summary="服务合同与里程碑 Read an engagement and its milestones")
async def read(id: UUID, response: Response, tx: Tx, who: Caller) -> EngagementOut:
    return EngagementOut.model_validate(tagged(response, await repository.get(tx, who, id)))


@router.post("/{id}/acceptance", summary="验收 Accept what was delivered")
async def accept(
    id: UUID, response: Response, tx: Tx, who: Sme, now: Now, once: OnlyOnce, body: AcceptanceIn | None = None
) -> EngagementOut:
    """交付后由企业验收，随后可评价。After this the enterprise may rate."""

    async def act() -> EngagementOut:
        return EngagementOut.model_validate(tagged(response, await service.accept(tx, who, id, at=now)))

    return await once(act, 200)
