"""/v1/nodes/{id}/catalogue, /v1/nodes/{id}/snapshots and /v1/catalogue/templates."""

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from common.auth import Principal
from common.db import Tx
from common.errors import Invalid
from common.fields import INT64, NodeId
from common.http import Caller, Now
from common.problems import english
from common.runtime import Runtime
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from hub.changes.lines import EXAMPLE
from hub.deps import Operator, public_rate
from hub.snapshots import service, templates
from hub.snapshots.domain import Snapshot
from hub.snapshots.schemas import SnapshotOut, Snapshots
from hub.uploads.domain import Format

MAX_BYTES = 256 * 1024 * 1024
PART = 1 << 20
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: dict[str, Format] = {
    "application/x-ndjson": "ndjson", "text/csv": "csv", XLSX: "xlsx", "application/json": "hsds",
}  # fmt: skip
BINARY = {"schema": {"type": "string", "format": "binary"}}
BODY = {
    "requestBody": {
        "required": True,
        "description": "The whole catalogue: NDJSON, CSV, a workbook, or JSON in the HSDS 3 profile",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE},
            "text/csv": {"schema": {"type": "string"}},
            XLSX: BINARY,
            "application/json": {"schema": {"type": "object"}},
        },
    }
}
Number = Annotated[int, Path(ge=1, le=INT64)]
Cursor = Annotated[int | None, Query(ge=0, le=INT64)]

router = APIRouter(tags=["catalogue of a platform"])


def _format(request: Request) -> Format:
    """Raises: Invalid."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = FORMATS.get(said)
    if form is None or request.headers.get("content-encoding", "identity") != "identity":
        raise Invalid(
            "unsupported-format",
            zh=f"Content-Type 须为以下之一，且不压缩：{'、'.join(FORMATS)}",
            en=f"the Content-Type must be one of {', '.join(FORMATS)}, without Content-Encoding",
            field="Content-Type",
        )
    return form


async def _received(
    request: Request, id: NodeId, who: Caller, form: Annotated[Format, Depends(_format)]
) -> Snapshot:
    """The file as it came, piece by piece; each is saved by itself, so that nothing large is held open."""
    runtime: Runtime = request.app.state.runtime
    async with runtime.transaction() as tx:
        known = await request.app.state.hub.roster.known(tx)
        snapshot = await service.open_(tx, who, id, form, known, at=runtime.clock())
    try:
        return await _stored(request, runtime, who, snapshot)
    except BaseException:
        async with runtime.transaction() as tx:
            await service.break_off(tx, snapshot, at=runtime.clock())
        raise


async def _stored(request: Request, runtime: Runtime, who: Principal, snapshot: Snapshot) -> Snapshot:
    whole, size = hashlib.sha256(), 0
    number = 0
    async for piece in _pieces(request):
        whole.update(piece)
        size += len(piece)
        async with runtime.transaction() as tx:
            await service.keep(tx, snapshot, number, piece, at=runtime.clock())
        number += 1
    async with runtime.transaction() as tx:
        return await service.close(
            tx, who, snapshot, size_bytes=size, sha256=whole.hexdigest(), at=runtime.clock()
        )


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for chunk in request.stream():
        gathered += chunk
        while len(gathered) >= PART:
            yield bytes(gathered[:PART])
            del gathered[:PART]
    if gathered:
        yield bytes(gathered)


@router.put(
    "/v1/nodes/{id}/catalogue",
    status_code=202,
    summary="提交完整目录 Hand in a whole catalogue",
    max_body_size=MAX_BYTES,
    openapi_extra=BODY,
)
async def put(
    request: Request, response: Response, snapshot: Annotated[Snapshot, Depends(_received)]
) -> SnapshotOut:
    """整份目录：NDJSON、CSV、Excel 或 HSDS JSON，最大 256 MB。暂存后一次切换；删除过多时待核准；进度见 Location。

    The whole catalogue as NDJSON, CSV, a workbook or HSDS JSON, at most 256 MB. It is staged and switched to
    at once; one that would remove too much is held for approval. `Location` tells how it goes.
    """
    response.headers["Location"] = f"/v1/nodes/{snapshot.node}/snapshots/{snapshot.number}"
    return SnapshotOut.told(snapshot, english(request))


@router.get("/v1/nodes/{id}/snapshots", summary="目录快照 Snapshots")
async def page(
    id: NodeId, request: Request, tx: Tx, who: Caller, before: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Snapshots:  # fmt: skip
    """已提交的整份目录，最新在前。Whole catalogues that were handed in, newest first."""
    found, next_before = await service.page(tx, who, id, before=before, limit=limit)
    told = [SnapshotOut.told(snapshot, english(request)) for snapshot in found]
    return Snapshots(items=told, next_before=next_before)


@router.get("/v1/nodes/{id}/snapshots/{number}", summary="快照状态 A snapshot")
async def read(id: NodeId, number: Number, request: Request, tx: Tx, who: Caller) -> SnapshotOut:
    """状态：received、validated、staged，终于 applied、partial、rejected；held 待核准。

    received, validated, staged, and in the end applied, partial or rejected; held waits for approval.
    """
    return SnapshotOut.told(await service.get(tx, who, id, number), english(request))


@router.post("/v1/nodes/{id}/snapshots/{number}/approval", summary="核准快照 Approve a held snapshot")
async def approve(
    id: NodeId, number: Number, request: Request, tx: Tx, who: Operator, now: Now
) -> SnapshotOut:
    """运营人员核准被保留的快照，随后生效。Operators; it is then worked on again and switched to."""
    return SnapshotOut.told(await service.approve(tx, who, id, number, at=now), english(request))


@router.post("/v1/nodes/{id}/snapshots/{number}/discard", summary="放弃快照 Discard a snapshot")
async def discard(id: NodeId, number: Number, request: Request, tx: Tx, who: Caller, now: Now) -> SnapshotOut:
    """放弃尚未生效的快照；目录不变。One that has not ended; the catalogue stays as it is."""
    return SnapshotOut.told(await service.discard(tx, who, id, number, at=now), english(request))


@router.get(
    "/v1/catalogue/templates/{form}",
    summary="目录模板 Templates",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}, XLSX: BINARY}}},
    dependencies=[Depends(public_rate)],
)
async def template(form: Literal["csv", "xlsx"]) -> Response:
    """填写目录的表格模板：首行列名，次行说明，示例行不导入。

    The table to fill in: names of columns, explanations, and examples, which are not imported.
    """
    media = "text/csv; charset=utf-8" if form == "csv" else XLSX
    data = templates.template_csv() if form == "csv" else templates.template_xlsx()
    headers = {"Content-Disposition": f'attachment; filename="catalogue-template.{form}"'}
    return Response(data, media_type=media, headers=headers)
