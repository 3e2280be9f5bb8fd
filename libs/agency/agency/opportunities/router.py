"""/v1/opportunities: open demands that fit what the caller's providers offer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from anyio import BrokenResourceError
from common.db import Tx
from common.errors import Unavailable
from common.http import After, Limit, Now, Page
from common.idempotency import OnlyOnce
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from agency.deps import Agency, AgencyOrStaff
from agency.opportunities import repository, service
from agency.opportunities.domain import OpportunityState
from agency.opportunities.schemas import DismissalIn, OpportunityOut, UnreadOut
from agency.opportunities.service import Watch

router = APIRouter(prefix="/v1/opportunities", tags=["opportunities"])

# Longer would outlive the caller's token; a client connects again by itself and loses nothing.
STAY_S = 600
# A notification may get lost with its connection: then this is how late one is.
LOOK_AGAIN_S = 10.0
RETRY_MS = 1000


@router.get("", summary="商机列表 · List opportunities")
async def listing(
    who: AgencyOrStaff,
    tx: Tx,
    provider_id: UUID | None = None,
    offering_id: UUID | None = None,
    state: OpportunityState | None = None,
    dismissed: Annotated[
        bool, Query(description="已忽略的商机 · Those of no interest instead of the others")
    ] = False,
    after: After = None,
    limit: Limit = 50,
) -> Page[OpportunityOut]:
    """机构只看到自己的，工作人员看到本平台全部；最新的在前。Agencies see their own, staff all; newest first."""
    found, cursor = await repository.page(
        tx,
        who,
        provider_id=provider_id,
        offering_id=offering_id,
        state=state,
        dismissed=dismissed,
        after=after,
        limit=limit,
    )
    return Page(items=[OpportunityOut.model_validate(value) for value in found], next_cursor=cursor)


@router.get("/unread", summary="未读商机数 · Count what is unread")
async def unread(who: AgencyOrStaff, tx: Tx) -> UnreadOut:
    return UnreadOut(unread=await repository.unread(tx, who))


async def _watch(request: Request, who: AgencyOrStaff) -> AsyncIterator[Watch]:
    try:
        with service.watching(request.app.state, who) as watch:
            yield watch
    except* BrokenResourceError:
        # FastAPI 0.165 closes its own pipe before it stops filling it: a client that leaves while an event
        # is on its way would be logged as a fault of ours.
        pass


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    summary="商机实时推送 · Opportunities as they come, as server-sent events",
)
async def stream(
    request: Request,
    who: AgencyOrStaff,
    watch: Annotated[Watch, Depends(_watch)],
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
    seconds: Annotated[int, Query(ge=0, le=STAY_S, description="保持时长 · How long it stays open")] = STAY_S,
) -> AsyncIterator[ServerSentEvent]:
    """先发 ready（未读数），随后每有商机发 found 或 closed；断线后带 Last-Event-ID 重连，不漏不重。

    `ready` tells how many are unread; then `found` or `closed` with the whole opportunity for each change.
    Connect again with Last-Event-ID to go on without a loss or a double. Open the stream before you read
    the list, and nothing falls between the two. A further stream than three of one caller ends the oldest.
    """
    reader = service.Reader(
        request.app.state.runtime, who, None if last_event_id is None else int(last_event_id)
    )
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    try:
        count = await reader.start()
        yield ServerSentEvent(
            event="ready", id=str(reader.position), retry=RETRY_MS, data=UnreadOut(unread=count)
        )
        while not watch.ended:
            found, more = await reader.more()
            for value in found:
                yield ServerSentEvent(
                    event="found" if value.state == "open" else "closed",
                    id=str(value.position),
                    data=OpportunityOut.model_validate(value),
                )
            if more:
                continue
            if clock() >= until:
                return
            await watch.wait(min(LOOK_AGAIN_S, until - clock()))
    except Unavailable:
        return  # the database is away: the client connects again when it is back


@router.get("/{id}", summary="商机详情 · Read an opportunity")
async def read(id: UUID, who: AgencyOrStaff, tx: Tx) -> OpportunityOut:
    return OpportunityOut.model_validate(await service.get(tx, who, id))


@router.post("/{id}/viewing", summary="已查看 · Note that it was read")
async def view(id: UUID, who: Agency, tx: Tx, now: Now, once: OnlyOnce) -> OpportunityOut:
    async def act() -> OpportunityOut:
        return OpportunityOut.model_validate(await service.view(tx, who, id, at=now))

    return await once(act, 200)


@router.post("/{id}/dismissal", summary="不感兴趣 · Dismiss an opportunity")
async def dismiss(
    id: UUID, who: Agency, tx: Tx, now: Now, once: OnlyOnce, body: DismissalIn | None = None
) -> OpportunityOut:
    """仅本平台知晓，不会告知需求方。Known to this platform alone; the enterprise is not told."""

    async def act() -> OpportunityOut:
        done = await service.dismiss(tx, who, id, body and body.reason, at=now)
        return OpportunityOut.model_validate(done)

    return await once(act, 200)
