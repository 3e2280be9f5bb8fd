"""/v1/quotations: invitations received and the answers given."""

from typing import Annotated
from uuid import UUID

from common.contracts.quotations import QuotationState
from common.db import Tx
from common.http import After, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import tagged
from fastapi import APIRouter, Query, Response

from agency.deps import Agency, AgencyOrStaff
from agency.quotations import repository, service
from agency.quotations.schemas import DeclinationIn, OwnQuotationOut, QuotationWithdrawalIn, SubmissionIn

router = APIRouter(prefix="/v1/quotations", tags=["quotations"])


@router.get("", summary="收到的邀请与报价 / Invitations received, with their quotations")
async def listing(
    who: AgencyOrStaff,
    tx: Tx,
    state: Annotated[QuotationState | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[OwnQuotationOut]:
    """每个邀请对应一份报价，状态 invited 表示尚未答复。One per invitation; `invited` is not answered yet."""
    found, cursor = await repository.page(tx, who, state=state, after=after, limit=limit)
    return Page(items=[OwnQuotationOut.model_validate(quotation) for quotation in found], next_cursor=cursor)


@router.get("/{id}", summary="报价详情 / Read a quotation")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx, response: Response) -> OwnQuotationOut:
    return tagged(response, OwnQuotationOut.model_validate(await service.get(tx, who, id)))


@router.post("/{id}/viewing", summary="已查看 / Note that the invitation was read")
async def view(
    id: UUID, who: Agency, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> OwnQuotationOut:
    async def act() -> OwnQuotationOut:
        return tagged(response, OwnQuotationOut.model_validate(await service.view(tx, who, id, at=now)))

    return await once(act, 200)


@router.post("/{id}/submission", summary="提交报价 / Submit an offer")
async def submit(
    id: UUID, body: SubmissionIn, who: Agency, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> OwnQuotationOut:
    """截止时间以服务器时间为准；截止前可多次提交，以最后一次为准。Repeatable until the deadline by server time."""

    async def act() -> OwnQuotationOut:
        return tagged(
            response, OwnQuotationOut.model_validate(await service.submit(tx, who, id, body, at=now))
        )

    return await once(act, 200)


@router.post("/{id}/declination", summary="谢绝 / Decline an invitation")
async def decline(
    id: UUID, body: DeclinationIn, who: Agency, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> OwnQuotationOut:
    async def act() -> OwnQuotationOut:
        done = await service.decline(tx, who, id, body.reason, at=now)
        return tagged(response, OwnQuotationOut.model_validate(done))

    return await once(act, 200)


@router.post("/{id}/withdrawal", summary="撤回报价 / Withdraw an offer")
async def withdraw(
    id: UUID,
    who: Agency,
    tx: Tx,
    now: Now,
    once: OnlyOnce,
    response: Response,
    body: QuotationWithdrawalIn | None = None,
) -> OwnQuotationOut:
    """撤回后不能再次提交。A withdrawn quotation is final."""

    async def act() -> OwnQuotationOut:
        done = await service.withdraw(tx, who, id, body and body.reason, at=now)
        return tagged(response, OwnQuotationOut.model_validate(done))

    return await once(act, 200)
