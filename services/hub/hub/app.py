"""The hub: it knows who is who, passes on what is said, and keeps the copies everybody searches."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from common import clock, http
from common.auth import Principal
from common.contracts.envelope import Envelope
from common.runtime import Runtime, every
from common.settings import Settings
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncSession

from hub.api_keys.router import router as api_keys
from hub.cases import consumers as cases_consumers
from hub.cases.router import router as cases
from hub.catalogue import consumers as catalogue_consumers
from hub.catalogue.router import router as catalogue
from hub.changes.router import router as changes
from hub.clients.router import router as clients
from hub.conformance import service as admissions
from hub.conformance.router import router as conformance
from hub.dead_letters.router import router as dead_letters
from hub.deps import Attempts, Hub, Roster, elsewhere
from hub.directory.router import router as directory
from hub.drift import consumers as drift_consumers
from hub.drift.router import router as drift
from hub.fences import service as fencing
from hub.fences.domain import Fences
from hub.fences.router import router as restorations
from hub.identities.router import router as identities
from hub.members.router import router as members
from hub.messages.router import router as messages
from hub.nodes import consumers as nodes_consumers
from hub.nodes.router import router as nodes
from hub.outcomes.router import router as outcomes
from hub.platforms import consumers as platforms_consumers
from hub.pulls import consumers as pulls_consumers
from hub.pulls.router import router as pulls
from hub.routing import consumers as routing_consumers
from hub.signing_keys import service as keys
from hub.signing_keys.router import router as signing_keys
from hub.snapshots import consumers as snapshots_consumers
from hub.snapshots.router import router as snapshots
from hub.status.router import router as status
from hub.technology.router import router as technology
from hub.tokens.router import router as tokens
from hub.users.router import router as users

# As long as a generated secret: a short pepper would be a guessable one.
PEPPER_MIN_BYTES = 32
KEYS_CHECKED_EVERY_S = 60.0
SNAPSHOTS_EVERY_S = 0.25
PULLS_EVERY_S = 2.0
# What one process of the hub was told, the others know so soon.
MEMBERS_READ_EVERY_S = 1.0
PLATFORMS_REVIEWED_EVERY_S = 5.0
PROBATIONS_CHECKED_EVERY_S = 60.0


def read_pepper(path: Path | None) -> bytes | None:
    """Raises: ValueError when the secret is too short to be one."""
    if path is None:
        return None
    pepper = path.read_bytes().strip()
    if len(pepper) < PEPPER_MIN_BYTES:
        raise ValueError(
            f"{path}: the pepper has {len(pepper)} bytes, at least {PEPPER_MIN_BYTES} are needed"
        )
    return pepper


def create_app(settings: Settings, now: clock.Clock = clock.system) -> FastAPI:
    """Compose the hub from its slices."""
    pepper = read_pepper(settings.pepper_file)
    roster = Roster(settings.network)
    fences = Fences()
    registry = CollectorRegistry()

    async def admit(tx: AsyncSession, envelope: Envelope) -> None:
        await fencing.admit(tx, fences, envelope)

    async def meet(runtime: Runtime) -> None:
        """See who joined and left, also what another process of the hub was told."""
        await roster.refresh(runtime)

    async def end_probations(runtime: Runtime) -> None:
        """Admit whose probation has lasted as long as the installation asks for."""
        async with runtime.transaction() as tx:
            known = await roster.known(tx)
            who = Principal.system(settings.node)
            await admissions.admit_due(tx, who, settings.probation_days, known, at=now())

    async def retire_keys(runtime: Runtime) -> None:
        """Withdraw signing keys whose tokens have all expired."""
        async with runtime.transaction() as tx:
            await keys.retire_spent(tx, Principal.system(settings.node), at=now())

    def own_keys(runtime: Runtime) -> Callable[[], Awaitable[dict[str, Any]]]:
        async def fetch() -> dict[str, Any]:
            assert pepper is not None
            async with runtime.transaction() as tx:
                return await keys.document(tx, pepper, at=now())

        return fetch

    issues = pepper is not None and not elsewhere(settings)
    app = http.build(
        settings,
        title="枢纽平台 Hub",
        summary="身份、消息路由、联合目录、案件登记、网络状态 Identity, routing, catalogue, cases, status",
        routers=(
            *(tokens, users, clients, api_keys, signing_keys),
            *(members, conformance, messages, nodes, drift, restorations),
            *(changes, snapshots, outcomes, pulls),
            *(directory, catalogue, technology, identities, cases, dead_letters, status),
        ),
        routes=(
            *routing_consumers.routes(roster.known, admit),
            *catalogue_consumers.routes,
            *cases_consumers.routes(roster.known),
            *drift_consumers.routes(roster.known, now),
        ),
        jobs=(
            nodes_consumers.heartbeats(fences),
            nodes_consumers.figures(registry, roster.known),
            drift_consumers.figures(registry),
            pulls_consumers.figures(registry),
            every(MEMBERS_READ_EVERY_S, meet, everywhere=True),
            every(PLATFORMS_REVIEWED_EVERY_S, platforms_consumers.review(roster.known)),
            every(PROBATIONS_CHECKED_EVERY_S, end_probations),
            every(SNAPSHOTS_EVERY_S, snapshots_consumers.work(roster.known)),
            every(SNAPSHOTS_EVERY_S, snapshots_consumers.follow_up(roster.known)),
            every(PULLS_EVERY_S, pulls_consumers.work(roster.known, pepper if issues else None)),
            *([every(KEYS_CHECKED_EVERY_S, retire_keys)] if issues else []),
        ),
        now=now,
        fetch_keys=own_keys if issues else None,
        registry=registry,
    )
    app.state.hub = Hub(pepper=pepper, attempts=Attempts(), roster=roster, fences=fences)
    return app
