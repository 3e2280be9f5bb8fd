"""Cut off, or with a bus that lost what it had acknowledged: nothing is lost, in order, and never backwards."""

import asyncio
import contextlib
from uuid import uuid4

import asyncpg
import httpx
import pytest
from common import journal, migrate
from common.auth import Principal
from common.settings import Settings
from hub.app import create_app as hub
from localnet import streams
from localnet.broker import EmbeddedBroker
from window.app import create_app as window

from tests import servers
from tests.integration.convergence.facts import offering, provider
from tests.integration.platform import copied, migrated

WINDOW = "hohhot"
# What an observer of the hub sees of every record, in the order it is applied.
WATCH = """
CREATE TABLE seen (place bigint GENERATED ALWAYS AS IDENTITY, id uuid, version bigint);
CREATE FUNCTION note_seen() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO seen (id, version) VALUES (NEW.id, NEW.version); RETURN NULL; END $$;
CREATE TRIGGER note_seen AFTER INSERT OR UPDATE ON catalogue_offerings FOR EACH ROW EXECUTE FUNCTION note_seen();
"""
BACKWARDS = """
SELECT count(*) FROM (SELECT version, lag(version) OVER (PARTITION BY id ORDER BY place) AS before FROM seen) s
WHERE version < before
"""


class Pair:
    """A window and the hub on a broker of their own; each can be stopped and started."""

    def __init__(self, network, urls):
        self.network, self.urls = network, urls
        self.broker = EmbeddedBroker(network)
        self.up = contextlib.AsyncExitStack()
        self.apps = {}

    async def start_bus(self):
        self.broker.start()
        await self.provision()

    async def provision(self):
        seed = self.network.secrets.seed_file("hub")
        await streams.provision(
            self.network.bus_url, seed, self.network.topology.spokes, 8 * 2**20, lambda done, total: None
        )

    async def start(self, node, create):
        settings = Settings(
            node=node, topology=servers.TOPOLOGY, database_url=self.urls[node], nats_url=self.network.bus_url,
            nkey_seed_file=self.network.secrets.seed_file(node), heartbeat_s=0.5, receipt_after_s=5,
            digest_every_s=2, pool_size=4,
        )  # fmt: skip
        app = create(settings)

        async def keys():
            return {"keys": []}

        app.state.runtime.verifier.fetch = keys
        stack = contextlib.AsyncExitStack()
        await stack.enter_async_context(app.router.lifespan_context(app))
        self.apps[node] = (app, stack)

    async def stop(self, node):
        _, stack = self.apps.pop(node)
        await stack.aclose()

    async def say(self, *facts):
        runtime = self.apps[WINDOW][0].state.runtime
        async with runtime.transaction() as tx:
            await journal.write_many(tx, facts, who=Principal.system(WINDOW), at=runtime.clock())

    async def sql(self, node, query, *values):
        connection = await asyncpg.connect(self.urls[node])
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def eventually(self, check, within_s=60.0):
        deadline = asyncio.get_running_loop().time() + within_s
        while not (found := await check()):
            assert asyncio.get_running_loop().time() < deadline, "did not happen in time"
            await asyncio.sleep(0.2)
        return found

    async def equal(self):
        """Whether the hub holds what the window has said, record by record."""
        mine = await self.sql(
            WINDOW, "SELECT id, epoch, version, content_hash FROM announcements WHERE noun = 'offering'"
        )
        held = await self.sql("hub", "SELECT id, epoch, version, content_hash FROM catalogue_offerings")
        return {tuple(row) for row in mine} == {tuple(row) for row in held}

    async def stored(self):
        """Whether everything numbered is in the stream."""
        return not await self.sql(WINDOW, "SELECT 1 FROM outbox WHERE sent_at IS NULL LIMIT 1")

    async def figure(self, node, name):
        """A metric of a service, None while it has none."""
        app, _ = self.apps[node]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            lines = (await client.get("/metrics")).text.splitlines()
        found = [line.split()[-1] for line in lines if line.startswith(f"{name} ")]
        return float(found[0]) if found else None

    async def confirmed(self):
        """Whether the hub has applied the window's whole feed, without a gap, and told it so."""
        (feed,) = await self.sql(WINDOW, "SELECT last_seq, confirmed_seq FROM feeds_out WHERE feed = 'hub'")
        (heard,) = await self.sql("hub", "SELECT applied_seq, ahead FROM feeds_in WHERE source = $1", WINDOW)
        return feed["last_seq"] == feed["confirmed_seq"] == heard["applied_seq"] and not heard["ahead"]

    async def drift_is_zero(self):
        rows = await self.sql("hub", "SELECT state FROM drift WHERE owner = $1 AND observer = 'hub'", WINDOW)
        return [row["state"] for row in rows] == ["equal"]


