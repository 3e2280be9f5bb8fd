"""The matchmaking service, composed."""

from common import clock, http, runtime
from common.auth import Principal
from common.settings import Settings
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from matchmaking.campaigns.consumers import Planning
from matchmaking.campaigns.router import router as campaigns
from matchmaking.demands import consumers as demands
from matchmaking.demands.service import Matchmaker, OpenDemands
from matchmaking.drift import consumers as drift
from matchmaking.embeddings.consumers import Embed
from matchmaking.embeddings.service import Embeddings
from matchmaking.explanations.router import router as explanations
from matchmaking.matches import service as results
from matchmaking.matches.router import router as matches
from matchmaking.matching import engine
from matchmaking.offerings import consumers as offerings
from matchmaking.offerings import service as catalogue
from matchmaking.offerings.service import Catalogue
from matchmaking.opportunities import consumers as opportunities
from matchmaking.opportunities.router import router as offered
from matchmaking.outcomes import consumers as outcomes
from matchmaking.rankings.router import router as rankings

# Pauses between two looks for work.
REMATCH_EVERY_S = 1.0
EMBED_EVERY_S = 1.0
LOOK_EVERY_S = 1.0
PLAN_EVERY_S = 0.5


def create_app(settings: Settings, now: clock.Clock = clock.system) -> FastAPI:
    registry = CollectorRegistry()
    embeddings = Embeddings(settings, catalogue.unread, registry=registry)
    matchmaker = Matchmaker(
        Catalogue(embeddings),
        OpenDemands(embeddings),
        embeddings,
        Principal.system(settings.node),
        Counter("match_exposures", "Times a provider was shown", ("platform", "provider"), registry=registry),
    )
    engine.preload()
    app = http.build(
        settings,
        title="供需对接 · Hubnet matchmaking",
        summary="为企业需求在全区范围内寻找服务产品，并说明理由 · Finds offerings for demands and says why",
        routers=[matches, explanations, offered, rankings, campaigns],
        routes=(
            *offerings.routes,
            *drift.routes(settings.node, now),
            *outcomes.routes(catalogue.touched),
            *opportunities.routes(now),
            *demands.routes(matchmaker, now),
        ),
        jobs=[
            runtime.every(EMBED_EVERY_S, Embed(embeddings), everywhere=True),
            runtime.every(REMATCH_EVERY_S, demands.Rematch(matchmaker), everywhere=True),
            runtime.every(PLAN_EVERY_S, Planning(matchmaker)),
            runtime.every(LOOK_EVERY_S, opportunities.Look(matchmaker, matchmaker.who, matchmaker.reason)),
        ],
        now=now,
        registry=registry,
    )
    app.state.matchmaker = app.state.finder = matchmaker
    app.state.reason = matchmaker.reason
    app.state.shown = results.shown
    return app
