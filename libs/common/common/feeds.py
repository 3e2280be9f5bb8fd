"""A feed of newest states, read by position: nothing is lost under concurrent commits, nothing is held open.

Rows carry the transaction that wrote them last. Those of transactions older than the oldest open one are
settled: the feed shows these alone, in the order of transactions, so no row can appear behind a reader.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from common import db
from common.errors import Conflict, Invalid, Unavailable

LIMIT = 1000
WAIT_S = 25
# A reader that waits looks again so soon: the news is visible a second after its commit at the latest.
LOOK_S = 0.5
STREAM_S = 600
KEEP_ALIVE_S = 15.0
READERS = 200
MEDIA = "text/event-stream"
_FORM = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_LOW, _HIGH = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, order=True)
class Position:
    """Behind a row: its transaction, the rank of its noun, its id."""

    xid: int = 0
    rank: int = 0
    id: UUID = _LOW

    def text(self) -> str:
        raw = self.xid.to_bytes(8) + bytes([self.rank]) + self.id.bytes
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def bound(self, rank: int) -> UUID:
        """The id that a row of a noun must be beyond, in the transaction of this position."""
        return self.id if rank == self.rank else _LOW if rank > self.rank else _HIGH


START = Position()


def position(cursor: str | None) -> Position:
    """Raises: Invalid for what is no cursor of ours."""
    if cursor is None:
        return START
    try:
        if not _FORM.match(cursor):
            raise ValueError
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found = Position(int.from_bytes(raw[:8]), raw[8], UUID(bytes=raw[9:]))
    except (ValueError, IndexError, binascii.Error):
        raise Invalid(
            "bad-cursor",
            zh="游标无法识别；请使用上次应答中的 next_cursor，或不带 after 从头读取",
            en="this is no cursor; use next_cursor of an answer, or leave after out to read from the start",
            field="after",
        ) from None
    if found.xid >= 2**63:
        raise foreign()
    return found


def foreign() -> Conflict:
    return Conflict(
        "cursor-unknown",
        zh="游标来自另一数据库（可能已由备份恢复）；请不带 after 从头读取",
        en="this cursor is of another database, as after a restore; read from the start without after",
        field="after",
    )


class Changed(BaseModel):
    """The newest state of a record: as a line of a hand-in, with its content hash."""

    noun: str
    id: UUID
    epoch: int
    version: int
    deleted: bool
    content_hash: str
    data: dict[str, Any]


class Changes(BaseModel):
    """Changes in the order they were committed. Ask again with `after=next_cursor`; `more`: at once."""

    items: list[Changed]
    next_cursor: str
    more: bool


@dataclass(frozen=True)
class Source:
    """Where a noun's rows are.

    Shape: `query` gives changed_xid, id, epoch, version, deleted, content_hash, body of the rows with
    `$1`; ranks order the nouns of one transaction.
    """

    noun: str
    query: str


def statement(sources: Sequence[Source]) -> str:
    """SQL for a page: `$1` whose, `$2` the position's transaction, `$3` the limit, then a bound a source."""
    parts = [
        f"(SELECT s.changed_xid, {rank} AS rank, '{source.noun}' AS noun, s.id, s.epoch, s.version, s.deleted,"
        f" s.content_hash, s.body FROM ({source.query}) s, now"
        f" WHERE (s.changed_xid, s.id) > ($2::bigint, ${rank + 4}::uuid) AND s.changed_xid < now.horizon"
        " ORDER BY s.changed_xid, s.id LIMIT $3::bigint)"
        for rank, source in enumerate(sources)
    ]
    return (
        "WITH now AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon)"
        " SELECT now.horizon, p.* FROM now LEFT JOIN LATERAL ("
        + " UNION ALL ".join(parts)
        + " ORDER BY changed_xid, rank, id LIMIT $3::bigint) p ON true"
        " ORDER BY p.changed_xid, p.rank, p.id"
    )


async def page(
    tx: AsyncSession, sources: Sequence[Source], whose: str, after: Position, limit: int
) -> Changes:
    """The changes behind a position.

    Raises: Conflict for a position that lies ahead of this database.
    """
    bounds = [after.bound(rank) for rank in range(len(sources))]
    connection = await tx.connection()
    rows = (
        await connection.exec_driver_sql(statement(sources), (whose, after.xid, limit + 1, *bounds))
    ).all()
    if after.xid >= rows[0].horizon:
        raise foreign()
    found = [row for row in rows if row.id is not None]
    shown = found[:limit]
    last = after if not shown else Position(shown[-1].changed_xid, shown[-1].rank, shown[-1].id)
    items = [
        Changed(
            noun=row.noun, id=row.id, epoch=row.epoch, version=row.version, deleted=row.deleted,
            content_hash=row.content_hash, data=row.body,
        )
        for row in shown
    ]  # fmt: skip
    return Changes(items=items, next_cursor=last.text(), more=len(found) > limit)


