"""The hub asks platforms for their changes: small answers, short waits, no redirects."""

from collections.abc import Awaitable, Callable

import httpx
from common import log
from common.errors import Refusal, Unavailable
from common.runtime import Job, Runtime, every
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from hub.members.domain import Membership
from hub.pulls import domain, service
from hub.pulls.domain import Pull

TIMEOUT = httpx.Timeout(10.0, read=30.0)
FIGURES_EVERY_S = 5.0
Known = Callable[[AsyncSession], Awaitable[Membership]]


class Silent(Exception):
    """A feed that gives nothing usable; its text says why."""


def work(known: Known, pepper: bytes | None) -> Job:
    async def pulls(runtime: Runtime) -> None:
        """Fetch from every platform whose turn it is."""
        try:
            while (pull := await _taken_up(runtime)) is not None:
                await _fetch(runtime, pull, known, pepper)
        except Unavailable as error:
            log.get("pulls").info("pulls-wait", error=error.code)

    return pulls


def figures(registry: CollectorRegistry) -> Job:
    """A job that keeps the figures of the feeds that are fetched."""
    failing = Gauge(
        "pull_failures", "How often in a row a feed gave nothing usable", ("node",), registry=registry
    )

    async def figures(runtime: Runtime) -> None:
        async with runtime.transaction() as tx:
            found = await service.failures(tx)
        failing.clear()  # of one that is fetched no more
        for node, count in found.items():
            failing.labels(node).set(count)

    return every(FIGURES_EVERY_S, figures, everywhere=True)


async def _taken_up(runtime: Runtime) -> Pull | None:
    async with runtime.transaction() as tx:
        return await service.take_up(tx, at=runtime.clock())


async def _fetch(runtime: Runtime, pull: Pull, known: Known, pepper: bytes | None) -> None:
    async with runtime.transaction() as tx:
        membership = await known(tx)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if pepper is not None:
            token = await service.token(
                tx, pull.node, membership, runtime.settings, pepper, at=runtime.clock()
            )
            headers["Authorization"] = f"Bearer {token}"
    try:
        async with httpx.AsyncClient(
            headers=headers, timeout=TIMEOUT, follow_redirects=False, trust_env=False
        ) as client:
            for _ in range(domain.PAGES):
                body = await _page(client, pull)
                async with runtime.transaction() as tx:
                    pull, more = await service.take(tx, pull, membership, body, at=runtime.clock())
                if not more:
                    return
    except Unavailable:
        raise
    except (Silent, httpx.HTTPError, httpx.InvalidURL, ValueError, Refusal) as error:
        why = error.code if isinstance(error, Refusal) else str(error) or type(error).__name__
        async with runtime.transaction() as tx:
            await service.fail(tx, pull, why, at=runtime.clock())


async def _page(client: httpx.AsyncClient, pull: Pull) -> bytes:
    """Raises: Silent for anything but a page of a bearable size."""
    query = {"limit": str(domain.PAGE)} | ({"after": pull.cursor} if pull.cursor else {})
    async with client.stream("GET", pull.url, params=query) as answer:
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > domain.MAX_BYTES:
                raise Silent("too-large")
        if answer.status_code == 409 and b"cursor-unknown" in body:
            raise Silent("cursor-unknown")
        if answer.status_code != 200 or answer.headers.get("content-encoding"):
            raise Silent(f"status-{answer.status_code}")
    return bytes(body)
