from typing import Annotated
from uuid import UUID

from common.auth import Principal
from common.contracts.technology import Cooperation, Maturity
from common.db import Tx
from common.errors import Forbidden
from common.fields import OptionalText, Slug
from common.http import PAGE_LIMIT, Caller, Page
from fastapi import APIRouter, Depends, Query
from pydantic import StringConstraints

from hub.catalogue import domain
from hub.catalogue.domain import Search, Technology
from hub.deps import Known, public_rate
from hub.technology import service
from hub.technology.schemas import AchievementOut, NeedOut

router = APIRouter(prefix="/v1/technology", tags=["technology"])

Words = Annotated[OptionalText, StringConstraints(max_length=100)]
STAFF = {"window_staff", "cluster_staff"}


def _works_on_a_platform(who: Principal) -> bool:
    """Staff are far from home at the hub, so `allow` does not fit."""
    return "operator" in who.roles or bool(who.roles & STAFF and who.home)


async def _market_reader(who: Caller) -> Principal:
    if "agency" in who.roles or _works_on_a_platform(who):
        return who
    raise Forbidden(
        "role-needed",
        zh="技术需求仅供服务机构和各平台工作人员查看；您自己的需求请在本窗口平台查看",
        en="technology needs are for agencies and staff of the platforms; see your own demands at your window",
    )


MarketReader = Annotated[Principal, Depends(_market_reader)]


def search(
    known: Known,
    q: Annotated[
        Words | None, Query(description="关键词，空格分隔，须全部包含 Words, all must be found")
    ] = None,
    field: Annotated[Words | None, Query(description="技术领域中的词 Part of its field")] = None,
    cooperation: Annotated[Cooperation | None, Query(description="合作方式 Way of cooperation")] = None,
    category: Annotated[Slug | None, Query(description="服务分类及其下级 Category and all below it")] = None,
) -> Search:
    return Search(
        categories=domain.within(category),
        words=domain.words(q),
        technology=Technology(field=field or None, cooperation=cooperation),
        hidden=known.hidden,
    )


Wanted = Annotated[Search, Depends(search)]


@router.get("/achievements", summary="科技成果 Technology achievements", dependencies=[Depends(public_rate)])
async def achievements(
    tx: Tx,
    wanted: Wanted,
    least_maturity: Annotated[
        Maturity | None, Query(description="技术成熟度不低于 Maturity at least (GB/T 22900)")
    ] = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> Page[AchievementOut]:
    """全区已发布的科技成果；无需令牌。Published achievements of active providers; no token needed."""
    technology = wanted.technology.model_copy(update={"least_maturity": least_maturity})
    found, cursor = await service.achievements(
        tx, wanted.model_copy(update={"technology": technology}), after=after, limit=limit
    )
    return Page(items=[AchievementOut.of(item) for item in found], next_cursor=cursor)


@router.get("/needs", summary="技术需求 Open technology needs")
async def needs(
    tx: Tx,
    who: MarketReader,
    wanted: Wanted,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 50,
) -> Page[NeedOut]:
    """全区尚未授标的技术需求；服务机构看不到企业名称。Open in the whole region; agencies see no names."""
    found, cursor = await service.needs(tx, who, wanted, after=after, limit=limit)
    staff = _works_on_a_platform(who)
    return Page(items=[NeedOut.of(case, for_staff=staff) for case in found], next_cursor=cursor)
