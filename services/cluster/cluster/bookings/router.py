"""/v1/bookings, and what of /v1/resources touches bookings."""

from typing import Annotated
from uuid import UUID

from agency.deps import AgencyOrStaff
from common.contracts.bookings import BookingState
from common.db import Tx
from common.fields import Moment
from common.http import After, Caller, Limit, Now, Page
from common.idempotency import OnlyOnce
from common.preconditions import tagged
from fastapi import APIRouter, Query, Response

from cluster.bookings import repository, service
from cluster.bookings.schemas import (
    BookingIn,
    BookingOut,
    CalendarOut,
    CancellationIn,
    CompletionIn,
    ResourceRetirementIn,
    ResourceRetirementOut,
    SpanOut,
    shown,
)
from cluster.deps import Booker, Hold

router = APIRouter(prefix="/v1", tags=["bookings"])


@router.get("/resources/{id}/calendar", summary="日历 / Busy and free times")
async def calendar(
    id: UUID,
    who: Caller,
    tx: Tx,
    now: Now,
    since: Annotated[Moment, Query(alias="from")],
    until: Annotated[Moment, Query(alias="to")],
) -> CalendarOut:
    """只给出时段，不显示预约人；区间最长92天。Times only, never who; at most 92 days."""
    busy, free = await service.calendar(tx, who, id, since, until, at=now)
    return CalendarOut(
        resource_id=id,
        busy=tuple(SpanOut(starts_at=start, ends_at=end) for start, end in busy),
        free=tuple(SpanOut(starts_at=start, ends_at=end) for start, end in free),
    )


@router.post("/resources/{id}/bookings", status_code=201, summary="预约 / Book a resource")
async def hold(
    id: UUID, body: BookingIn, who: Booker, tx: Tx, now: Now, ttl: Hold, once: OnlyOnce, response: Response
) -> BookingOut:
    """时段先行保留，机构在 held_until 前确认，否则自动释放。Held at once; free again unless confirmed in time."""

    async def act() -> BookingOut:
        return tagged(response, shown(await service.hold(tx, who, id, body, ttl=ttl, at=now), who))

    return await once(act)


@router.post("/resources/{id}/retirement", summary="下架共享资源 / Retire a resource")
async def retire(
    id: UUID,
    who: AgencyOrStaff,
    tx: Tx,
    now: Now,
    once: OnlyOnce,
    response: Response,
    body: ResourceRetirementIn | None = None,
) -> ResourceRetirementOut:
    """尚未开始的预约一并取消，目录中的服务同时下架。Its bookings are cancelled, its offering is retired."""

    async def act() -> ResourceRetirementOut:
        done = await service.retire_resource(tx, who, id, body and body.reason, at=now)
        return tagged(response, ResourceRetirementOut.model_validate(done))

    return await once(act, 200)


@router.get("/bookings", summary="预约列表 / List bookings")
async def listing(
    who: Caller,
    tx: Tx,
    resource_id: UUID | None = None,
    state: Annotated[BookingState | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[BookingOut]:
    """自己提出的，以及对自己资源提出的。Those one made, and those made of one's resources."""
    found, cursor = await repository.page(
        tx, who, resource_id=resource_id, state=state, after=after, limit=limit
    )
    return Page(items=[shown(booking, who) for booking in found], next_cursor=cursor)


@router.get("/bookings/{id}", summary="预约详情 / Read a booking")
async def read(id: UUID, who: Caller, tx: Tx, response: Response) -> BookingOut:
    return tagged(response, shown(await service.get(tx, who, id), who))


@router.post("/bookings/{id}/confirmation", summary="确认预约 / Confirm a booking")
async def confirm(
    id: UUID, who: AgencyOrStaff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> BookingOut:
    """由资源所属机构或工作人员确认。By the laboratory or staff."""

    async def act() -> BookingOut:
        return tagged(response, shown(await service.confirm(tx, who, id, at=now), who))

    return await once(act, 200)


@router.post("/bookings/{id}/cancellation", summary="取消预约 / Cancel a booking")
async def cancel(
    id: UUID, body: CancellationIn, who: Caller, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> BookingOut:
    """双方均可取消，须写明原因。By either party, with a reason."""

    async def act() -> BookingOut:
        return tagged(response, shown(await service.cancel(tx, who, id, body.reason, at=now), who))

    return await once(act, 200)


@router.post("/bookings/{id}/completion", summary="登记完成 / Complete a booking")
async def complete(
    id: UUID, body: CompletionIn, who: AgencyOrStaff, tx: Tx, now: Now, once: OnlyOnce, response: Response
) -> BookingOut:
    """由资源所属机构登记实际机时。The laboratory reports the hours the machine ran."""

    async def act() -> BookingOut:
        return tagged(response, shown(await service.complete(tx, who, id, body.machine_hours, at=now), who))

    return await once(act, 200)
