"""An HTTP app of the house: one way to build all four services."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict

from common import clock, comparing, convergence, log, metrics, platforms, problems
from common.auth import Principal, caller
from common.inbox import Routes
from common.runtime import Job, Runtime
from common.settings import Settings

PAGE_LIMIT = 200
T = TypeVar("T")


class In(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Out(BaseModel):
    """An answer: built from a domain value by its field names."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, frozen=True)


class Page(BaseModel, Generic[T]):
    """One page of a list; ask again with `after=next_cursor` until it is null."""

    items: list[T]
    next_cursor: UUID | None = None


async def _now(request: Request) -> datetime:
    return request.app.state.runtime.clock()


# What a route asks for besides its body. A caller is anybody with a token: what they may see, the
# repositories decide.
Caller = Annotated[Principal, Depends(caller)]
Now = Annotated[datetime, Depends(_now)]
After = Annotated[UUID | None, Query(description="next_cursor of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT)]


def release() -> str:
    try:
        return version("hubnet-common")
    except PackageNotFoundError:
        return "0"


def build(
    settings: Settings,
    *,
    title: str,
    summary: str,
    routers: Sequence[APIRouter],
    routes: Routes = (),
    jobs: Sequence[Job] = (),
    now: clock.Clock = clock.system,
    fetch_keys: Callable[[Runtime], Callable[[], Awaitable[dict[str, Any]]]] | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """Compose a service from its slices. Nothing moves before the app's lifespan starts.

    Shape: `registry` holds figures of the service's own, served beside the common ones.
    """
    if settings.me.kind != "hub":
        routes = (*convergence.Own(settings, now).routes, *platforms.routes, *routes)
    if settings.me.kind in ("window", "cluster"):
        jobs = (*jobs, comparing.compare)
    runtime = Runtime(settings, routes, release=release(), jobs=jobs, now=now)
    if fetch_keys is not None:
        runtime.verifier.fetch = fetch_keys(runtime)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log.configure(settings.node, settings.log_level)
        await runtime.start()
        yield
        await runtime.stop()

    app = FastAPIOffline(
        title=title,
        summary=summary,
        version=release(),
        lifespan=lifespan,
        max_body_size=settings.max_body_bytes,
        redoc_url=None,
        responses=problems.RESPONSES,
        swagger_ui_parameters={"persistAuthorization": True},
    )
    app.state.runtime = runtime
    problems.install(app)
    metrics.install(app, runtime, registry or CollectorRegistry())
    # First: the routes of a router are worked out when a request comes to it, and takes 10 MB for all;
    # one that only asks whether the service is ready is answered before that.
    for router in (_operations(runtime), *routers):
        app.include_router(router)
    return app


def _operations(runtime: Runtime) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Is the process alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive", "node": runtime.settings.node}

    @router.get("/readyz", summary="Can it do its work")
    async def readyz() -> JSONResponse:
        """Ready while the database is there. Without the bus work goes on and waits in the outbox."""
        ready = await runtime.database_ready()
        missing = [] if runtime.bus.connected or runtime.settings.nkey_seed_file is None else ["bus"]
        outage = runtime.bus.outage if missing else None
        if runtime.heart.fenced is not None:
            missing.append("fenced")  # the hub holds what this node says: see docs/operations.md
        body = {
            "status": "ready" if ready else "not-ready",
            "node": runtime.settings.node,
            "degraded": missing,
            "why": {"bus": asdict(outage)} if outage else {},
        }
        return JSONResponse(body, 200 if ready else 503)

    return router
