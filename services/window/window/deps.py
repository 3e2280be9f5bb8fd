"""What a window's routes ask for: the enterprise's side, the network, the intake."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from common.auth import Principal, allow
from common.intake import Intake
from common.node import Topology
from fastapi import Depends, Header, Request
from pydantic import BaseModel

# The enterprise's side. Staff of this window may act for enterprises they registered themselves.
Sme = Annotated[Principal, allow("sme", "window_staff")]


async def _network(request: Request) -> Topology:
    return request.app.state.runtime.settings.network


class Desk:
    """Where a route hands in what may share a transaction with others."""

    def __init__(self, intake: Intake, key: str | None, request_hash: bytes):
        self._intake, self._key, self._hash = intake, key, request_hash

    async def __call__(self, who: Principal, wish: Any, shown: Callable[[Any], BaseModel]) -> Any:
        return await self._intake(
            wish, caller=who.subject, key=self._key, request_hash=self._hash, shown=shown
        )


async def _desk(
    request: Request,
    idempotency_key: Annotated[str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")] = None,
) -> Desk:
    said = (request.method.encode(), request.url.path.encode(), await request.body())
    digest = hashlib.sha256(b"\n".join(said)).digest() if idempotency_key is not None else b""
    return Desk(request.app.state.intake, idempotency_key, digest)


HandIn = Annotated[Desk, Depends(_desk)]
Network = Annotated[Topology, Depends(_network)]
