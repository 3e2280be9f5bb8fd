"""The matchmaking service, composed."""

from common import clock, http, runtime
from common.auth import Principal
from common.settings import Settings
from fastapi import FastAPI

from matchmaking.demands import consumers as demands
from matchmaking.demands.service import Matchmaker
from matchmaking.matches.router import router as matches
from matchmaking.matching.lexical import Lexical
from matchmaking.offerings import consumers as offerings
from matchmaking.offerings.service import Catalogue

REMATCH_EVERY_S = 1.0


def create_app(settings: Settings, now: clock.Clock = clock.system) -> FastAPI:
    matchmaker = Matchmaker(Catalogue(Lexical()), Principal.system(settings.node))
    return http.build(
        settings,
        title="供需对接 · Hubnet matchmaking",
        summary="为企业需求在全区范围内寻找服务产品，并说明理由 · Finds offerings for demands and says why",
        routers=[matches],
        routes=(*offerings.routes, *demands.routes(matchmaker, now)),
        jobs=[runtime.every(REMATCH_EVERY_S, demands.Rematch(matchmaker))],
        now=now,
    )
