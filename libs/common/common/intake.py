"""Calls that arrive together share one transaction: the HTTP twin of the inbox.

A commit costs a write to the disk, and each statement a turn of the interpreter; sixteen callers at
once pay them once. A call that comes alone does not wait. Each is answered after the commit that holds
it: together if all goes well, else one by one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from common import db
from common.errors import Refusal, Unavailable
from common.idempotency import in_progress, replayed, reused
from common.preconditions import etag
from common.tables import IdempotencyRow

_KEYS = IdempotencyRow.__table__
AT_MOST = 64
GATHER_S = 0.003

# Does the work of many calls in one transaction: a value or a refusal for each, in order.
Work = Callable[[AsyncSession, Sequence[Any]], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, eq=False)
class Call:
    """One caller's wish, and where the answer goes."""

    wish: Any
    caller: str
    key: str | None
    request_hash: bytes
    shown: Callable[[Any], BaseModel]
    answered: asyncio.Future[Any]

    def settle(self, answer: Any) -> None:
        if self.answered.done():
            return  # the caller has gone; what was committed stays
        if isinstance(answer, BaseException):
            self.answered.set_exception(answer)
        else:
            self.answered.set_result(answer)


class Intake:
    """One for each kind of call of an app."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], wake: Callable[[], None], work: Work):
        self._sessions, self._wake, self._work = sessions, wake, work
        self._waiting: list[Call] = []
        self._busy: asyncio.Task[None] | None = None

    async def __call__(
        self,
        wish: Any,
        *,
        caller: str,
        key: str | None,
        request_hash: bytes,
        shown: Callable[[Any], BaseModel],
    ) -> Any:
        """The answer, or the stored one when the key was used for the same request before.

        Raises: what the work refuses; Invalid when the key was used with another request.
        """
        answered = asyncio.get_running_loop().create_future()
        self._waiting.append(Call(wish, caller, key, request_hash, shown, answered))
        if self._busy is None:
            self._busy = asyncio.create_task(self._drain(), context=Context())
        return await answered

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, later = _split(self._waiting)
                self._waiting = later
                await self._settle(batch)
                if len(batch) > 1:
                    # Those just answered are about to call again: let them share the next one.
                    await asyncio.sleep(GATHER_S)
        finally:
            self._busy = None

    async def _settle(self, batch: Sequence[Call]) -> None:
        try:
            answers = await self._together(batch)
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for call in batch:
                    await self._settle([call])
                return
            answers = [error] * len(batch)
        for call, answer in zip(batch, answers, strict=True):
            call.settle(answer)
        self._wake()

    async def _together(self, batch: Sequence[Call]) -> Sequence[Any]:
        async with db.begin(self._sessions) as tx:
            answers = await _remembered(tx, batch)
            fresh = [call for call in batch if call not in answers]
            done = await self._work(tx, [call.wish for call in fresh]) if fresh else ()
            for call, value in zip(fresh, done, strict=True):
                answers[call] = value if isinstance(value, Refusal) else _answer(call.shown(value))
            await _remember(tx, [(call, answers[call]) for call in fresh if call.key is not None])
        return [answers[call] for call in batch]


def _split(waiting: Sequence[Call]) -> tuple[list[Call], list[Call]]:
    """Whom to serve now; a second call with the same key waits for the answer of the first."""
    now: list[Call] = []
    later: list[Call] = []
    keys: set[tuple[str, str]] = set()
    for call in waiting:
        twice = call.key is not None and (call.caller, call.key) in keys
        (later if twice or len(now) == AT_MOST else now).append(call)
        if call.key is not None:
            keys.add((call.caller, call.key))
    return now, later


async def _remembered(tx: AsyncSession, batch: Sequence[Call]) -> dict[Call, Any]:
    """What was answered before, for the calls whose key is known."""
    keyed = {(call.caller, call.key): call for call in batch if call.key is not None}
    if not keyed:
        return {}
    pair = tuple_(_KEYS.c.caller, _KEYS.c.key)
    answers: dict[Call, Any] = {}
    for row in await tx.execute(select(_KEYS).where(pair.in_(keyed))):
        call = keyed[row.caller, row.key]
        same = row.request_hash == call.request_hash
        answers[call] = replayed(row.answer, row.status) if same else reused()
    return answers


def _answer(shown: BaseModel) -> Response:
    """Written once, for the caller and for the same key later."""
    text = shown.model_dump_json(by_alias=True)
    return Response(text, 201, {"ETag": etag(shown)}, media_type="application/json")


async def _remember(tx: AsyncSession, answered: Sequence[tuple[Call, Any]]) -> None:
    rows = [
        {
            "caller": call.caller,
            "key": call.key,
            "request_hash": "\\x" + call.request_hash.hex(),
            "status": answer.status_code,
            "answer": bytes(answer.body).decode(),
        }
        for call, answer in answered
        if not isinstance(answer, Refusal)
    ]
    if not rows:
        return
    try:
        await db.add_all(tx, IdempotencyRow, rows)
    except IntegrityError as error:
        # Another process of this service won with the same key; ours rolls back.
        raise in_progress() from error
