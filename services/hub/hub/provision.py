"""What a new hub needs once before anybody can sign in."""

import secrets

from common import clock, db
from common.auth import Principal
from common.settings import Settings
from sqlalchemy import func, select

from hub.app import read_pepper
from hub.clients import service as clients
from hub.deps import elsewhere
from hub.members import service as members
from hub.signing_keys import service as keys
from hub.users import service as users

OPERATOR = "operator"
CLIENT = "hubnet-cli"
# Any number; two provisioning runs wait for each other on it.
LOCK = 0x48554224


async def first_operator(settings: Settings) -> str | None:
    """Make the user `operator`, the client `hubnet-cli` and the first signing key, where they are missing.

    Returns the operator's password the one time it is made. Safe to repeat and to run twice at once.
    Raises: ValueError without a pepper file.
    """
    await enrol(settings)
    if elsewhere(settings):
        return None
    pepper = read_pepper(settings.pepper_file)
    if pepper is None:
        raise ValueError("the hub needs HUBNET_PEPPER_FILE: a file with at least 32 random bytes")
    secret = _secret(settings)
    who, at = Principal.system(settings.node), clock.system()
    engine = db.engine(settings.database_url, 1, 0)
    try:
        async with db.begin(db.sessions(engine)) as tx:
            await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
            await keys.ensure(tx, pepper, at=at)
            if secret is not None:
                await clients.keep(
                    tx, who, client_id=CLIENT, secret=secret, role="operator", pepper=pepper, at=at
                )
            if await users.has_operator(tx):
                return None
            password = secrets.token_urlsafe(18)
            await users.create(
                tx, who, username=OPERATOR, password=password, roles=("operator",), home=None,
                network=settings.network, at=at,
            )  # fmt: skip
            return password
    finally:
        await engine.dispose()


async def enrol(settings: Settings) -> None:
    """Every node of the topology is a member of the network from its beginning."""
    engine = db.engine(settings.database_url, 1, 0)
    try:
        async with db.begin(db.sessions(engine)) as tx:
            await members.enrol(tx, settings.network, at=clock.system())
    finally:
        await engine.dispose()


def _secret(settings: Settings) -> str | None:
    path = settings.bootstrap_client_file
    return path.read_text(encoding="ascii").strip() if path is not None else None
