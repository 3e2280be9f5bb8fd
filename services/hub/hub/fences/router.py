from common.db import Tx
from common.errors import absent
from common.fields import NodeId
from common.http import Caller, Now
from fastapi import APIRouter, Depends

from hub.deps import Known, Operator, own_node
from hub.fences import repository, service
from hub.fences.schemas import RestorationOut, Restorations

router = APIRouter(prefix="/v1/nodes", tags=["nodes"])


@router.post("/{id}/restorations", status_code=201, summary="登记恢复 Begin anew after a restore")
async def restore(id: NodeId, tx: Tx, who: Operator, known: Known, now: Now) -> RestorationOut:
    """平台数据库由旧备份恢复后：取得新的 epoch 并重新发布全部记录；重复调用返回同一登记。

    After a platform's database was restored from an older copy: it takes on a new epoch and says all its records
    again. Repeated, the answer is the order still open. Operators only.
    """
    if id not in {node.id for node in known.network.spokes}:
        raise absent("平台", "platform")
    return RestorationOut.model_validate(await service.order(tx, who, id, at=now))


@router.get("/{id}/restorations", summary="恢复记录 Restorations of a node")
async def restorations(id: NodeId, tx: Tx, who: Operator, known: Known) -> Restorations:
    """历次恢复及其丢失的需求；仅运营人员。Each restoration, with the demands that were lost; operators only."""
    if id not in {node.id for node in known.network.spokes}:
        raise absent("平台", "platform")
    return Restorations(
        items=[RestorationOut.model_validate(one) for one in await repository.of_node(tx, id)]
    )


@router.post(
    "/{id}/restorations/completion",
    summary="重新发布完毕 All has been said again",
    dependencies=[Depends(own_node)],
)
async def complete(id: NodeId, tx: Tx, who: Caller, now: Now) -> RestorationOut:
    """经 HTTP 接入的平台：以新 epoch 推送完全部目录与在办需求后调用；枢纽随即列出未再出现的需求。

    For a platform that joined over HTTP: call it once the whole catalogue and the open demands were pushed
    again in the new epoch. Demands that were not among them are lost, and listed for operators. A platform of
    the bus tells it with its digest.
    """
    return RestorationOut.model_validate(await service.complete(tx, who, id, at=now))
