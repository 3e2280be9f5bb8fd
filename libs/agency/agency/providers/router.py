"""/v1/providers: registration and supervision of agencies."""

from typing import Annotated
from uuid import UUID

from common.contracts.providers import ProviderState
from common.db import Tx
from common.http import After, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Query, Response

from agency.deps import Agency, AgencyOrStaff, Staff
from agency.providers import repository, service
from agency.providers.schemas import (
    ProviderIn,
    ProviderOut,
    ProviderPatch,
    RecognitionsIn,
    SuspensionIn,
    VerificationIn,
    shown,
)

router = APIRouter(prefix="/v1/providers", tags=["providers"])


@router.post("", status_code=201, summary="登记服务机构 / Register a provider")
async def register(
    body: ProviderIn, who: Agency, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> ProviderOut:
    """一个统一社会信用代码在本平台只登记一次；登记后由工作人员核验。One per credit code; staff verify it."""

    async def act() -> ProviderOut:
        return tagged(response, shown(await service.register(tx, who, body, at=now), who))

    return await once(act)


@router.get("", summary="服务机构列表 / List providers")
async def listing(
    who: AgencyOrStaff,
    tx: Tx,
    state: Annotated[ProviderState | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[ProviderOut]:
    """机构只看到自己的，工作人员看到本平台全部。Agencies see their own, staff all of this platform."""
    found, cursor = await repository.page(tx, who, state=state, after=after, limit=limit)
    return Page(items=[shown(provider, who) for provider in found], next_cursor=cursor)


@router.get("/{id}", summary="服务机构详情 / Read a provider")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx, response: Response) -> ProviderOut:
    return tagged(response, shown(await service.get(tx, who, id), who))


@router.patch("/{id}", summary="修改服务机构 / Change a provider")
async def change(
    id: UUID, body: ProviderPatch, who: AgencyOrStaff, tx: Tx, now: Now, match: IfMatch, response: Response
) -> ProviderOut:
    """需带 If-Match；被退回的机构修改后自动重新提交。Needs If-Match; a returned one is submitted again."""
    return tagged(response, shown(await service.change(tx, who, id, body, match, at=now), who))


@router.put("/{id}/recognitions", summary="官方认定 / Set a provider's recognitions")
async def recognise(
    id: UUID, body: RecognitionsIn, who: Staff, tx: Tx, now: Now, match: IfMatch, response: Response
) -> ProviderOut:
    """仅平台工作人员登记，需带 If-Match；整体替换。Staff only, with If-Match; replaces all there were."""
    done = await service.recognise(tx, who, id, body.recognitions, match, at=now)
    return tagged(response, shown(done, who))


@router.post("/{id}/verification", summary="核验 / Verify a provider")
async def verify(
    id: UUID, body: VerificationIn, who: Staff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> ProviderOut:
    """通过、退回补正或不予通过；后两者须写明原因。Approve, return or reject; the latter two with a reason."""

    async def act() -> ProviderOut:
        done = await service.verify(tx, who, id, body.decision, body.reason, at=now)
        return tagged(response, shown(done, who))

    return await once(act, 200)


@router.post("/{id}/suspension", summary="暂停 / Suspend a provider")
async def suspend(
    id: UUID, body: SuspensionIn, who: Staff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> ProviderOut:
    """暂停后不再被匹配，也不能报价；到期自动恢复。No matches and no quotations until restored or over."""

    async def act() -> ProviderOut:
        done = await service.suspend(tx, who, id, body.reason, body.until, at=now)
        return tagged(response, shown(done, who))

    return await once(act, 200)


@router.post("/{id}/restoration", summary="恢复 / Restore a provider")
async def restore(id: UUID, who: Staff, tx: Tx, now: Now, once: OnlyOnce, response: Response) -> ProviderOut:
    async def act() -> ProviderOut:
        return tagged(response, shown(await service.restore(tx, who, id, at=now), who))

    return await once(act, 200)
