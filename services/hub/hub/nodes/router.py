from common.auth import Principal
from common.db import Tx, View
from common.errors import Invalid, absent
from common.fields import NodeId
from common.heartbeat import Receipt
from common.http import Caller, Now
from fastapi import APIRouter

from hub.deps import Network, Visitor
from hub.nodes import service
from hub.nodes.schemas import BeatIn, Membership, NodeDetail, NodeOut, Nodes
from hub.nodes.service import NodeView

router = APIRouter(prefix="/v1/nodes", tags=["nodes"])


def _out(view: NodeView, who: Principal | None) -> NodeOut:
    node, heard = view.node, view.heard
    detail = None
    if heard is not None and who is not None and "operator" in who.roles:
        detail = NodeDetail(
            lag=view.lag or 0, unsent=heard.unsent, unconfirmed=heard.unconfirmed, owed=view.owed,
            dead_letters=heard.dead_letters, clock_offset_s=heard.offset_s, epoch=heard.epoch,
            feed_seq=heard.feed_seq, release=heard.release, fenced=view.fenced, drift=view.drift,
        )  # fmt: skip
    return NodeOut(
        id=node.id, kind=node.kind, zh=node.zh, en=node.en, divisions=list(node.divisions),
        state=view.health.state, since=view.health.since, last_beat_at=heard.heard_at if heard else None,
        membership=_membership(view, who), detail=detail,
    )  # fmt: skip


def _membership(view: NodeView, who: Principal | None) -> Membership | None:
    member = view.member
    if member is None:
        return None
    degraded = member.state == "active" and view.causes
    told = who is not None and (who.staff_of(member.id) or who.subject == member.subject)
    return Membership(
        state="degraded" if degraded else member.state, since=member.since, via=member.via,
        causes=list(view.causes) if member.state == "active" else [], reason=member.reason if told else None,
    )  # fmt: skip


def _shown(view: NodeView, who: Principal | None) -> bool:
    """Who is on the way in, or has left, concerns operators and its own people alone."""
    member = view.member
    if member is None or member.state in ("active", "quarantined"):
        return True
    return who is not None and (who.staff_of(member.id) or who.subject == member.subject)


@router.get("", summary="平台节点 Nodes")
async def nodes(tx: View, who: Visitor, network: Network, now: Now) -> Nodes:
    """各平台及其状态：ready、late、silent、never；运营人员另见细节。

    Every platform and how it is. No token needed; operators also get `detail`.
    """
    views = await service.overview(tx, network, at=now)
    return Nodes(items=[_out(view, who) for view in views if _shown(view, who)])


@router.get("/{id}", summary="一个平台节点 A node")
async def node(id: str, tx: Tx, who: Visitor, network: Network, now: Now) -> NodeOut:
    """一个平台及其状态。One platform and how it is."""
    for view in await service.overview(tx, network, at=now):
        if view.node.id == id and _shown(view, who):
            return _out(view, who)
    raise absent("平台", "platform")


@router.post("/{id}/heartbeats", summary="心跳 Heartbeat")
async def beat(id: NodeId, body: BeatIn, tx: Tx, who: Caller, now: Now) -> Receipt:
    """经 HTTP 接入的平台每 5 秒一次；应答为回执：其消息已处理到哪里，以及枢纽时间。

    For platforms without a bus, every 5 seconds. The answer is the receipt: how far their messages are
    applied, and the hub's clock. `applied_seq` confirms what they have handled of ours.
    """
    if body.node != id:
        raise Invalid(
            "other-node",
            zh="node 与地址中的平台编号不一致",
            en="node differs from the platform in the address",
            field="node",
        )
    return await service.beat(tx, who, body, at=now)
