"""/v1/providers/{id}/subscription."""

from typing import Annotated
from uuid import UUID

from common.db import Tx
from common.http import Now
from common.preconditions import Match, tagged
from fastapi import APIRouter, Depends, Header, Response

from agency.deps import Agency, AgencyOrStaff
from agency.subscriptions import service
from agency.subscriptions.schemas import SubscriptionIn, SubscriptionOut

router = APIRouter(prefix="/v1/providers", tags=["opportunities"])


async def _if_any(if_match: Annotated[str | None, Header(max_length=100)] = None) -> Match | None:
    return None if if_match is None else Match(if_match)


IfMatchAny = Annotated[Match | None, Depends(_if_any)]


@router.put(
    "/{id}/subscription",
    summary="订阅商机 · Subscribe to opportunities",
    responses={201: {"model": SubscriptionOut, "description": "The first one of this provider"}},
)
async def put(
    id: UUID, body: SubscriptionIn, who: Agency, tx: Tx, now: Now, match: IfMatchAny, response: Response
) -> SubscriptionOut:
    """订阅后，与本机构服务产品相符的公开需求将主动推送；修改有效订阅需带 If-Match，相同内容重复提交无影响。

    Open demands that fit the provider's offerings are told from now on. Changing an active one needs
    If-Match; the same body again changes nothing.
    """
    done = await service.put(tx, who, id, body, match, at=now)
    if done.version == 1:
        response.status_code = 201
    return tagged(response, SubscriptionOut.model_validate(done))


@router.get("/{id}/subscription", summary="商机订阅详情 · Read a subscription")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx, response: Response) -> SubscriptionOut:
    return tagged(response, SubscriptionOut.model_validate(await service.get(tx, who, id)))


@router.delete("/{id}/subscription", summary="退订商机 · End a subscription")
async def end(
    id: UUID, who: Agency, tx: Tx, now: Now, match: IfMatchAny, response: Response
) -> SubscriptionOut:
    """已推送的商机仍可查看；可随时重新订阅。What was told stays to be read; subscribe again at any time."""
    return tagged(response, SubscriptionOut.model_validate(await service.end(tx, who, id, match, at=now)))
