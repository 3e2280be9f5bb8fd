"""/v1/identities: organisations that are registered more than once."""

from typing import Annotated
from uuid import UUID

from common.auth import Principal, allow
from common.db import Tx
from common.errors import Invalid
from common.fields import NodeId
from common.http import PAGE_LIMIT, Now
from common.preconditions import IfMatch
from fastapi import APIRouter, Path, Query, Response

from hub.catalogue.domain import Key
from hub.deps import Operator
from hub.identities import service
from hub.identities.domain import Identity
from hub.identities.schemas import IdentityOut, MergeIn, SharedOut, SharedPage

router = APIRouter(prefix="/v1/identities", tags=["operations"])

Overseer = Annotated[Principal, allow("operator", "department")]
Code = Annotated[str, Path(max_length=100, description="统一社会信用代码 Credit code")]


@router.get("", summary="重复登记的主体 Organisations registered more than once")
async def page(
    tx: Tx,
    who: Overseer,
    merged: Annotated[
        bool | None, Query(description="只看已合并或未合并的 Only those merged, or not")
    ] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> SharedPage:
    """同一统一社会信用代码有多条在册记录的机构。Credit codes that more than one living record has."""
    found, cursor = await service.page(tx, merged=merged, after=after, limit=limit)
    return SharedPage(items=[SharedOut.model_validate(one) for one in found], next_cursor=cursor)


@router.get("/{credit_code}", summary="合并预览 One organisation, and how it would look merged")
async def look(
    credit_code: Code,
    tx: Tx,
    who: Overseer,
    response: Response,
    platform: Annotated[
        NodeId | None, Query(description="以此平台的记录为主 With this record as primary")
    ] = None,
    id: UUID | None = None,
) -> IdentityOut:
    """各平台的记录、差异，以及合并后的样子；ETag 用于随后的合并。不带 platform 与 id 时由枢纽提出主记录。

    Its records, what they say differently, and what a merge would show; merge with the ETag of this answer.
    Without `platform` and `id` the hub proposes the primary: the active record that offers most.
    """
    if (platform is None) != (id is None):
        raise Invalid(
            "primary-incomplete",
            zh="platform 与 id 须同时给出，或都不给",
            en="give both platform and id, or neither",
            field="id" if id is None else "platform",
        )
    primary: Key | None = None if platform is None or id is None else (platform, id)
    return _tagged(response, await service.look(tx, credit_code, primary))


@router.put("/{credit_code}/merge", summary="合并 Merge")
async def merge(
    credit_code: Code, body: MergeIn, tx: Tx, who: Operator, match: IfMatch, now: Now, response: Response
) -> IdentityOut:
    """此后目录与 HSDS 把这些记录显示为同一机构；各平台自己的记录不变，可随时撤销。

    From now on the catalogue and HSDS show the records as one organisation. The platforms' own records stay
    as they are, and DELETE undoes it. A record that comes later is taken in by merging again.
    """
    primary = (body.primary.platform, body.primary.id)
    return _tagged(response, await service.merge(tx, who, credit_code, primary, match, at=now))


@router.delete("/{credit_code}/merge", summary="撤销合并 Undo a merge")
async def part(
    credit_code: Code, tx: Tx, who: Operator, match: IfMatch, now: Now, response: Response
) -> IdentityOut:
    """每条记录恢复为独立机构。Every record is an organisation of its own again."""
    return _tagged(response, await service.part(tx, who, credit_code, match, at=now))


def _tagged(response: Response, identity: Identity) -> IdentityOut:
    response.headers["ETag"] = identity.tag
    return IdentityOut.of(identity)
