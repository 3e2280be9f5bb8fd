from common.auth import Principal
from common.db import Tx
from common.errors import absent
from common.http import Now
from fastapi import APIRouter

from hub.deps import Network, Visitor
from hub.nodes import service
from hub.nodes.schemas import NodeDetail, NodeOut, Nodes
from hub.nodes.service import NodeView

router = APIRouter(prefix="/v1/nodes", tags=["nodes"])


def _out(view: NodeView, who: Principal | None) -> NodeOut:
    node, heard = view.node, view.heard
    detail = None
    if heard is not None and who is not None and "operator" in who.roles:
        detail = NodeDetail(
            lag=view.lag or 0, unsent=heard.unsent, unconfirmed=heard.unconfirmed, owed=view.owed,
            dead_letters=heard.dead_letters, clock_offset_s=heard.offset_s, epoch=heard.epoch,
            feed_seq=heard.feed_seq, release=heard.release,
        )  # fmt: skip
    return NodeOut(
        id=node.id, kind=node.kind, zh=node.zh, en=node.en, divisions=list(node.divisions),
        state=view.health.state, since=view.health.since, last_beat_at=heard.heard_at if heard else None,
        detail=detail,
    )  # fmt: skip


@router.get("", summary="平台节点 Nodes")
async def nodes(tx: Tx, who: Visitor, network: Network, now: Now) -> Nodes:
    """各平台及其状态：ready、late、silent、never；运营人员另见细节。

    Every platform and how it is. No token needed; operators also get `detail`.
    """
    return Nodes(items=[_out(view, who) for view in await service.overview(tx, network, at=now)])


@router.get("/{id}", summary="一个平台节点 A node")
async def node(id: str, tx: Tx, who: Visitor, network: Network, now: Now) -> NodeOut:
    """一个平台及其状态。One platform and how it is."""
    for view in await service.overview(tx, network, at=now):
        if view.node.id == id:
            return _out(view, who)
    raise absent("平台", "platform")
