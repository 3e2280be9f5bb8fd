"""/v1/nodes/{id}/catalogue/changes and /v1/nodes/{id}/forks."""

from common.db import Tx
from common.feeds import DOCUMENTED, Changes, Followers, Position, Wanted
from common.fields import NodeId
from common.http import After, Caller, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.problems import english
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from hub.changes import service
from hub.changes.lines import EXAMPLE
from hub.changes.schemas import ChangesOut, ForkOut
from hub.deps import Known, own_node

MAX_BYTES = 8 * 1024 * 1024
BODY = {
    "requestBody": {
        "required": True,
        "description": "One change a line: {noun, id, epoch, version, deleted, data}",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}

router = APIRouter(prefix="/v1/nodes/{id}", tags=["catalogue of a platform"])


@router.post(
    "/catalogue/changes", summary="推送目录变更 Push changes", max_body_size=MAX_BYTES, openapi_extra=BODY
)
async def push(
    id: NodeId, request: Request, tx: Tx, who: Caller, known: Known, now: Now, once: OnlyOnce
) -> ChangesOut:
    """每行一个变更（NDJSON，最多 8 MB、10000 行）；逐行给出结果，坏行不影响其他行；重复提交无害。

    One change a line; every line has its own outcome and a bad one never holds the others. All lines are
    saved in one transaction: after a cut send them again, what was taken over before is `unchanged`.
    """

    async def act() -> ChangesOut:
        results = await service.push(tx, who, id, await request.body(), known, at=now)
        return ChangesOut.told(results, english(request))

    return await once(act, 200)


@router.get(
    "/catalogue/changes",
    summary="读取目录变更 Read changes",
    response_class=Response,
    responses=DOCUMENTED,
    dependencies=[Depends(own_node)],
)
async def changes(id: NodeId, request: Request, followers: Followers, asked: Wanted) -> Response:
    """枢纽已采纳的该平台变更，按提交顺序，每条记录只给最新状态，含删除；wait 为长轮询，也可 SSE。

    What the hub took over of the platform, in the order of commits, the newest state of each record,
    deletions included. `wait` holds the answer until there is something; with `Accept: text/event-stream`
    changes are pushed, and `Last-Event-ID` goes on where the stream broke.
    """

    async def read(tx: AsyncSession, after: Position, limit: int) -> Changes:
        return await service.changes(tx, id, after, limit)

    return await followers.answer(request, read, asked)


@router.get("/forks", summary="版本分叉 Forks")
async def forks(id: NodeId, tx: Tx, who: Caller, after: After = None, limit: Limit = 50) -> Page[ForkOut]:
    """同一版本出现两种内容的记录；保留先到者，以更高版本提交即解除。

    Records of which two states with one version were said. The first is kept; a higher version ends it.
    """
    found, cursor = await service.forks(tx, who, id, after=after, limit=limit)
    return Page(items=[ForkOut.model_validate(fork) for fork in found], next_cursor=cursor)
