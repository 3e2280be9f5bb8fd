"""Each node enters its own database, and no other's."""

import json
import subprocess
import sys
from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests import servers

# In a process of its own: provisioning forks, and this one has loops and threads.
PROVISION = """
import json, sys
from localnet import databases
from localnet.network import Network
network = Network.from_json(json.loads(sys.argv[1]))
databases.provision(network, network.nodes, None, lambda done, total: None)
"""
NODES = ("hohhot", "baotou")


def provision(network):
    done = subprocess.run(
        [sys.executable, "-c", PROVISION, json.dumps(network.as_json())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def run(url, *statements):
    connection = await asyncpg.connect(url)
    try:
        return [await connection.fetchval(statement) for statement in statements]
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def network(tmp_path_factory, postgres_server):
    made = replace(
        servers.network(tmp_path_factory.mktemp("roles")), postgres_url=postgres_server, selected=NODES
    )
    provision(made)
    yield made
    for name in ("hubnet_hohhot", "hubnet_baotou", "hubnet_template_window"):
        await run(postgres_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def url(network, role, database):
    mine = network.database_url(network.topology.node(role))
    return urlsplit(mine)._replace(path=f"/hubnet_{database}").geturl()


async def test_a_node_works_in_its_own_database(network):
    assert await run(url(network, "baotou", "baotou"), "SELECT count(*) FROM demands") == [0]


@pytest.mark.parametrize("other", ["hohhot", "template_window"])
async def test_a_node_does_not_enter_another(network, other):
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
        await run(url(network, "baotou", other), "SELECT 1")


async def test_a_database_of_the_time_before_roles_is_taken_over(network):
    await run(network.superuser_url, 'ALTER DATABASE "hubnet_baotou" OWNER TO hubnet')
    provision(network)
    assert await run(url(network, "baotou", "baotou"), "SELECT count(*) FROM demands") == [0]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(url(network, "hohhot", "baotou"), "SELECT 1")


async def test_a_new_password_holds_after_the_next_provisioning(network):
    file = network.secrets.database_file("hohhot")
    old = url(network, "hohhot", "hohhot")
    file.unlink()
    network.secrets.make(NODES)
    provision(network)
    assert await run(url(network, "hohhot", "hohhot"), "SELECT 1") == [1]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await run(old, "SELECT 1")