Read = Callable[[AsyncSession, Position, int], Awaitable[Changes]]


class Readers:
    """Those who wait for changes in this process. Each looks again by itself; there are not too many."""

    def __init__(self, begin: Callable[[], AbstractAsyncContextManager[AsyncSession]]):
        self._begin = begin
        self._waiting = 0

    async def answer(self, request: Request, read: Read, asked: "Asked") -> Response:
        """A page as JSON, or changes as server-sent events where the caller wants those.

        Raises: Invalid, Conflict for the cursor; Unavailable when too many wait.
        """
        streamed = MEDIA in request.headers.get("accept", "")
        after = position(asked.last_event_id if streamed and asked.last_event_id else asked.after)
        first = await self._look(read, after, asked.limit)
        if streamed:
            self._room()
            return StreamingResponse(
                self._events(request, read, first, asked),
                media_type=MEDIA,
                headers={"Cache-Control": "no-store"},
            )
        if not first.items and asked.wait:
            self._room()
            first = await self._wait(request, read, after, asked)
        return Response(first.model_dump_json(), media_type="application/json")

    def _room(self) -> None:
        if self._waiting >= READERS:
            raise Unavailable(
                "readers-full",
                zh="当前等待变更的连接过多；请稍后重试，或不带 wait 查询",
                en="too many readers wait for changes; ask again later, or without wait",
                retry_after_s=30,
            )

    async def _look(self, read: Read, after: Position, limit: int) -> Changes:
        async with self._begin() as tx:
            return await read(tx, after, limit)

    async def _wait(self, request: Request, read: Read, after: Position, asked: "Asked") -> Changes:
        clock = asyncio.get_running_loop().time
        until = clock() + asked.wait
        self._waiting += 1
        try:
            while True:
                await asyncio.sleep(min(LOOK_S, max(0.0, until - clock())))
                found = await self._look(read, after, asked.limit)
                if found.items or clock() >= until or await request.is_disconnected():
                    return found
        finally:
            self._waiting -= 1

    async def _events(
        self, request: Request, read: Read, page: Changes, asked: "Asked"
    ) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        until = quiet = clock()
        until += asked.seconds
        self._waiting += 1
        try:
            yield f": hubnet\nretry: 3000\nid: {page.next_cursor}\n\n"
            while True:
                if page.items:
                    yield _block(page)
                    quiet = clock()
                elif clock() - quiet > KEEP_ALIVE_S:
                    yield ": alive\n\n"
                    quiet = clock()
                if not page.more:
                    if clock() >= until:
                        return
                    await asyncio.sleep(min(LOOK_S, until - clock()))
                page = await self._look(read, position(page.next_cursor), asked.limit)
        except Unavailable:
            return  # the database is away: the reader connects again with its position
        finally:
            self._waiting -= 1


def _block(page: Changes) -> str:
    """One event a change; the position goes with the last, so that a cut repeats and never skips."""
    events = [f"event: change\ndata: {item.model_dump_json()}\n" for item in page.items]
    events[-1] += f"id: {page.next_cursor}\n"
    return "\n".join(events) + "\n"


class Asked(BaseModel):
    """What a reader asks for."""

    after: str | None
    limit: int
    wait: int
    seconds: int
    last_event_id: str | None


async def asked(
    after: Annotated[
        str | None, Query(max_length=64, description="上次的 next_cursor · next_cursor of the answer before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = 200,
    wait: Annotated[int, Query(ge=0, le=WAIT_S, description="无变更时最多等待秒数 · Seconds to wait")] = 0,
    seconds: Annotated[
        int, Query(ge=0, le=STREAM_S, description="推送保持时长 · How long a stream stays open")
    ] = STREAM_S,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> Asked:
    return Asked(after=after, limit=limit, wait=wait, seconds=seconds, last_event_id=last_event_id)


def _followers(request: Request) -> Readers:
    """Those of this app."""
    state = request.app.state
    if not hasattr(state, "followers"):
        sessions = state.runtime.sessions
        state.followers = Readers(lambda: db.begin(sessions))
    return state.followers


Followers = Annotated[Readers, Depends(_followers)]
Wanted = Annotated[Asked, Depends(asked)]
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Changes,
        "description": "A page; with `Accept: text/event-stream` an event `change` for each",
    }
}
