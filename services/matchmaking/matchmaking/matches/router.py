"""Why a demand was matched as it was."""

from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.errors import absent
from common.fields import NodeId
from fastapi import APIRouter, Path

from matchmaking.deps import Staff
from matchmaking.matches import repository
from matchmaking.matches.schemas import MatchesOut, MatchOut

router = APIRouter(prefix="/v1/matches", tags=["matches"])


@router.get(
    "/{owner}/{demand_id}",
    summary="查看某需求的全部对接结果与依据 · All match results of a demand, with evidence",
)
async def read(
    owner: Annotated[NodeId, Path(description="需求所在窗口平台 · The window the demand belongs to")],
    demand_id: UUID,
    who: Staff,
    tx: Tx,
) -> MatchesOut:
    """按时间倒序返回：入选机构及各项得分、未入选原因、当时的服务产品总数与引擎版本。

    Newest first: candidates with their components, near misses with the conditions they fail, how many
    offerings there were, and which engine, weights and words decided.
    """
    found = await repository.of_demand(tx, who, owner, demand_id)
    if not found:
        raise absent("对接结果", "match")
    return MatchesOut(items=tuple(MatchOut.model_validate(value) for value in found))
