from uuid import UUID

from common.db import Tx
from common.http import Now
from common.idempotency import OnlyOnce
from fastapi import APIRouter

from window.awards import service
from window.awards.schemas import AwardIn, AwardOut
from window.deps import Sme

router = APIRouter(prefix="/v1/demands", tags=["awards"])


@router.post("/{id}/award", status_code=201, summary="授标 Award one quotation")
async def award(id: UUID, body: AwardIn, tx: Tx, who: Sme, now: Now, once: OnlyOnce) -> AwardOut:
    """同时授标只有一个成功；未中选机构会收到通知与理由。Of two at once exactly one succeeds; losers are told."""

    async def act() -> AwardOut:
        value, lost = await service.award(
            tx, who, id, body.quotation_id, body.reason, body.milestones, at=now
        )
        return AwardOut(
            demand_id=id,
            engagement_id=value.id,
            engagement_state=value.state,
            quotation_id=value.quotation_id,
            platform=value.platform,
            provider_id=value.provider_id,
            provider_name=value.provider_name,
            price_cents=value.price_cents,
            reason=body.reason,
            milestones=value.milestones,
            told_lost=lost,
            awarded_at=value.created_at,
        )

    return await once(act)
