import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from common import db
from common.fields import NodeId
from common.http import Caller
from common.problems import english
from common.runtime import Runtime
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub.messages import domain, service
from hub.messages.schemas import EXAMPLE, LineOut, MessagesOut
from hub.messages.service import Reader

MAX_BYTES = 8 * 1024 * 1024
WAIT_S = 25
# Longer would outlive the caller's token; a reader connects again and loses nothing.
STREAM_S = 600
KEEP_ALIVE_S = 15.0
EVENTS = "text/event-stream"
NDJSON = "application/x-ndjson"
BODY = {
    "requestBody": {
        "required": True,
        "description": "One envelope a line",
        "content": {NDJSON: {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One envelope a line, `feedseq` its position; with `Accept: text/event-stream` one event each",
        "content": {NDJSON: {"schema": {"type": "string"}}},
    }
}

router = APIRouter(prefix="/v1/nodes/{id}/messages", tags=["messages"])


@router.post("", summary="发送消息 Send messages", max_body_size=MAX_BYTES, openapi_extra=BODY)
async def send(id: NodeId, request: Request, who: Caller) -> MessagesOut:
    """每行一个信封（NDJSON，最多 1000 行），与总线上的消息相同；逐行给出结果，重复发送无害。

    One envelope a line, as on the bus: all nouns. A message has its effect once, however often it is sent;
    `parked` was refused and says why; `again` is to be sent unchanged later.
    """
    runtime: Runtime = request.app.state.runtime
    lines = domain.lines(await request.body())
    async with db.begin(runtime.sessions) as tx:
        await service.admit(tx, who, id, speaks=True)
    verdicts = await service.deliver(runtime.inbox, id, lines)
    runtime.wake()
    judged = list(zip(lines, verdicts, strict=True))
    async with db.begin(runtime.sessions) as tx:
        why = await service.refusals(tx, id, [line for line, verdict in judged if verdict == "parked"])
    told: list[LineOut] = []
    for line, verdict in judged:
        out = LineOut(line=line.number, id=line.key, verdict=verdict)
        if verdict == "parked" and (refusal := why.get(line.key)) is not None:
            zh, en = domain.mend(refusal[0])
            message = en if english(request) else zh
            out = out.model_copy(update={"code": refusal[0], "detail": refusal[1], "message": message})
        told.append(out)
    return MessagesOut(
        done=verdicts.count("done"),
        parked=verdicts.count("parked"),
        again=verdicts.count("again"),
        lines=told,
    )


@router.get("", summary="读取消息 Read messages", response_class=Response, responses=ANSWER)
async def read(
    id: NodeId,
    request: Request,
    who: Caller,
    after: Annotated[
        int | None,
        Query(ge=0, le=2**62, description="上一条的 feedseq；缺省为已确认的位置 feedseq of the last one"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    wait: Annotated[int, Query(ge=0, le=WAIT_S, description="无消息时最多等待秒数 Seconds to wait")] = 0,
    seconds: Annotated[
        int, Query(ge=0, le=STREAM_S, description="推送保持时长 How long a stream stays open")
    ] = STREAM_S,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
) -> Response:
    """发给该平台的消息，按 feedseq 顺序；处理并保存后再用心跳的 applied_seq 确认。

    What the network says to the platform, in the order of `feedseq`, without a gap. Ask again with `after`.
    Nothing is forgotten before a heartbeat's `applied_seq` confirms it, so a message that was lost is read
    again. With `Accept: text/event-stream` they are pushed; `Last-Event-ID` goes on where the stream broke.
    """
    runtime: Runtime = request.app.state.runtime
    async with db.begin(runtime.sessions) as tx:
        await service.admit(tx, who, id, speaks=False)
    streamed = EVENTS in request.headers.get("accept", "")
    if streamed and last_event_id is not None:
        after = int(last_event_id)
    reader = Reader(lambda: db.begin(runtime.sessions), id, after, limit)
    if streamed:
        return StreamingResponse(
            _events(reader, seconds), media_type=EVENTS, headers={"Cache-Control": "no-store"}
        )
    async for batch in reader.batches(wait):
        if batch or await request.is_disconnected():
            return Response(b"".join(line + b"\n" for _, line in batch), media_type=NDJSON)
    return Response(b"", media_type=NDJSON)


async def _events(reader: Reader, seconds: float) -> AsyncIterator[bytes]:
    yield b": hubnet\nretry: 3000\n\n"
    quiet = time.monotonic()
    async for batch in reader.batches(seconds):
        for seq, line in batch:
            yield b"id: %d\nevent: message\ndata: %s\n\n" % (seq, line)
        if batch:
            quiet = time.monotonic()
        elif time.monotonic() - quiet > KEEP_ALIVE_S:
            yield b": alive\n\n"
            quiet = time.monotonic()
