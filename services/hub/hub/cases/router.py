from typing import Annotated
from uuid import UUID

from common.contracts.demands import DemandState
from common.db import Tx
from common.errors import absent
from common.fields import NodeId, OptionalText
from common.http import PAGE_LIMIT, Page
from fastapi import APIRouter, Query
from pydantic import StringConstraints

from hub.cases import repository
from hub.cases.schemas import CaseDetail, CaseOut
from hub.catalogue.domain import words
from hub.deps import CaseReader

router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.get("", summary="案件登记 Register of demands")
async def page(
    tx: Tx,
    who: CaseReader,
    state: DemandState | None = None,
    owner: Annotated[NodeId | None, Query(description="所属窗口 Window")] = None,
    q: Annotated[
        Annotated[OptionalText, StringConstraints(max_length=100)] | None,
        Query(description="编号、标题或正文中的词 Words of number, title or text"),
    ] = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> Page[CaseOut]:
    """运营人员和主管部门可见全区，窗口工作人员可见本窗口。

    Operators and departments see the region, staff of a window their own window.
    """
    found, cursor = await repository.page(
        tx, who, state=state, owner=owner, words=words(q), after=after, limit=limit
    )
    return Page(items=[CaseOut.of(case) for case in found], next_cursor=cursor)


@router.get("/{demand_id}", summary="一个案件及其经过 A case and its timeline")
async def get(demand_id: UUID, tx: Tx, who: CaseReader) -> CaseDetail:
    """需求的状态与全部经过，按时间排列。The demand's state and all that happened, in order."""
    case = await repository.get(tx, who, demand_id)
    if case is None:
        raise absent("案件", "case")
    return CaseDetail.made(case, list(await repository.timeline(tx, who, demand_id)))
