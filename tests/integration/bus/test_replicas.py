"""Three brokers and two processes of one service: any of them may go, and each message has its effect once."""

import asyncio
import contextlib
import os
import signal
from dataclasses import replace

import pytest
from common import migrate
from common.bus import Bus
from common.clock import system
from common.contracts.envelope import wrap
from common.contracts.providers import ProviderRegistered
from common.errors import Unavailable
from common.ids import new
from localnet import streams
from localnet.broker import EmbeddedBroker
from nats.errors import Error as NatsError

from tests import servers
from tests.integration.bus.site import listening_hub, settings, small, until
from tests.integration.platform import copied, migrated

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def template():
    with migrated(migrate.PACKAGES["hub"]) as made:
        yield made


@pytest.fixture(scope="module")
async def cluster():
    """The running brokers by name, and the network they are of."""
    with servers.folder() as folder:
        network = replace(small(folder), tls=False, scale_out=True)
        brokers = {name: EmbeddedBroker(network, name=name) for name in network.brokers}
        try:
            for broker in brokers.values():
                broker.spawn()
            await until(lambda: all(broker.ready for broker in brokers.values()))
            await until(lambda: provided(network))
            yield network, brokers
        finally:
            for broker in brokers.values():
                broker.stop()


async def provided(network):
    """Whether the cluster has a leader and took its streams."""
    seed = network.secrets.seed_file("hub")
    with contextlib.suppress(Exception):
        await streams.provision(
            network.bus_url, seed, network.topology.spokes, 8 * 2**20, lambda done, total: None, replicas=3
        )
        return True
    return False


class Speaker:
    """Hohhot, saying numbered things until they are acknowledged."""

    def __init__(self, bus):
        self.bus, self.said = bus, 0

    async def say(self, count):
        for _ in range(count):
            self.said += 1
            fact = ProviderRegistered(
                id=new(), version=1, name="示例机构", credit_code="91150100MA0EXAMPLE", division="150105",
                state="submitted",
            )  # fmt: skip
            envelope = wrap(fact, id=new(), source="hohhot", at=system(), recipient=None)
            payload = envelope.model_copy(update={"feedseq": self.said}).model_dump_json().encode()
            await until(lambda payload=payload, id=str(envelope.id): self._acknowledged(payload, id))

    async def _acknowledged(self, payload, id):
        with contextlib.suppress(NatsError, Unavailable, TimeoutError):
            await self.bus.publish("up.hohhot.provider.registered.v1", payload, id)
            return True
        return False


@pytest.fixture
async def speaker(cluster):
    network, _ = cluster
    bus = Bus(settings(network, "hohhot", "postgresql://unused"))
    running = asyncio.create_task(bus.run())
    await bus.ready()
    yield Speaker(bus)
    running.cancel()
    await bus.close()


@pytest.fixture
async def database(template):
    async with copied(template) as url:
        yield url


async def heard(hub):
    """Positions in the order in which they had their effect."""
    async with hub.sessions() as session:
        connection = (await (await session.connection()).get_raw_connection()).driver_connection
        return [row["feed_seq"] for row in await connection.fetch("SELECT feed_seq FROM heard ORDER BY id")]


def leaders(*hubs):
    return [hub for hub in hubs if hub.sequencer.leading]


async def test_either_process_may_go_and_one_alone_hears(cluster, speaker, database):
    network, _ = cluster
    async with contextlib.AsyncExitStack() as later:
        first = await later.enter_async_context(listening_hub(network, database))
        await until(lambda: leaders(first))
        async with listening_hub(network, database) as second:
            await speaker.say(5)
            await until(lambda: all_heard(second, speaker))
            assert leaders(first, second) == [first]
            talking = asyncio.create_task(speaker.say(20))
            await first.stop()
            await talking
            await until(lambda: all_heard(second, speaker))
            assert leaders(second) == [second]
            assert await heard(second) == list(range(1, speaker.said + 1))


async def test_the_broker_that_leads_may_die_while_it_is_spoken_to(cluster, speaker, database):
    network, brokers = cluster
    async with listening_hub(network, database) as hub:
        leader = brokers[await leader_of(network, "UP_hohhot")]
        talking = asyncio.create_task(speaker.say(8))
        os.kill(leader.pid, signal.SIGKILL)
        os.waitpid(leader.pid, 0)
        await talking
        leader.spawn()
        await until(lambda: all_heard(hub, speaker))
        assert await heard(hub) == list(range(1, speaker.said + 1))
        await until(lambda: leader.ready)


async def leader_of(network, stream):
    client = await streams.connect(network.bus_url, network.secrets.seed_file("hub"))
    try:
        return (await client.jetstream(timeout=20).stream_info(stream)).cluster.leader
    finally:
        await client.close()


async def all_heard(hub, speaker):
    return sorted(await heard(hub))[-1:] == [speaker.said]
