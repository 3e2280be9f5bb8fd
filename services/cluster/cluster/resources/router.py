"""/v1/resources: shared instruments of this cluster."""

from typing import Annotated
from uuid import UUID

from agency.deps import Agency, AgencyOrStaff, Staff
from common.db import Tx
from common.http import After, Caller, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Query, Response

from cluster.resources import repository, service
from cluster.resources.domain import ResourceState
from cluster.resources.schemas import ResourceIn, ResourceOut, ResourcePatch, ResourceReviewIn, shown

router = APIRouter(prefix="/v1/resources", tags=["resources"])


@router.post("", status_code=201, summary="提交共享资源 / Submit a resource")
async def submit(
    body: ResourceIn, who: Agency, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> ResourceOut:
    """机构须处于正常状态；提交后进入审核。The provider must be active; staff review it."""

    async def act() -> ResourceOut:
        return tagged(response, shown(await service.submit(tx, who, body.provider_id, body, at=now), who))

    return await once(act)


@router.get("", summary="共享资源列表 / List resources")
async def listing(
    who: Caller,
    tx: Tx,
    state: Annotated[ResourceState | None, Query()] = None,
    mine: bool = False,
    after: After = None,
    limit: Limit = 50,
) -> Page[ResourceOut]:
    """已发布的对所有登录用户可见，其余仅机构本身与工作人员可见。Published ones are for all signed in."""
    found, cursor = await repository.page(tx, who, state=state, mine=mine, after=after, limit=limit)
    return Page(items=[shown(resource, who) for resource in found], next_cursor=cursor)


@router.get("/{id}", summary="共享资源详情 / Read a resource")
async def read(id: UUID, who: Caller, tx: Tx, response: Response) -> ResourceOut:
    return tagged(response, shown(await service.get(tx, who, id), who))


@router.patch("/{id}", summary="修改共享资源 / Change a resource")
async def change(
    id: UUID, body: ResourcePatch, who: AgencyOrStaff, tx: Tx, now: Now, match: IfMatch, response: Response
) -> ResourceOut:
    """已发布的资源修改后，目录中的服务同步更新。A published one's offering follows."""
    return tagged(response, shown(await service.change(tx, who, id, body, match, at=now), who))


@router.post("/{id}/review", summary="审核 / Review a resource")
async def review(
    id: UUID, body: ResourceReviewIn, who: Staff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> ResourceOut:
    """发布后成为区域目录中的仪器类服务。Published, it is an offering of kind instrument in the catalogue."""

    async def act() -> ResourceOut:
        done = await service.review(tx, who, id, body.decision, body.reason, at=now)
        return tagged(response, shown(done, who))

    return await once(act, 200)
