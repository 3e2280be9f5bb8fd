from uuid import UUID

from common.db import Tx
from common.http import Caller, Now, Page
from common.idempotency import OnlyOnce
from fastapi import APIRouter

from window.deps import Sme
from window.invitations import service
from window.invitations.schemas import InvitationOut, InvitationsIn

router = APIRouter(prefix="/v1/demands", tags=["invitations"])


@router.post("/{id}/invitations", status_code=201, summary="邀请报价 Invite providers to quote")
async def issue(
    id: UUID, body: InvitationsIn, tx: Tx, who: Sme, now: Now, once: OnlyOnce
) -> Page[InvitationOut]:
    """从对接结果中选择，每家机构一次，任何窗口或集聚区平台的机构均可。"""

    async def act() -> Page[InvitationOut]:
        issued = await service.issue(tx, who, id, body.offering_ids, body.respond_by, at=now)
        return Page(items=[InvitationOut.model_validate(value) for value in issued])

    return await once(act)


@router.get("/{id}/invitations", summary="受邀机构与答复情况 Invited providers and their answers")
async def browse(id: UUID, tx: Tx, who: Caller) -> Page[InvitationOut]:
    found = await service.of_demand(tx, who, id)
    return Page(items=[InvitationOut.model_validate(value) for value in found])
