"""The same window on a real cable: into a network namespace where that is allowed, else behind the proxy."""

import asyncio
import contextlib
from dataclasses import replace

import pytest
from localnet import processes
from localnet.broker import program, write_configuration
from localnet.certificates import Authority

from tests import namespaces
from tests.integration.bus.site import NODES, site, templates, through_a_proxy, until

pytestmark = pytest.mark.long


@contextlib.asynccontextmanager
async def through_a_namespace(network, server):
    """The broker lives inside; the hub has a cable of its own to it, the window the one that fails."""
    near, far = (f"{net}.2" for net in (namespaces.NEAR, namespaces.FAR))
    Authority(network.folder.certificates).ensure(NODES, names=[near, far])
    write_configuration(network, server.configuration, replace(network.broker, host="0.0.0.0"))
    with namespaces.cabled() as cable:
        command = [*cable.inside_command, str(program()), "-c", str(server.configuration)]
        server.pid = processes.execute(command, server.log)
        port = network.broker.port
        await until(lambda: listens(near, port))
        yield cable, f"tls://{near}:{port}", f"tls://{far}:{port}"
        server.stop()


async def listens(host, port):
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture(scope="module")
def databases():
    with templates() as made:
        yield made


@pytest.fixture(scope="module")
async def running(databases):
    line_to = through_a_namespace if namespaces.available() else through_a_proxy
    async with site(line_to, *databases) as made:
        yield made


@pytest.fixture
async def away(running):
    await until(lambda: running.says_now(None))
    yield running
    running.line.hear()


async def test_a_pulled_cable_is_named_and_costs_nothing(away):
    await away.work(3)
    away.line.hang()
    await away.says("no-answer", "unreachable")
    away.line.hear()
    await away.whole()


async def test_a_loose_cable_costs_nothing(away):
    async def flap():
        for _ in range(4):
            away.line.hang()
            await asyncio.sleep(0.5)
            away.line.hear()
            await asyncio.sleep(0.5)

    flapping = asyncio.create_task(flap())
    while not flapping.done():
        await away.work(2)
    await flapping
    await away.whole()
