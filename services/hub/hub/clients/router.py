from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.http import PAGE_LIMIT, Now, Page
from fastapi import APIRouter, Depends, Query, Response

from hub.clients import repository, service
from hub.clients.schemas import ClientIn, ClientMade, ClientOut
from hub.deps import Network, Operator, Pepper, own_identity

router = APIRouter(prefix="/v1/clients", tags=["clients"], dependencies=[Depends(own_identity)])

# No Idempotency-Key where an answer holds a secret: the answer would be stored as it is.


@router.post("", status_code=201, summary="登记机器客户端 Register a client")
async def register(
    body: ClientIn, response: Response, tx: Tx, who: Operator, network: Network, pepper: Pepper, now: Now
) -> ClientMade:
    """密钥只显示这一次。The secret is shown this once."""
    client, secret = await service.register(
        tx, who, name=body.name, roles=body.roles, home=body.home, network=network, pepper=pepper, at=now
    )
    response.headers["Cache-Control"] = "no-store"
    return ClientMade(**ClientOut.model_validate(client).model_dump(), client_secret=secret)


@router.get("", summary="机器客户端列表 Clients")
async def page(
    tx: Tx, who: Operator, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50
) -> Page[ClientOut]:
    """仅运营人员。Operators only."""
    found, cursor = await repository.page(tx, who, after=after, limit=limit)
    return Page(items=[ClientOut.model_validate(client) for client in found], next_cursor=cursor)


@router.post("/{id}/revocation", summary="撤销机器客户端 Revoke a client")
async def revoke(id: UUID, tx: Tx, who: Operator, now: Now) -> ClientOut:
    """不再签发令牌；已签发的在有效期内仍有效。No more tokens; those given out end within their lifetime."""
    return ClientOut.model_validate(await service.revoke(tx, who, id, at=now))
