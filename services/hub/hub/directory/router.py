"""/v1/catalogue/hsds: the HSDS 3.0 API over the catalogue of the region."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from common import db
from common.auth import Principal, allow
from common.db import Tx
from common.errors import absent
from common.fields import NodeId, OptionalText, Slug
from common.http import PAGE_LIMIT
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from hsds import About, profile, terms
from hsds.catalogue import Writer
from pydantic import StringConstraints

from hub.catalogue import domain as catalogue
from hub.catalogue.domain import Copy, Search
from hub.deps import Known, public_rate
from hub.directory import domain, service
from hub.directory.schemas import ApiOut, DirectoryPage

router = APIRouter(prefix="/v1/catalogue/hsds", tags=["hsds"])
PUBLIC = [Depends(public_rate)]
PART = 500

Words = Annotated[OptionalText, StringConstraints(max_length=100)]
Number = Annotated[int, Query(ge=1, le=1_000_000, alias="page", description="页码 Number of the page")]
PerPage = Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="每页条数 Entities a page")]
Full = Annotated[bool, Query(description="含全部下级内容 With all that is nested")]
Wanted = Annotated[
    Words | None, Query(alias="search", description="关键词，须全部包含 Words, all must be found")
]
TermId = Annotated[str | None, Query(max_length=100, description="分类词编号 Id of a taxonomy term")]
TaxonomyId = Annotated[str | None, Query(max_length=100, description="分类法编号 Id of a taxonomy")]
ModifiedAfter = Annotated[
    str | None,
    Query(max_length=100, description="不支持：目录不记录修改时间 Not offered: no time of change is kept"),
]
File = Annotated[Slug, Path(description="如 service.json Such as service.json")]
Overseer = Annotated[Principal, allow("operator", "department")]


@router.get("", summary="HSDS 接口说明 What this API is", dependencies=PUBLIC)
async def root(request: Request) -> ApiOut:
    """HSDS 版本、配置文件地址与删除策略。Version of HSDS, address of the profile, deletion policy."""
    return ApiOut.model_validate(domain.root(str(request.base_url)))


@router.get("/profile", summary="HSDS 配置文件 The profile", dependencies=PUBLIC)
async def described(request: Request) -> dict[str, Any]:
    """本网络对 HSDS 3.0 的扩展，机器可读。What this network adds to HSDS 3.0, for machines."""
    return profile.document(str(request.url))


@router.get("/profile/{file}", summary="配置补丁 A part of the profile", dependencies=PUBLIC)
async def patched(file: File) -> dict[str, Any]:
    """对同名 HSDS 模式文件的 JSON Merge Patch。A JSON Merge Patch over the HSDS schema of that name."""
    found = domain.patch(file)
    if found is None:
        raise absent("配置文件", "part of the profile")
    return found


@router.get("/schema/{file}", summary="完整模式 A whole schema", dependencies=PUBLIC)
async def schema(file: File) -> dict[str, Any]:
    """HSDS 模式与本配置合并的结果。The HSDS schema with this profile merged into it."""
    found = domain.schema(file)
    if found is None:
        raise absent("模式文件", "schema")
    return found


@router.get("/services", summary="服务列表 Services", dependencies=PUBLIC)
async def services(
    tx: Tx,
    known: Known,
    page: Number = 1,
    per_page: PerPage = 50,
    search: Wanted = None,
    taxonomy_term_id: TermId = None,
    taxonomy_id: TaxonomyId = None,
    organization_id: UUID | None = None,
    modified_after: ModifiedAfter = None,
    full: Full = False,
) -> DirectoryPage:
    """全区已发布的服务产品，HSDS 3.0 分页；无需令牌。Published offerings of active providers, paged as in HSDS."""
    if modified_after is not None:
        raise domain.not_offered("modified_after")
    wanted = Search(words=catalogue.words(search), provider=organization_id, hidden=known.hidden)
    narrowed = domain.narrowed(wanted, taxonomy_term_id, taxonomy_id)
    found = await service.services(tx, narrowed, number=page, per_page=per_page, full=full)
    return DirectoryPage.model_validate(found)


@router.get("/services/{id}", summary="一项服务 A service", dependencies=PUBLIC)
async def one_service(id: UUID, tx: Tx, known: Known) -> dict[str, Any]:
    """服务及其机构、地点、分类、价格。A service with its organization, places, terms and costs."""
    found = await service.service(tx, id, known.hidden)
    if found is None:
        raise absent("服务", "service")
    return found


@router.get("/organizations", summary="机构列表 Organizations", dependencies=PUBLIC)
async def organizations(
    tx: Tx,
    known: Known,
    page: Number = 1,
    per_page: PerPage = 50,
    search: Wanted = None,
    modified_after: ModifiedAfter = None,
    full: Full = False,
) -> DirectoryPage:
    """全区有效的服务机构。Active providers of the region."""
    if modified_after is not None:
        raise domain.not_offered("modified_after")
    wanted = Search(words=catalogue.words(search), hidden=known.hidden)
    found = await service.organizations(tx, wanted, number=page, per_page=per_page, full=full)
    return DirectoryPage.model_validate(found)


@router.get("/organizations/{id}", summary="一个机构 An organization", dependencies=PUBLIC)
async def one_organization(id: UUID, tx: Tx, known: Known) -> dict[str, Any]:
    """机构及其地点、证照与分类。An organization with its places, identifiers and terms."""
    found = await service.organization(tx, id, known.hidden)
    if found is None:
        raise absent("机构", "organization")
    return found


@router.get("/taxonomies", summary="分类法 Taxonomies", dependencies=PUBLIC)
async def taxonomies(page: Number = 1, per_page: PerPage = 50) -> DirectoryPage:
    """本目录使用的分类法。The taxonomies this directory uses."""
    return DirectoryPage.model_validate(domain.sliced(terms.taxonomies(), page, per_page))


@router.get("/taxonomies/{id}", summary="一种分类法 A taxonomy", dependencies=PUBLIC)
async def one_taxonomy(id: UUID) -> dict[str, Any]:
    """名称、说明与版本。Its name, what it is, its version."""
    found = terms.taxonomy(str(id))
    if found is None:
        raise absent("分类法", "taxonomy")
    return found


@router.get("/taxonomy_terms", summary="分类词 Taxonomy terms", dependencies=PUBLIC)
async def taxonomy_terms(
    page: Number = 1,
    per_page: PerPage = 50,
    taxonomy_id: TaxonomyId = None,
    parent_id: Annotated[str | None, Query(max_length=100, description="上级词 The term above")] = None,
) -> DirectoryPage:
    """服务分类、产品种类与企业规模。Categories, kinds of offerings, sizes of enterprises."""
    wanted = {"taxonomy_id": taxonomy_id, "parent_id": parent_id}
    found = [
        term
        for term in terms.terms()
        if all(value is None or term.get(name) == value for name, value in wanted.items())
    ]
    return DirectoryPage.model_validate(domain.sliced(found, page, per_page))


@router.get("/taxonomy_terms/{id}", summary="一个分类词 A taxonomy term", dependencies=PUBLIC)
async def one_term(id: UUID) -> dict[str, Any]:
    """编号、名称与上级词。Its code, its name, the term above it."""
    found = terms.term(str(id))
    if found is None:
        raise absent("分类词", "taxonomy term")
    return found


@router.get(
    "/catalogue",
    summary="整个目录 The whole catalogue",
    response_class=StreamingResponse,
    responses={
        200: {"description": "HSDS 3.0", "content": {"application/json": {"schema": {"type": "object"}}}}
    },
)
async def whole(
    request: Request,
    who: Overseer,
    known: Known,
    platform: Annotated[NodeId | None, Query(description="只要此平台的 Of this platform only")] = None,
    every: Annotated[
        bool, Query(description="含未发布的和墓碑 With what nobody sees, and tombstones")
    ] = False,
) -> StreamingResponse:
    """一份 HSDS 3.0 JSON 文档，逐条写出：先机构，后服务；`every=true` 时可原样导入而不丢失内容。

    One document of HSDS 3.0, written record by record: organizations, then services. With `every=true`
    nothing is lost when it is read again.
    """
    search = Search(platform=platform, hidden=known.hidden)
    writer = Writer(
        About(
            profile=f"{request.base_url}v1/catalogue/hsds/profile",
            deletion_policy="tombstone",
            platform=platform,
        )
    )

    async def written() -> AsyncIterator[bytes]:
        yield writer.begin()
        for noun in ("provider", "offering"):
            after: Copy | None = None
            while True:
                # A transaction for each part: a slow reader holds none open.
                async with db.begin(request.app.state.runtime.sessions) as tx:
                    found = await service.part(tx, noun, search, every=every, after=after, limit=PART)
                for copy in found:
                    yield writer.state(domain.Said.of(noun, copy))
                if len(found) < PART:
                    break
                after = found[-1]
        yield writer.end()

    return StreamingResponse(written(), media_type="application/json")
