from uuid import UUID

from common.db import Tx
from common.http import Caller, Now, Page
from fastapi import APIRouter

from window.bids import domain, service
from window.bids.schemas import QuotationOut
from window.demands.domain import today

router = APIRouter(prefix="/v1/demands", tags=["quotations"])


@router.get("/{id}/quotations", summary="报价比较 Compare quotations, cheapest first")
async def compare(id: UUID, tx: Tx, who: Caller, now: Now) -> Page[QuotationOut]:
    """统一口径：价格（分）、工期（天）、有效期、是否超预算、能否按期。"""
    demand, found = await service.compare(tx, who, id)
    day = today(now)
    items = [
        QuotationOut.model_validate(
            quotation.model_dump()
            | {
                "stands": domain.stands(quotation, day),
                "over_budget": domain.over_budget(quotation, demand),
                "in_time": domain.in_time(quotation, demand, day),
            }
        )
        for quotation in found
    ]
    return Page(items=items)
