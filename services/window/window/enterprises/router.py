from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.http import After, Caller, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import IfMatch, tagged
from fastapi import APIRouter, Query, Response

from window.deps import Network, Sme
from window.enterprises import domain, repository, service
from window.enterprises.schemas import EnterpriseIn, EnterpriseOut, EnterprisePatch

router = APIRouter(prefix="/v1/enterprises", tags=["enterprises"])


def _shown(enterprise: domain.Enterprise, who: Caller) -> EnterpriseOut:
    """The contact is for the owner and for this window's own staff."""
    reads = who.subject == enterprise.owner_subject or who.on_site
    return EnterpriseOut.model_validate(enterprise if reads else domain.masked(enterprise))


@router.post("", status_code=201, summary="登记企业 Register an enterprise")
async def register(
    body: EnterpriseIn, response: Response, tx: Tx, who: Sme, network: Network, now: Now, once: OnlyOnce
) -> EnterpriseOut:
    """信用代码校验、区划归属、行业与划型；一个信用代码只登记一次。One record per credit code."""

    async def act() -> EnterpriseOut:
        value = await service.register(tx, who, body, network=network, at=now)
        return _shown(tagged(response, value), who)

    return await once(act)


@router.get("", summary="企业列表 List enterprises")
async def browse(
    tx: Tx,
    who: Caller,
    credit_code: Annotated[str | None, Query(pattern=r"^[0-9A-Z]{18}$")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[EnterpriseOut]:
    """本人登记的企业；本窗口工作人员可见全部。One's own; staff of this window see all."""
    found, cursor = await repository.page(tx, who, credit_code=credit_code, after=after, limit=limit)
    return Page(items=[_shown(value, who) for value in found], next_cursor=cursor)


@router.get("/{id}", summary="企业详情 Read an enterprise")
async def read(id: UUID, response: Response, tx: Tx, who: Caller) -> EnterpriseOut:
    return _shown(tagged(response, await repository.get(tx, who, id)), who)


@router.patch("/{id}", summary="修改企业信息 Change an enterprise")
async def change(
    id: UUID,
    body: EnterprisePatch,
    response: Response,
    tx: Tx,
    who: Sme,
    network: Network,
    now: Now,
    match: IfMatch,
) -> EnterpriseOut:
    """修改后重新划型。The size class is computed anew."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    value = await service.change(tx, who, id, changes, match, network=network, at=now)
    return _shown(tagged(response, value), who)
