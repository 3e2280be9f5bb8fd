from uuid import UUID

from common import trace
from common.contracts.demands import DemandState
from common.db import Tx
from common.fields import Slug
from common.http import After, Caller, Limit, Now, Page
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Response

from window.demands import repository, service
from window.demands.schemas import DemandDetail, DemandIn, DemandOut, DemandPatch, SimilarIn, SimilarOut
from window.demands.service import Submission
from window.deps import HandIn, Sme

router = APIRouter(prefix="/v1/demands", tags=["demands"])


@router.post("", status_code=201, response_model=DemandOut, summary="提交需求 Submit a demand")
async def submit(body: DemandIn, who: Sme, now: Now, desk: HandIn) -> Response:
    """返回受理编号；枢纽与对接服务不可用时照常受理。The receipt number comes back whatever else is down."""

    wish = Submission(who, body.enterprise_id, body, at=now, traceparent=trace.traceparent.get())
    return await desk(who, wish, DemandOut.model_validate)


@router.post("/similar", summary="提交前查重 Find own open demands alike before submitting")
async def compare(body: SimilarIn, tx: Tx, who: Sme) -> Page[SimilarOut]:
    """本企业尚未授标的相近需求，最相近的在前；不保存任何内容。

    Open demands of the enterprise that say nearly the same, the most similar first. Nothing is kept.
    """
    found = await service.similar_to_draft(tx, who, body.enterprise_id, body.title, body.text)
    return Page(items=[SimilarOut.model_validate(value) for value in found])


@router.get("/{id}/similar", summary="相近需求 Own open demands that say nearly the same")
async def similar(id: UUID, tx: Tx, who: Caller) -> Page[SimilarOut]:
    """同一企业尚未授标的其他相近需求。Others of the same enterprise, the most similar first."""
    found = await service.similar(tx, who, id)
    return Page(items=[SimilarOut.model_validate(value) for value in found])


@router.get("", summary="需求列表 List demands")
async def browse(
    tx: Tx,
    who: Caller,
    state: DemandState | None = None,
    category: Slug | None = None,
    enterprise_id: UUID | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[DemandOut]:
    """本人的需求；本窗口工作人员可见全部。One's own; staff of this window see all."""
    found, cursor = await repository.page(
        tx, who, state=state, category=category, enterprise_id=enterprise_id, after=after, limit=limit
    )
    return Page(items=[DemandOut.model_validate(value) for value in found], next_cursor=cursor)


@router.get("/{id}", summary="需求详情与经过 Read a demand and what happened to it")
async def read(id: UUID, response: Response, tx: Tx, who: Caller) -> DemandDetail:
    return DemandDetail.model_validate(tagged(response, await repository.get(tx, who, id)))


@router.patch("/{id}", summary="修改需求并重新对接 Change a demand; matching starts anew")
async def change(
    id: UUID, body: DemandPatch, response: Response, tx: Tx, who: Sme, now: Now, match: IfMatch
) -> DemandOut:
    """邀请报价前可修改。Possible until providers are invited."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    return DemandOut.model_validate(
        tagged(response, await service.change(tx, who, id, changes, match, at=now))
    )
