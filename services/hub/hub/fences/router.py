from common.db import Tx
from common.errors import absent
from common.fields import NodeId
from common.http import Now
from fastapi import APIRouter

from hub.deps import Known, Operator
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
