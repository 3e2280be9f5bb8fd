"""A real broker with the accounts, streams and consumers of the whole topology."""

import contextlib
from collections import Counter

import nats
import pytest
from localnet import streams

from tests import servers


class Bus:
    """The broker, and connections as any node."""

    def __init__(self, network):
        self.network = network
        self.nodes = [node.id for node in network.topology.spokes]
        self.refusals = Counter()

    @contextlib.asynccontextmanager
    async def connected(self, node):
        async def refused(error):
            self.refusals[node] += "permissions violation" in str(error).lower()

        client = await nats.connect(
            self.network.bus_url,
            nkeys_seed=str(self.network.secrets.seed_file(node)),
            inbox_prefix=f"_INBOX_{node}".encode(),
            allow_reconnect=False,
            error_cb=refused,
        )
        try:
            yield client
        finally:
            await client.close()

    async def stored(self):
        """Messages in every stream, as the hub sees them."""
        async with self.connected("hub") as hub:
            infos = await hub.jetstream(timeout=10).streams_info()
        return {info.config.name: info.state.messages for info in infos}


@pytest.fixture(scope="session")
async def bus():
    with servers.folder() as folder, servers.broker(servers.network(folder)) as network:
        await streams.provision(
            network.bus_url,
            network.secrets.seed_file("hub"),
            network.topology.spokes,
            8 * 2**20,
            lambda done, total: None,
        )
        yield Bus(network)
