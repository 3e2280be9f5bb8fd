from datetime import timedelta
from typing import Any

from common.db import Tx
from common.fields import NodeId
from common.http import Caller, Now
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Depends, Response

from hub.deps import Config, Operator, Pepper, known_afterwards, own_identity, registration_rate
from hub.members import service
from hub.members.schemas import KeyIn, KeyMade, MemberEdit, MemberIn, MemberOut, ReasonIn

router = APIRouter(prefix="/v1/nodes", tags=["members"])
CHANGES = [known_afterwards]


@router.post(
    "",
    status_code=201,
    summary="登记平台 Register a platform",
    dependencies=[*CHANGES, Depends(registration_rate)],
)
async def join(
    body: MemberIn, tx: Tx, who: Caller, settings: Config, now: Now, once: OnlyOnce, response: Response
) -> MemberOut:
    """任何已登录账号均可自助接入平台；随后领取密钥、运行一致性测试。行政区划不得与其他窗口重叠。

    Anybody signed in may bring a platform. Then get a key and run the conformance suite; `next_en` of each
    answer says what to do. Contacts stay at the hub and are shown to its staff and operators only.
    """

    async def act() -> MemberOut:
        member = await service.join(
            tx, who, settings.network, id=body.id, kind=body.kind, zh=body.zh, en=body.en,
            places=body.divisions, deletion_policy=body.deletion_policy, contacts=body.contacts,
            feed_url=body.feed_url, at=now,
        )  # fmt: skip
        return tagged(response, MemberOut.of(member))

    return await once(act)


@router.get("/{id}/membership", summary="接入状态 How far a platform has come")
async def read(id: NodeId, tx: Tx, who: Caller, response: Response) -> MemberOut:
    """本平台人员、登记人或运营人员。Its staff, who registered it, or an operator."""
    return tagged(response, MemberOut.of(await service.own(tx, who, id)))


@router.patch("/{id}/membership", summary="修改平台资料 Edit a platform", dependencies=CHANGES)
async def edit(
    id: NodeId, body: MemberEdit, tx: Tx, who: Caller, match: IfMatch, now: Now, response: Response
) -> MemberOut:
    """名称、联系人、删除方式、数据源地址；其余不可改。Names, contacts, deletion policy, feed; nothing else."""
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    return tagged(response, MemberOut.of(await service.edit(tx, who, id, match, changes, at=now)))


@router.post(
    "/{id}/keys",
    status_code=201,
    summary="发放密钥 Hand out a key",
    dependencies=[*CHANGES, Depends(own_identity), Depends(registration_rate)],
)
async def key(
    id: NodeId, body: KeyIn, tx: Tx, who: Caller, pepper: Pepper, now: Now, response: Response
) -> KeyMade:
    """密钥只显示这一次；旧密钥在 overlap_hours 后失效，可平滑更换。

    The secret is shown this once. Rotate by asking again: earlier keys end after `overlap_hours`.
    """
    overlap = timedelta(hours=body.overlap_hours)
    client_id, secret = await service.key(tx, who, id, overlap=overlap, pepper=pepper, at=now)
    response.headers["Cache-Control"] = "no-store"
    return KeyMade(node=id, client_id=client_id, client_secret=secret)


@router.post("/{id}/quarantine", summary="隔离平台 Quarantine", dependencies=CHANGES)
async def quarantine(
    id: NodeId, body: ReasonIn, tx: Tx, who: Operator, match: IfMatch, now: Now, response: Response
) -> MemberOut:
    """其目录不再可搜、机构不再受邀；其变更被保留，不会丢失。

    Nothing of it is found or invited. Its messages wait in its stream; over HTTP it is told to repeat later.
    """
    return tagged(
        response, MemberOut.of(await service.quarantine(tx, who, id, match, reason=body.reason, at=now))
    )


@router.post("/{id}/release", summary="解除隔离 Release", dependencies=CHANGES)
async def release(
    id: NodeId, tx: Tx, who: Operator, match: IfMatch, now: Now, response: Response
) -> MemberOut:
    """恢复到隔离前的状态；保留的变更随即处理。Back to where it was; what waited is taken over."""
    return tagged(response, MemberOut.of(await service.release(tx, who, id, match, at=now)))


@router.post("/{id}/retirement", summary="退出网络 Retire", dependencies=CHANGES)
async def retire(
    id: NodeId, body: ReasonIn, tx: Tx, who: Caller, match: IfMatch, now: Now, response: Response
) -> MemberOut:
    """平台永久退出：密钥失效，目录不再可见；编号不再启用。

    It leaves for good: its keys end, its catalogue is found no more, its id is not given again.
    """
    member = await service.retire(tx, who, id, match, reason=body.reason, at=now)
    return tagged(response, MemberOut.of(member))
