"""The same POST twice is one act: same key and body, same answer; same key, other body, refused."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from common import db
from common.auth import Principal, caller
from common.errors import Conflict, Invalid
from common.tables import IdempotencyRow

Action = Callable[[], Awaitable[BaseModel]]

INSERT = db.into(IdempotencyRow)


def reused() -> Invalid:
    return Invalid(
        "idempotency-key-reused",
        zh="该 Idempotency-Key 已用于另一请求；请为新请求换一个键",
        en="this Idempotency-Key was used for another request; take a new key for a new request",
        field="Idempotency-Key",
    )


def in_progress() -> Conflict:
    return Conflict(
        "idempotency-in-progress",
        zh="同一 Idempotency-Key 的请求正在处理；请稍后以相同内容重试",
        en="a request with this Idempotency-Key is being handled; repeat it unchanged in a moment",
        field="Idempotency-Key",
        retry_after_s=1,
    )


def replayed(answer: str, status: int) -> Response:
    return Response(answer, status, {"Idempotency-Replayed": "true"}, media_type="application/json")


class Once:
    """Runs an action at most once per caller and `Idempotency-Key`, within the caller's transaction."""

    def __init__(self, request: Request, tx: AsyncSession, who: Principal, key: str | None, body: bytes):
        self._tx, self._who, self._key = tx, who, key
        self._hash = hashlib.sha256(
            b"\n".join((request.method.encode(), request.url.path.encode(), body))
        ).digest()

    async def __call__(self, action: Action, status: int = 201) -> Any:
        """The action's answer, or the stored one of the first time.

        Raises: Invalid when the key was used with another request; Conflict when the first is still running.
        """
        if self._key is None:
            return await action()
        found = (
            await self._tx.execute(
                select(IdempotencyRow).where(
                    IdempotencyRow.caller == self._who.subject, IdempotencyRow.key == self._key
                )
            )
        ).scalar_one_or_none()
        if found is not None:
            if found.request_hash != self._hash:
                raise reused()
            return replayed(found.answer, found.status)
        answer = await action()
        stored = answer.model_dump_json(by_alias=True)
        try:
            await self._tx.execute(
                INSERT,
                {
                    "caller": self._who.subject,
                    "key": self._key,
                    "request_hash": self._hash,
                    "status": status,
                    "answer": stored,
                },
            )
        except IntegrityError as error:
            # The same key won in between; our work rolls back and the caller asks again for its answer.
            raise in_progress() from error
        return answer


async def once(
    request: Request,
    tx: db.Tx,
    who: Annotated[Principal, Depends(caller)],
    idempotency_key: Annotated[str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")] = None,
) -> Once:
    return Once(request, tx, who, idempotency_key, await request.body())


OnlyOnce = Annotated[Once, Depends(once)]
