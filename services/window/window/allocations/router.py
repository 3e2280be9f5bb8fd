from uuid import UUID

from common.db import Tx
from common.http import Caller
from fastapi import APIRouter

from window.allocations import service
from window.allocations.schemas import AllocationOut, AllocationsOut

router = APIRouter(prefix="/v1/demands", tags=["allocations"])


@router.get("/{id}/allocations", summary="专项活动分配 What campaigns gave to the demand")
async def read(id: UUID, tx: Tx, who: Caller) -> AllocationsOut:
    """服务券、“三走访”、培训等活动为该需求安排的机构与金额。Providers and amounts that campaigns gave to it."""
    found = await service.of_demand(tx, who, id)
    return AllocationsOut(demand_id=id, items=tuple(AllocationOut.model_validate(one) for one in found))