@pytest.fixture(scope="module")
def databases():
    with migrated(migrate.PACKAGES["hub"]) as of_hub, migrated(migrate.PACKAGES["window"]) as of_window:
        yield {"hub": of_hub, WINDOW: of_window}


@pytest.fixture(scope="module")
async def pair(databases):
    with servers.folder() as folder:
        async with contextlib.AsyncExitStack() as stack:
            urls = {node: await stack.enter_async_context(copied(name)) for node, name in databases.items()}
            found = Pair(servers.network(folder), urls)
            connection = await asyncpg.connect(urls["hub"])
            await connection.execute(WATCH)
            await connection.close()
            await found.start_bus()
            try:
                await found.start("hub", hub)
                await found.start(WINDOW, window)
                yield found
                for node in list(found.apps):
                    await found.stop(node)
            finally:
                found.broker.stop()


@pytest.fixture
async def ids(pair):
    """Fifty offerings that the hub has."""
    made = [uuid4() for _ in range(50)]
    await pair.say(provider(), *(offering(id) for id in made))
    await pair.eventually(pair.equal)
    return made


async def test_a_thousand_changes_made_while_cut_off_arrive_in_order(pair, ids):
    """S9, I8: the window works on; what it did comes in order when the bus is back."""
    pair.broker.stop()
    for version in range(2, 22):
        await pair.say(*(offering(id, version, title=f"示例检测 {version}") for id in ids))
    waiting = await pair.sql(
        WINDOW, "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND type LIKE 'offering%'"
    )
    assert waiting[0][0] >= 1000
    await pair.start_bus()
    await pair.eventually(pair.equal)
    assert (await pair.sql("hub", BACKWARDS))[0][0] == 0
    assert await pair.eventually(pair.confirmed)
    await pair.eventually(pair.drift_is_zero)


async def test_how_far_a_node_is_behind_is_a_figure_at_both_ends(pair, ids):
    """F6: what waits at the window, and what the hub has not taken yet, can be watched."""
    lag = f'node_lag{{node="{WINDOW}"}}'
    await pair.eventually(pair.confirmed)

    async def reads(node, name, wanted):
        async def look():
            found = await pair.figure(node, name)
            return found is not None and wanted(found)

        await pair.eventually(look)

    await reads("hub", lag, lambda lag: lag == 0)
    pair.broker.stop()
    await pair.say(*(offering(id, 2) for id in ids))
    owed = await pair.sql(WINDOW, "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND feed <> 'self'")
    await reads(WINDOW, "outbox_unsent", lambda waiting: waiting >= owed[0][0] >= len(ids))
    await pair.start_bus()
    await pair.eventually(pair.confirmed)
    await reads(WINDOW, "outbox_unsent", lambda waiting: waiting == 0)
    await reads(WINDOW, "outbox_unconfirmed", lambda waiting: waiting == 0)
    await reads("hub", lag, lambda lag: lag == 0)
    (beat,) = await pair.sql("hub", "SELECT heard_at FROM nodes_heard WHERE node = $1", WINDOW)
    await reads(
        "hub",
        f'node_heard_timestamp_seconds{{node="{WINDOW}"}}',
        lambda at: at >= beat["heard_at"].timestamp(),
    )


async def test_a_stream_deleted_with_what_it_held_is_made_good(pair, ids):
    """F12: what the broker had acknowledged and lost is found and said again."""
    await pair.stop("hub")
    await pair.say(*(offering(id, 2) for id in ids))
    await pair.eventually(pair.stored)
    client = await streams.connect(pair.network.bus_url, pair.network.secrets.seed_file("hub"))
    await client.jetstream().delete_stream(f"UP_{WINDOW}")
    await client.close()
    await pair.provision()
    await pair.start("hub", hub)
    await pair.eventually(pair.equal)
    await pair.eventually(pair.drift_is_zero)
    assert (await pair.sql("hub", BACKWARDS))[0][0] == 0


async def test_a_byte_flipped_in_the_store_is_made_good(pair, ids):
    await pair.stop("hub")
    await pair.say(*(offering(id, 2) for id in ids))
    await pair.eventually(pair.stored)
    pair.broker.stop()
    blocks = sorted(pair.network.folder.nats.rglob(f"UP_{WINDOW}/msgs/*.blk"))
    assert blocks
    content = bytearray(blocks[-1].read_bytes())
    place = content.rindex(b"offering.published.v1") + 40
    content[place] ^= 0x55
    blocks[-1].write_bytes(bytes(content))
    await pair.start_bus()
    await pair.start("hub", hub)
    await pair.eventually(pair.equal)
    await pair.eventually(pair.drift_is_zero)
