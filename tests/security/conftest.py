"""One PostgreSQL, four databases built by the migrations, four services over them."""

import logging
import os
from io import StringIO

import pytest
import structlog
from common import log

from tests.integration.conftest import postgres_server  # noqa: F401  the same server, started once
from tests.security import straight_path
from tests.security.platforms import NODES, Cradle, Platform


@pytest.fixture(scope="session")
async def network(postgres_server, tmp_path_factory):  # noqa: F811
    """The services by kind."""
    log.configure("security", "ERROR")
    cradle = Cradle(os.environ.get("HUBNET_TEST_POSTGRES_URL", postgres_server))
    folder = tmp_path_factory.mktemp("security")
    platforms = {kind: Platform(kind, await cradle.database(kind), folder) for kind in NODES}
    yield platforms
    for platform in platforms.values():
        await platform.close()
    await cradle.drop()


@pytest.fixture(params=list(NODES))
def platform(request, network):
    """Each service in turn."""
    return network[request.param]


@pytest.fixture(params=["hub", "window", "cluster", "matchmaking"])
def writable(request, network):
    """Each service: all take bodies."""
    return network[request.param]


@pytest.fixture
def logged():
    """What is logged meanwhile, down to the last detail."""
    written = StringIO()
    log.configure("security", "DEBUG")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    handler, root = logging.StreamHandler(written), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)
    log.configure("security", "ERROR")


@pytest.fixture(scope="session")
async def case(network):
    """One demand that went the whole way."""
    return await straight_path.played(network)
