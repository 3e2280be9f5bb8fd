from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.fields import NodeId
from common.http import PAGE_LIMIT, Page
from fastapi import APIRouter, Query

from hub.dead_letters import repository
from hub.dead_letters.schemas import DeadLetterOut
from hub.deps import Operator

router = APIRouter(prefix="/v1/dead-letters", tags=["operations"])


@router.get("", summary="死信 Dead letters")
async def page(
    tx: Tx,
    who: Operator,
    source: Annotated[NodeId | None, Query(description="来源平台 Sender")] = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> Page[DeadLetterOut]:
    """被拒绝或无法读取的消息及原因；仅运营人员。Messages that were parked, and why; operators only."""
    found, cursor = await repository.page(tx, who, source=source, after=after, limit=limit)
    return Page(items=[DeadLetterOut.model_validate(letter) for letter in found], next_cursor=cursor)
