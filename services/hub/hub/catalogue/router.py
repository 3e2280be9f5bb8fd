from typing import Annotated
from uuid import UUID

from common.contracts.offerings import OfferingKind
from common.db import Tx, View
from common.errors import Invalid, absent
from common.fields import AreaPrefix, NodeId, OptionalText, Slug
from common.http import PAGE_LIMIT, Page
from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from hub.catalogue import domain, repository
from hub.catalogue.domain import Search
from hub.catalogue.schemas import Facets, ItemOut
from hub.deps import Known, public_rate

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"], dependencies=[Depends(public_rate)])

Words = Annotated[OptionalText, StringConstraints(max_length=100)]


def search(
    known: Known,
    kind: Annotated[OfferingKind | None, Query(description="服务产品种类 Kind")] = None,
    category: Annotated[Slug | None, Query(description="服务分类及其下级 Category and all below it")] = None,
    division: Annotated[
        AreaPrefix | None, Query(description="服务于此地 Serving this place (GB/T 2260)")
    ] = None,
    platform: Annotated[NodeId | None, Query(description="所属平台 Owning platform")] = None,
    q: Annotated[
        Words | None, Query(description="关键词，空格分隔，须全部包含 Words, all must be found")
    ] = None,
) -> Search:
    if platform is not None and all(node.id != platform for node in known.network.nodes):
        raise Invalid(
            "unknown-platform",
            zh="没有这个平台；平台编号见 /v1/nodes",
            en="there is no such platform; their ids are at /v1/nodes",
            field="platform",
        )
    return Search(
        kind=kind,
        categories=domain.within(category),
        place=domain.prefix(division) if division else None,
        platform=platform,
        words=domain.words(q),
        hidden=known.hidden,
    )


Wanted = Annotated[Search, Depends(search)]


@router.get("", summary="联合目录 Catalogue of the region")
async def page(
    tx: View,
    wanted: Wanted,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> Page[ItemOut]:
    """全区已发布的服务产品；无需令牌。Published offerings of active providers; no token needed."""
    found, cursor = await repository.page(tx, wanted, after=after, limit=limit)
    silent = await repository.as_of(tx)
    merged = await repository.primaries(tx, {item.provider for item in found}, wanted.hidden)
    items = [ItemOut.of(item, silent.get(item.owner), merged.get(item.provider)) for item in found]
    return Page(items=items, next_cursor=cursor)


@router.get("/facets", summary="目录分面计数 Counts by kind, category and platform")
async def facets(tx: View, wanted: Wanted) -> Facets:
    """按种类、分类、平台计数；可带与目录相同的条件。Takes the same conditions as the catalogue."""
    return Facets.model_validate(await repository.counts(tx, wanted))


@router.get("/{owner}/{id}", summary="一项服务产品 An offering")
async def get(owner: NodeId, id: UUID, tx: Tx, known: Known) -> ItemOut:
    """按所属平台和编号查看。By owning platform and id."""
    item = None if owner in known.hidden else await repository.get(tx, owner, id)
    if item is None:
        raise absent("服务产品", "offering")
    merged = await repository.primaries(tx, [item.provider], known.hidden)
    return ItemOut.of(item, (await repository.as_of(tx)).get(owner), merged.get(item.provider))
