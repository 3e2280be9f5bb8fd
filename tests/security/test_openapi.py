"""What the OpenAPI documents promise, tried by generated calls over real HTTP."""

import importlib
import json
import threading

import httpx
import pytest
import schemathesis
import uvicorn
from common.settings import Settings
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from tests import servers
from tests.security.platforms import NODES, Platform

load_all_checks()


@schemathesis.serializer("application/x-ndjson")
def lines(_, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


# Left out, as each would say nothing of us:
#   positive_data_acceptance  what a schema cannot say is refused all the same: check digits, unknown places,
#                             texts without a visible character, an end before its start;
#   allow_header_conformance  of an address with several methods the framework names those of the first route.
# Without effect: ignored_auth, for security is taken out below (test_access.py does it by hand);
# use_after_free and ensure_resource_availability, which follow links.
LEFT_OUT = [positive_data_acceptance, allow_header_conformance]
# No lines are lines, so an empty import is an import of nothing; and to PATCH it is to PATCH the offering "import",
# as to PATCH "similar" is to PATCH the demand of that name.
OF_CALL = {
    "/v1/offerings/import": [negative_data_rejection, unsupported_method],
    "/v1/demands/similar": [unsupported_method],
}
# The agency's side is the same code at a window and at a cluster: tried at the window.
SHARED = r"^/v1/(providers|offerings|quotations|assignments|opportunities|allocations)"
EXAMPLES = 8


class Announced(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config):
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.up.set()


class Served:
    """A service on a port of its own, in a thread."""

    def __init__(self, platform: Platform):
        self.platform = platform
        config = uvicorn.Config(platform.app, port=0, log_level="error", lifespan="off", loop="asyncio")
        self._server = Announced(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._server.up.wait(10)
        (socket,) = self._server.servers[0].sockets
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="session")
def served(network, tmp_path_factory):
    """Each service once more, over the same database."""
    running = {}
    folder = tmp_path_factory.mktemp("served")
    for kind in NODES:
        platform = Platform(kind, network[kind].settings.database_url, folder)
        running[kind] = Served(platform).__enter__()
    yield running
    for one in running.values():
        one.__exit__()


def document(kind):
    """Read from an app without a database: tests are made of it while they are collected.

    Without its security: every call is made signed in, and leaving the token out would then be no violation.
    """
    here = Settings(
        node=NODES[kind], topology=servers.TOPOLOGY, database_url="postgresql://nobody@127.0.0.1:1/none"
    )
    described = importlib.import_module(f"{kind}.app").create_app(here).openapi()
    for calls in described["paths"].values():
        for call in calls.values():
            call.pop("security", None)
            # Whoever asks to wait is kept waiting: it is tried where there is something to wait for.
            call["parameters"] = [one for one in call.get("parameters", ()) if one["name"] != "wait"]
    return schemathesis.openapi.from_dict(described)


few = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def hold(case, service):
    left_out = LEFT_OUT + OF_CALL.get(case.operation.path, [])
    case.call_and_validate(base_url=service.url, headers=service.platform.anybody(), excluded_checks=left_out)


@document("hub").parametrize()
@few
def test_the_hub_does_what_its_document_says(case, served):
    hold(case, served["hub"])


@document("window").exclude(path_regex=r"/stream$").parametrize()
@few
def test_a_window_does_what_its_document_says(case, served):
    hold(case, served["window"])


@document("cluster").exclude(path_regex=SHARED).parametrize()
@few
def test_a_cluster_does_what_its_document_says(case, served):
    hold(case, served["cluster"])


@document("matchmaking").parametrize()
@few
def test_matchmaking_does_what_its_document_says(case, served):
    hold(case, served["matchmaking"])


@pytest.mark.parametrize("kind", NODES)
def test_it_is_the_service_that_answers(served, kind):
    """Not something before it: the document is read from the service itself and names what it serves."""
    paths = httpx.get(f"{served[kind].url}/openapi.json").json()["paths"]
    assert set(paths) == set(served[kind].platform.app.openapi()["paths"])
    assert httpx.get(f"{served[kind].url}/readyz").status_code == 200


@pytest.mark.parametrize("kind", NODES)
def test_the_document_says_how_to_sign_in(kind, network):
    described = network[kind].app.openapi()
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    calls = [call for calls in described["paths"].values() for call in calls.values()]
    assert any(call.get("security") for call in calls)
