"""One PostgreSQL for all integration tests; each makes databases of its own in it."""

import os

import pytest

from tests import servers


@pytest.fixture(scope="session", autouse=True)
def postgres_server():
    """Its superuser URL, also as HUBNET_TEST_POSTGRES_URL."""
    given = os.environ.get("HUBNET_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    place = servers.memory()
    with servers.folder(place) as folder, servers.postgres(servers.network(folder)) as url:
        os.environ["HUBNET_TEST_POSTGRES_URL"] = url
        yield url
        del os.environ["HUBNET_TEST_POSTGRES_URL"]
