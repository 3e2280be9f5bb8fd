from uuid import UUID

from common.db import Tx
from common.http import Caller, Now
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Response

from window.deps import Sme
from window.ratings import repository, service
from window.ratings.schemas import RatingIn, RatingOut, RatingPatch

router = APIRouter(prefix="/v1/engagements", tags=["ratings"])


@router.post("/{id}/rating", status_code=201, summary="评价 Rate an engagement")
async def give(
    id: UUID, body: RatingIn, response: Response, tx: Tx, who: Sme, now: Now, once: OnlyOnce
) -> RatingOut:
    """验收后评价一次；随后需求与服务合同关闭。Once, after acceptance; then the case is closed."""

    async def act() -> RatingOut:
        value = await service.give(tx, who, id, body.grade, body.text, at=now)
        return RatingOut.model_validate(tagged(response, value))

    return await once(act)


@router.get("/{id}/rating", summary="查看评价 Read a rating")
async def read(id: UUID, response: Response, tx: Tx, who: Caller) -> RatingOut:
    return RatingOut.model_validate(tagged(response, await repository.get(tx, who, id)))


@router.patch("/{id}/rating", summary="修改评价 Change a rating within 7 days")
async def change(
    id: UUID, body: RatingPatch, response: Response, tx: Tx, who: Sme, now: Now, match: IfMatch
) -> RatingOut:
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    return RatingOut.model_validate(
        tagged(response, await service.change(tx, who, id, changes, match, at=now))
    )
