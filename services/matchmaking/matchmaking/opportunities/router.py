"""/v1/offerings/{platform}/{offering_id}/demands: the other direction, from an offering to what it could serve."""

from typing import Annotated
from uuid import UUID

from common.auth import Principal
from common.db import Tx
from common.errors import Forbidden
from common.fields import NodeId
from common.http import Caller, Now
from fastapi import APIRouter, Depends, Path, Query, Request

from matchmaking.opportunities import service
from matchmaking.opportunities.domain import Reason, notice
from matchmaking.opportunities.schemas import FittingDemandOut, FittingDemandsOut
from matchmaking.opportunities.service import Finder

router = APIRouter(prefix="/v1/offerings", tags=["opportunities"])


async def _staff(who: Caller) -> Principal:
    """Operators, and the staff of any platform: which offerings are theirs, the service decides."""
    if who.roles & {"operator", "window_staff", "cluster_staff"}:
        return who
    raise Forbidden(
        "role-needed",
        zh="此操作需要以下角色之一：operator、window_staff、cluster_staff；请用相应账号登录",
        en="this needs one of the roles operator, window_staff, cluster_staff; sign in with such an account",
    )


async def _finder(request: Request) -> Finder:
    return request.app.state.finder


async def _reason(request: Request) -> Reason:
    return request.app.state.reason


@router.get(
    "/{platform}/{offering_id}/demands",
    summary="某服务产品当前可承接的需求 · Open demands that fit an offering now",
)
async def fitting(
    platform: Annotated[NodeId, Path(description="服务产品所在平台 · The platform the offering belongs to")],
    offering_id: UUID,
    who: Annotated[Principal, Depends(_staff)],
    finder: Annotated[Finder, Depends(_finder)],
    reason: Annotated[Reason, Depends(_reason)],
    tx: Tx,
    now: Now,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> FittingDemandsOut:
    """仅运营人员与该服务产品所在平台的工作人员可查；不含企业名称。

    For operators and the staff of the offering's platform, best first; the enterprise is never named.
    """
    found = await service.fitting(tx, who, finder, platform, offering_id, at=now, limit=limit)
    items: list[FittingDemandOut] = []
    for window, demand, scored in found:
        zh, en = reason(demand, scored)
        items.append(
            FittingDemandOut(
                demand_window=window,
                demand_id=demand.id,
                demand_version=demand.version,
                state=demand.state,
                demand=notice(demand),
                score=scored.score,
                components=scored.components,
                reason_zh=zh,
                reason_en=en,
            )
        )
    return FittingDemandsOut(items=tuple(items))
