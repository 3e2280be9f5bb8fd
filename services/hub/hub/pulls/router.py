"""/v1/nodes/{id}/pull."""

from common.db import Tx
from common.fields import NodeId
from common.http import Caller, Now
from fastapi import APIRouter

from hub.deps import Operator
from hub.pulls import service
from hub.pulls.schemas import PullIn, PullOut

router = APIRouter(prefix="/v1/nodes/{id}/pull", tags=["catalogue of a platform"])


@router.put("", summary="核准拉取地址 Approve of pulling")
async def approve(id: NodeId, body: PullIn, tx: Tx, who: Operator, now: Now) -> PullOut:
    """运营人员核准平台登记的 feed_url 后，枢纽定期拉取其目录变更；仅 https 或本机地址。

    Once an operator approves of the `feed_url` that a platform declared, the hub fetches its changes from
    there: over https, or on this machine; redirects are not followed.
    """
    return PullOut.model_validate(await service.approve(tx, who, id, body.url, at=now))


@router.get("", summary="拉取状态 How pulling goes")
async def read(id: NodeId, tx: Tx, who: Caller) -> PullOut:
    """最近一次成功、连续失败次数与原因。The last success, and failures in a row with their reason."""
    return PullOut.model_validate(await service.get(tx, who, id))


@router.delete("", status_code=204, summary="停止拉取 End pulling")
async def end(id: NodeId, tx: Tx, who: Operator, now: Now) -> None:
    """目录保持不变。What was fetched stays."""
    await service.end(tx, who, id, at=now)
