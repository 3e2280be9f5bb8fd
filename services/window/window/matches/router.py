from uuid import UUID

from common.db import Tx
from common.http import Caller
from fastapi import APIRouter

from window.matches import service
from window.matches.schemas import MatchOut

router = APIRouter(prefix="/v1/demands", tags=["matches"])


@router.get("/{id}/matches", summary="对接结果与理由 Candidates, scores and reasons")
async def read(id: UUID, tx: Tx, who: Caller) -> MatchOut:
    """按得分排列的服务产品、得分构成、理由，差一点合格的产品及其不符条件，放宽了哪些条件，以及本人的相近需求。

    Candidates best first with the parts of their scores, near misses, what was relaxed, similar own demands.
    """
    demand, match = await service.of_demand(tx, who, id)
    found = (
        {} if match is None else {n: getattr(match, n) for n in type(match).model_fields if n != "demand_id"}
    )
    return MatchOut.model_validate(
        {"outcome": "pending", **found, "demand_id": id, "demand_state": demand.state}
    )
