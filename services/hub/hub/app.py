"""The hub: it knows who is who, passes on what is said, and keeps the copies everybody searches."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from common import clock, http
from common.auth import Principal
from common.runtime import Runtime, every
from common.settings import Settings
from fastapi import FastAPI

from hub.api_keys.router import router as api_keys
from hub.cases import consumers as cases_consumers
from hub.cases.router import router as cases
from hub.catalogue import consumers as catalogue_consumers
from hub.catalogue.router import router as catalogue
from hub.clients.router import router as clients
from hub.dead_letters.router import router as dead_letters
from hub.deps import Attempts, Hub, elsewhere
from hub.nodes.consumers import heartbeats
from hub.nodes.router import router as nodes
from hub.routing import consumers as routing_consumers
from hub.signing_keys import service as keys
from hub.signing_keys.router import router as signing_keys
from hub.status.router import router as status
from hub.technology.router import router as technology
from hub.tokens.router import router as tokens
from hub.users.router import router as users

# As long as a generated secret: a short pepper would be a guessable one.
PEPPER_MIN_BYTES = 32
KEYS_CHECKED_EVERY_S = 60.0


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
    network = settings.network

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
            tokens, users, clients, api_keys, signing_keys, nodes, catalogue, technology, cases, dead_letters,
            status,
        ),
        routes=(
            *routing_consumers.routes(network),
            *catalogue_consumers.routes,
            *cases_consumers.routes(network),
        ),
        jobs=(heartbeats, *([every(KEYS_CHECKED_EVERY_S, retire_keys)] if issues else [])),
        now=now,
        fetch_keys=own_keys if issues else None,
    )  # fmt: skip
    app.state.hub = Hub(pepper=pepper, attempts=Attempts())
    return app
