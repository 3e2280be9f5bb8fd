"""/v1/catalogue/changes."""

from common.feeds import DOCUMENTED, Changes, Followers, Position, Wanted
from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from agency.changes import repository
from agency.deps import Reader

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"])


@router.get(
    "/changes", summary="目录变更 Changes of the catalogue", response_class=Response, responses=DOCUMENTED
)
async def changes(request: Request, who: Reader, followers: Followers, asked: Wanted) -> Response:
    """本平台服务机构和服务产品的最新状态，按提交顺序，含删除；供枢纽和本平台系统读取；wait 为长轮询，也可 SSE。

    The newest states of this platform's providers and offerings in the order of commits, deletions
    included, for the hub and the platform's own systems. `wait` holds the answer until there is something;
    with `Accept: text/event-stream` changes are pushed, and `Last-Event-ID` goes on where the stream broke.
    """

    async def read(tx: AsyncSession, after: Position, limit: int) -> Changes:
        return await repository.changes(tx, who.node, after, limit)

    return await followers.answer(request, read, asked)
