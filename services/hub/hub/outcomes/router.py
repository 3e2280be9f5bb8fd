"""/v1/nodes/{id}/snapshots/{number}/outcomes."""

from typing import Annotated

from common.db import Tx
from common.fields import INT64, NodeId
from common.http import Caller
from common.problems import english
from common.runtime import Runtime
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub.changes.domain import Outcome as OutcomeName
from hub.deps import own_node
from hub.outcomes import service
from hub.outcomes.report import chunks
from hub.outcomes.schemas import OutcomeOut, Outcomes

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BINARY = {"schema": {"type": "string", "format": "binary"}}
Number = Annotated[int, Path(ge=1, le=INT64)]
Cursor = Annotated[int | None, Query(ge=0, le=INT64)]

router = APIRouter(tags=["catalogue of a platform"])


@router.get("/v1/nodes/{id}/snapshots/{number}/outcomes", summary="逐行结果 Outcomes by row")
async def outcomes(
    id: NodeId, number: Number, request: Request, tx: Tx, who: Caller,
    outcome: OutcomeName | None = None, after: Cursor = None, limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Outcomes:  # fmt: skip
    """每行的结果；未成功的说明字段、规则与修改办法。Of each row; what was wrong, and how to mend it."""
    found, next_after = await service.page(
        tx, who, id, number, outcome=outcome, after=-1 if after is None else after, limit=limit
    )
    told = [OutcomeOut.told(one, english(request)) for one in found]
    return Outcomes(items=told, next_after=next_after)


@router.get(
    "/v1/nodes/{id}/snapshots/{number}/outcomes.xlsx",
    summary="逐行结果（Excel）Outcomes as a workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: BINARY}, "description": "The rows as they came, with their outcomes"}},
    dependencies=[Depends(own_node)],
)
async def annotated(id: NodeId, number: Number, request: Request, who: Caller) -> Response:
    """原始各列加上结果、字段、规则、修改办法。The columns as they came, and outcome, field, rule and mend."""
    runtime: Runtime = request.app.state.runtime
    file = await service.annotated(runtime.transaction, who, id, number)
    name = f"outcomes-{id}-{number}.xlsx"
    return StreamingResponse(
        chunks(file),
        media_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
