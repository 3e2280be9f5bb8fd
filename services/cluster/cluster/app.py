"""A cluster platform as an HTTP app."""

from agency import slices as agency
from common import clock
from common.http import build
from common.runtime import every
from common.settings import Settings
from fastapi import FastAPI

from cluster import jobs
from cluster.bookings.router import router as bookings
from cluster.resources.router import router as resources


def create_app(settings: Settings, now: clock.Clock = clock.system) -> FastAPI:
    node = settings.me
    return build(
        settings,
        title=f"{node.zh} {node.en}",
        summary="产业集群平台：共享仪器、预约与服务 / Cluster platform: shared instruments, bookings, services",
        routers=(*agency.routers, resources, bookings),
        routes=agency.routes(settings.node, now, settings.network.of_kind("matchmaking")[0].id),
        jobs=(*agency.jobs, every(2, jobs.expire_holds)),
        now=now,
    )
