from uuid import UUID

from common.db import Tx
from common.http import Now
from common.idempotency import OnlyOnce
from fastapi import APIRouter

from window.deps import Sme
from window.withdrawals import service
from window.withdrawals.schemas import WithdrawalIn, WithdrawalOut

router = APIRouter(prefix="/v1/demands", tags=["demands"])


@router.post("/{id}/withdrawal", summary="撤回需求 Withdraw a demand")
async def withdraw(id: UUID, body: WithdrawalIn, tx: Tx, who: Sme, now: Now, once: OnlyOnce) -> WithdrawalOut:
    """授标前可撤回；受邀机构会收到通知。Possible until the award; invited providers are told."""

    async def act() -> WithdrawalOut:
        return WithdrawalOut.model_validate(await service.withdraw(tx, who, id, body.reason, at=now))

    return await once(act, 200)
