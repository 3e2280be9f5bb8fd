"""/v1/allocations: demands that campaigns gave to the caller's providers."""

from typing import Annotated, Literal
from uuid import UUID

from common.db import Tx
from common.http import After, Limit, Page
from fastapi import APIRouter, Query

from agency.allocations import repository, service
from agency.allocations.schemas import ReceivedAllocationOut
from agency.deps import AgencyOrStaff

router = APIRouter(prefix="/v1/allocations", tags=["allocations"])


@router.get("", summary="专项活动分配 · Demands that campaigns gave")
async def listing(
    who: AgencyOrStaff,
    tx: Tx,
    state: Annotated[Literal["assigned", "withdrawn"] | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[ReceivedAllocationOut]:
    """机构只看到自己的，工作人员看到本平台全部。Agencies see their own, staff all of this platform."""
    found, cursor = await repository.page(tx, who, state=state, after=after, limit=limit)
    return Page(items=[ReceivedAllocationOut.model_validate(one) for one in found], next_cursor=cursor)


@router.get("/{id}", summary="分配详情 · Read an allocation")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx) -> ReceivedAllocationOut:
    return ReceivedAllocationOut.model_validate(await service.get(tx, who, id))
