from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.http import PAGE_LIMIT, Caller, Now, Page
from fastapi import APIRouter, Depends, Query, Response

from hub.api_keys import repository, service
from hub.api_keys.schemas import ApiKeyIn, ApiKeyMade, ApiKeyOut
from hub.deps import Pepper, own_identity

router = APIRouter(prefix="/v1/api-keys", tags=["api-keys"], dependencies=[Depends(own_identity)])

# No Idempotency-Key where an answer holds a secret: the answer would be stored as it is.


@router.post("", status_code=201, summary="创建接口密钥 Make an API key")
async def make(
    body: ApiKeyIn, response: Response, tx: Tx, who: Caller, pepper: Pepper, now: Now
) -> ApiKeyMade:
    """密钥只显示这一次；在 /oauth/token 换取短期令牌。

    The key is shown this once; exchange it at /oauth/token (`urn:hubnet:grant:api-key`) for a short token.
    """
    record, key = await service.make(
        tx, who, name=body.name, roles=body.roles, days=body.expires_in_days, pepper=pepper, at=now
    )
    response.headers["Cache-Control"] = "no-store"
    return ApiKeyMade(**ApiKeyOut.model_validate(record).model_dump(), key=key)


@router.get("", summary="接口密钥列表 API keys")
async def page(
    tx: Tx, who: Caller, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50
) -> Page[ApiKeyOut]:
    """自己的密钥；运营人员可见全部。Your own; an operator sees all."""
    found, cursor = await repository.page(tx, who, after=after, limit=limit)
    return Page(items=[ApiKeyOut.model_validate(key) for key in found], next_cursor=cursor)


@router.post("/{id}/revocation", summary="撤销接口密钥 Revoke an API key")
async def revoke(id: UUID, tx: Tx, who: Caller, now: Now) -> ApiKeyOut:
    """立即生效：不再换取令牌。At once: no more tokens for it."""
    return ApiKeyOut.model_validate(await service.revoke(tx, who, id, at=now))
