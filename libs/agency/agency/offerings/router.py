"""/v1/offerings: what the agencies of this platform offer."""

from typing import Annotated
from uuid import UUID

from common.contracts.offerings import OfferingState
from common.db import Tx
from common.http import After, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Query, Response

from agency.deps import Agency, AgencyOrStaff, Staff
from agency.offerings import repository, service
from agency.offerings.schemas import OfferingIn, OfferingOut, OfferingPatch, ReasonIn, ReviewIn

router = APIRouter(prefix="/v1/offerings", tags=["offerings"])


@router.post("", status_code=201, summary="提交服务 / Submit an offering")
async def submit(
    body: OfferingIn, who: Agency, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> OfferingOut:
    """提交后进入审核，审核通过才会发布。It is in review until staff publish it."""

    async def act() -> OfferingOut:
        done = await service.submit(tx, who, body.provider_id, body, at=now)
        return tagged(response, OfferingOut.model_validate(done))

    return await once(act)


@router.get("", summary="服务列表 / List offerings")
async def listing(
    who: AgencyOrStaff,
    tx: Tx,
    state: Annotated[OfferingState | None, Query()] = None,
    provider_id: UUID | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[OfferingOut]:
    """机构只看到自己的，工作人员看到本平台全部。Agencies see their own, staff all of this platform."""
    found, cursor = await repository.page(
        tx, who, state=state, provider_id=provider_id, after=after, limit=limit
    )
    return Page(items=[OfferingOut.model_validate(offering) for offering in found], next_cursor=cursor)


@router.get("/{id}", summary="服务详情 / Read an offering")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx, response: Response) -> OfferingOut:
    return tagged(response, OfferingOut.model_validate(await service.get(tx, who, id)))


@router.patch("/{id}", summary="修改服务 / Change an offering")
async def change(
    id: UUID, body: OfferingPatch, who: AgencyOrStaff, tx: Tx, now: Now, match: IfMatch, response: Response
) -> OfferingOut:
    """每次修改产生新版本；报价固定引用其所报的版本。Every edit is a new version; quotations pin theirs."""
    return tagged(
        response, OfferingOut.model_validate(await service.change(tx, who, id, body, match, at=now))
    )


@router.post("/{id}/review", summary="审核 / Review an offering")
async def review(
    id: UUID, body: ReviewIn, who: Staff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> OfferingOut:
    """发布或退回；机构未处于正常状态时不能发布。Publish or return; only an active provider's is published."""

    async def act() -> OfferingOut:
        done = await service.review(tx, who, id, body.decision, body.reason, at=now)
        return tagged(response, OfferingOut.model_validate(done))

    return await once(act, 200)


@router.post("/{id}/pause", summary="暂停 / Pause an offering")
async def pause(
    id: UUID,
    who: AgencyOrStaff,
    tx: Tx,
    now: Now,
    once: OnlyOnce,
    response: Response,
    body: ReasonIn | None = None,
) -> OfferingOut:
    async def act() -> OfferingOut:
        done = await service.pause(tx, who, id, body and body.reason, at=now)
        return tagged(response, OfferingOut.model_validate(done))

    return await once(act, 200)


@router.post("/{id}/resumption", summary="恢复 / Resume an offering")
async def resume(
    id: UUID, who: AgencyOrStaff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> OfferingOut:
    async def act() -> OfferingOut:
        return tagged(response, OfferingOut.model_validate(await service.resume(tx, who, id, at=now)))

    return await once(act, 200)


@router.post("/{id}/retirement", summary="下架 / Retire an offering")
async def retire(
    id: UUID,
    who: AgencyOrStaff,
    tx: Tx,
    now: Now,
    once: OnlyOnce,
    response: Response,
    body: ReasonIn | None = None,
) -> OfferingOut:
    """下架不可撤销。It is final: a retired offering is never published again."""

    async def act() -> OfferingOut:
        done = await service.retire(tx, who, id, body and body.reason, at=now)
        return tagged(response, OfferingOut.model_validate(done))

    return await once(act, 200)
