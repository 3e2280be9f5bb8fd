"""Send again what failed on the way or was told to wait, where that is safe."""

import asyncio
import time
from typing import Any

import httpx

from hubnet_client.refusals import Refused

PATIENCE_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
LONGEST_WAIT_S = 65.0  # a caller's rate is counted per minute
REPEATABLE = {"GET", "HEAD", "PUT", "DELETE"}
KEY = "Idempotency-Key"
# To do these twice is to do them once; `extensions=REPEAT` says so of another call.
HARMLESS = ("/oauth/token", "/messages", "/heartbeats")
REPEAT = {"hubnet.repeat": True}
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Waiting:
    """How long to wait before the same call is sent again.

    Shape: a service that is away or says when to come back is waited for until the patience ends; one that
    counts calls until its minute is over. A call that may have been done is repeated only if that is harmless.
    """

    def __init__(self, patience_s: float):
        self._deadline = time.monotonic() + patience_s
        self._pause = FIRST_PAUSE_S

    def after(self, error: httpx.TransportError | Refused) -> float | None:
        """Seconds, or None: no more."""
        wait = self._pause
        if isinstance(error, Refused):
            counted = error.status == 429
            if not (
                counted or error.status >= 500 or (error.status == 409 and error.retry_after_s is not None)
            ):
                return None
            wait = max(wait, min(error.retry_after_s or 0.0, LONGEST_WAIT_S))
            if counted:
                self._deadline = max(self._deadline, time.monotonic() + wait + 1)
        elif not _harmless(error):
            return None
        if time.monotonic() + wait > self._deadline:
            return None
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S)
        return wait


def _harmless(error: httpx.TransportError) -> bool:
    request = error.request
    return (
        isinstance(error, NEVER_SENT)
        or request.method in REPEATABLE
        or KEY in request.headers
        or request.url.path.endswith(HARMLESS)
        or "hubnet.repeat" in request.extensions
    )


class Patient(httpx.Client):
    """Sends again, within its patience."""

    def __init__(self, *args: Any, patience_s: float = PATIENCE_S, **options: Any):
        super().__init__(*args, **options)
        self.patience_s = patience_s

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        waiting = Waiting(self.patience_s)
        while True:
            try:
                return super().send(request, **options)
            except (httpx.TransportError, Refused) as error:
                if (wait := waiting.after(error)) is None:
                    raise
            time.sleep(wait)


class AsyncPatient(httpx.AsyncClient):
    """Sends again, within its patience."""

    def __init__(self, *args: Any, patience_s: float = PATIENCE_S, **options: Any):
        super().__init__(*args, **options)
        self.patience_s = patience_s

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        waiting = Waiting(self.patience_s)
        while True:
            try:
                return await super().send(request, **options)
            except (httpx.TransportError, Refused) as error:
                if (wait := waiting.after(error)) is None:
                    raise
            await asyncio.sleep(wait)
