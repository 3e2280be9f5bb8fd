"""/v1/providers/{id}/retirement."""

from uuid import UUID

from common.db import Tx
from common.http import Now
from common.idempotency import OnlyOnce
from common.preconditions import tagged
from fastapi import APIRouter, Response

from agency.deps import AgencyOrStaff
from agency.retirements import service
from agency.retirements.schemas import RetirementIn, RetirementOut

router = APIRouter(prefix="/v1/providers", tags=["providers"])


@router.post("/{id}/retirement", summary="注销 / Retire a provider")
async def retire(
    id: UUID,
    who: AgencyOrStaff,
    tx: Tx,
    now: Now,
    once: OnlyOnce,
    response: Response,
    body: RetirementIn | None = None,
) -> RetirementOut:
    """注销后其服务全部下架，未决报价一并谢绝；不可撤销。Its offerings end with it; it is final."""

    async def act() -> RetirementOut:
        done = await service.retire(tx, who, id, body and body.reason, at=now)
        return tagged(response, RetirementOut.model_validate(done))

    return await once(act, 200)
