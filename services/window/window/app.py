"""Compose a window from its slices: the enterprise's side, and the provider's from libs/agency."""

from agency import slices as agency
from common import clock, http
from common.intake import Intake
from common.runtime import every
from common.settings import Settings
from fastapi import FastAPI

from window import jobs
from window.allocations import consumers as given
from window.allocations.router import router as allocations
from window.awards import consumers as awarding
from window.awards.router import router as awards
from window.bids import consumers as bids
from window.bids.router import router as quotations
from window.contacts.router import router as contacts
from window.demands import service as submissions
from window.demands.router import router as demands
from window.engagements import consumers as progress
from window.engagements.router import router as engagements
from window.enterprises.router import router as enterprises
from window.invitations.router import router as invitations
from window.matches import consumers as found
from window.matches.router import router as matches
from window.ratings.router import router as ratings
from window.standings import consumers as standings
from window.withdrawals.router import router as withdrawals

ROUTERS = (
    enterprises, demands, withdrawals, matches, invitations, quotations, awards, engagements, contacts, ratings,
    allocations,
)  # fmt: skip


def create_app(settings: Settings, now: clock.Clock = clock.system) -> FastAPI:
    node = settings.me
    matchmaking = settings.network.of_kind("matchmaking")[0].id
    app = http.build(
        settings,
        title=f"{node.zh} {node.en}",
        summary="企业与需求：登记、提交、对接、询价、授标、验收、评价。Enterprises and their demands.",
        routers=(*ROUTERS, *agency.routers),
        routes=(
            *found.routes(node.id, matchmaking, now),
            *awarding.routes(node.id, now),
            *bids.routes(node.id, now),
            *progress.routes(node.id, now),
            *standings.routes(),
            *given.routes(node.id, matchmaking),
            *agency.routes(node.id, now, matchmaking),
        ),
        jobs=(*agency.jobs, every(5, jobs.expire_invitations)),
        now=now,
    )
    runtime = app.state.runtime
    app.state.intake = Intake(runtime.sessions, runtime.wake, submissions.submit)
    return app
