"""Why, why not, and once more."""

from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.fields import NodeId
from common.http import Now
from fastapi import APIRouter, Path

from matchmaking.deps import Engine, Operator, Staff
from matchmaking.explanations import service
from matchmaking.explanations.schemas import ReplayOut, SimilarOut, SimilarsOut, WhyNotOut

router = APIRouter(prefix="/v1/matches", tags=["explanations"])
Owner = Annotated[NodeId, Path(description="需求所在窗口平台 · The window the demand belongs to")]
Platform = Annotated[NodeId, Path(description="服务所在平台 · The platform the offering belongs to")]
Version = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get(
    "/{owner}/{demand_id}/why-not/{platform}/{offering_id}",
    summary="某服务为何（未）入选 · Why an offering is, or is not, in the result",
)
async def why_not(
    owner: Owner,
    demand_id: UUID,
    platform: Platform,
    offering_id: UUID,
    who: Staff,
    tx: Tx,
    now: Now,
    engine: Engine,
) -> WhyNotOut:
    """按当前服务目录重新判断：不符合的条件，或相关度、得分与入选者的差距。

    Judged by the catalogue of now: the conditions it fails, or the gap in relevance or score.
    For operators and the staff of the demand's window.
    """
    found = await service.why_not(tx, who, engine, owner, demand_id, platform, offering_id, at=now)
    return WhyNotOut.model_validate(found)


@router.get(
    "/{owner}/{demand_id}/versions/{version}/replay",
    summary="用当时的依据重算 · Make a stored result once more",
)
async def replay(owner: Owner, demand_id: UUID, version: Version, who: Operator, tx: Tx) -> ReplayOut:
    """使用当时的需求、服务版本、机构履历、权重与向量重新计算，并与存档逐项比较。

    From the demand, offerings, standings, weights and meanings of that day, compared item by item.
    """
    return ReplayOut.model_validate(await service.replay(tx, who, owner, demand_id, version))


@router.get("/{owner}/{demand_id}/similar", summary="相似的在办需求 · Open demands that say nearly the same")
async def similar(owner: Owner, demand_id: UUID, who: Staff, tx: Tx, now: Now, engine: Engine) -> SimilarsOut:
    """窗口人员只见本窗口的需求，运营人员可见全部。Window staff see their own window's, operators all."""
    found = await service.similar(tx, who, engine, owner, demand_id, at=now)
    return SimilarsOut(items=tuple(SimilarOut.model_validate(one) for one in found))
