"""Versions of the weights, and the cases they are learnt from. For operators."""

from collections.abc import AsyncIterator
from typing import Annotated

from common import db
from common.db import Tx
from common.fields import Slug
from common.http import Now
from common.idempotency import OnlyOnce
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import StreamingResponse

from matchmaking.deps import Operator
from matchmaking.rankings import service
from matchmaking.rankings.cases import Case
from matchmaking.rankings.domain import Ranking
from matchmaking.rankings.schemas import WeightsIn, WeightsListOut, WeightsOut
from matchmaking.rankings.service import Shown

router = APIRouter(tags=["weights"])
Version = Annotated[Slug, Path(description="权重版本 · The version's name")]


class Lines(StreamingResponse):
    """One JSON value a line."""

    media_type = "application/x-ndjson"


async def _shown(request: Request) -> Shown:
    return request.app.state.shown


Results = Annotated[Shown, Depends(_shown)]


def _out(ranking: Ranking) -> WeightsOut:
    """What was never measured has no figures."""
    return WeightsOut.model_validate(ranking.model_dump() | {"evaluation": ranking.evaluation or None})


@router.get("/v1/weights", summary="权重版本列表 · All versions of the weights")
async def overview(who: Operator, tx: Tx) -> WeightsListOut:
    """最新的在前，随软件发布的版本在最后；恰有一个为现行版本。Newest first, the release's last; exactly one is active."""
    return WeightsListOut(items=tuple(_out(ranking) for ranking in await service.every(tx, who)))


@router.get("/v1/weights/{version}", summary="查看一个权重版本 · One version of the weights")
async def read(version: Version, who: Operator, tx: Tx) -> WeightsOut:
    """权重、来源、评测与启停记录。Its figures, where they come from, how it was measured and when it ranked."""
    return _out(await service.get(tx, who, version))


@router.post("/v1/weights", status_code=201, summary="提交候选权重 · Submit a candidate")
async def submit(
    body: WeightsIn, who: Operator, tx: Tx, now: Now, once: OnlyOnce, shown: Results
) -> WeightsOut:
    """只改变各分项权重；本服务用自己的留出案例重新评测，不采信随附结果。提交不影响现行版本。

    Only the components' weights may differ. It is measured here, whatever is claimed; nothing ranks by it yet.
    """

    async def act() -> WeightsOut:
        return _out(
            await service.submit(
                tx,
                who,
                body.document,
                trained_on=body.trained_on,
                claimed=body.evaluation,
                shown=shown,
                at=now,
            )
        )

    return await once(act)


@router.post(
    "/v1/weights/{version}/activation", status_code=201, summary="启用权重版本 · Rank by this version"
)
async def activate(
    version: Version, who: Operator, tx: Tx, now: Now, once: OnlyOnce, shown: Results
) -> WeightsOut:
    """启用前重新评测：留出案例不少于 100 个，且 nDCG@10 差值的 95% 区间大于 0，否则拒绝。

    Measured again first: at least 100 held-out cases, and the difference's 95 % interval above 0.
    """

    async def act() -> WeightsOut:
        return _out(await service.activate(tx, who, version, shown=shown, at=now))

    return await once(act)


@router.post("/v1/weights/{version}/retirement", status_code=201, summary="停用权重版本 · Rank by it no more")
async def retire(version: Version, who: Operator, tx: Tx, now: Now, once: OnlyOnce) -> WeightsOut:
    """现行版本停用后，恢复上一个版本。When the active one is retired, the one before it is active again."""

    async def act() -> WeightsOut:
        return _out(await service.retire(tx, who, version, at=now))

    return await once(act)


@router.get(
    "/v1/outcomes/cases",
    summary="导出学习案例 · Cases to learn from",
    response_class=Lines,
    responses={
        200: {
            "description": "One case a line",
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    },
)
async def export(request: Request, who: Operator, shown: Results) -> Lines:
    """每行一个已有结果的需求：所展示的候选、加权前各分项、展示位次与结果（0–4）。不含任何名称与金额。

    One demand that ended a line: the candidates shown, their components before weighting, their rank and
    what each came to, 0–4. No names, no amounts.
    """

    async def lines() -> AsyncIterator[str]:
        after, more = None, True
        while more:
            # A transaction for each part: a slow reader holds none open.
            async with db.begin(request.app.state.runtime.sessions) as tx:
                found, after = await service.learnable(tx, who, after, shown=shown)
            for case in found:
                yield _line(case)
            more = after is not None

    return Lines(lines())


def _line(case: Case) -> str:
    return f"{case.model_dump_json()}\n"
