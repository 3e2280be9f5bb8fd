"""Many envelopes in one message: what the sequencer sends over a real broker, and what becomes of it."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime

import asyncpg
import pytest
import structlog
from common import batches, bus, db, ids, outbox, pulls
from common.contracts.ratings import RatingGiven
from common.errors import Unavailable
from common.inbox import Inbox, Many, Raw, Verdict
from common.messages import MAX_BYTES
from common.sequencer import Sequencer
from common.settings import Settings
from sqlalchemy.ext.asyncio import create_async_engine

from tests.integration.platform import copied, migrated
from tests.servers import TOPOLOGY

NODE = "ordos"
AT = datetime(2026, 3, 1, tzinfo=UTC)
ENOUGH_S = 20.0


@pytest.fixture(scope="module")
def template():
    with migrated(("common",)) as name:
        yield name


@pytest.fixture
async def url(template):
    async with copied(template) as made:
        yield made


def rating(number, text="很满意"):
    return RatingGiven(
        id=ids.new(), version=number, engagement_id=ids.new(), demand_id=ids.new(), platform=NODE,
        provider_id=ids.new(), grade=5, rated_at=AT, text=text,
    )  # fmt: skip


class Node:
    """What a node owes, and the sequencer that sends it."""

    def __init__(self, url, broker, id=NODE):
        self.url = url
        self.settings = Settings(
            node=id, topology=TOPOLOGY, database_url=url, nats_url=broker.network.bus_url,
            nkey_seed_file=broker.network.secrets.seed_file(id),
        )  # fmt: skip
        self.engine = db.engine(url, 2, 2)
        self.sessions = db.sessions(self.engine)
        self.bus = bus.Bus(self.settings)

    async def owe(self, facts, feed=outbox.HUB):
        async with db.begin(self.sessions) as tx:
            await outbox.add_all(tx, facts, node=NODE, at=AT)
            connection = await tx.connection()
            await connection.exec_driver_sql(
                "UPDATE outbox SET feed = $1 WHERE sent_at IS NULL AND feed_seq IS NULL", (feed,)
            )

    @contextlib.asynccontextmanager
    async def sending(self):
        standing = asyncio.create_task(self.bus.run())
        await self.bus.ready()
        inbox = Inbox(self.sessions, (), lambda sender: sender)
        sequencer = Sequencer(self.url, NODE, self.bus, inbox)
        task = asyncio.create_task(sequencer.run())
        try:
            yield sequencer
        finally:
            for each in (task, standing):
                each.cancel()
            await asyncio.gather(task, standing, return_exceptions=True)
            await self.bus.close()

    async def rows(self, query, *values):
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def all_sent(self):
        async def none_left():
            return not await self.rows("SELECT 1 FROM outbox WHERE sent_at IS NULL LIMIT 1")

        await eventually(none_left)


@pytest.fixture
async def node(url, bus):
    await stored(bus)  # what other tests said in its name
    node = Node(url, bus)
    yield node
    await node.engine.dispose()


async def eventually(check):
    async with asyncio.timeout(ENOUGH_S):
        while not await check():
            await asyncio.sleep(0.02)


async def stored(bus):
    """All the messages that the hub finds of the node."""
    found = []
    async with bus.connected("hub") as hub:
        stream = hub.jetstream(timeout=10)
        pull = await stream.pull_subscribe_bind("hub", f"UP_{NODE}")
        while waiting := (await stream.consumer_info(f"UP_{NODE}", "hub")).num_pending:
            for message in await pull.fetch(waiting, timeout=10):
                found.append(message)
                await message.ack_sync(timeout=10)
    return found


def inside(messages):
    raws = [batches.opened(message.subject, bus_raw(message)) for message in messages]
    return [raw for opened in raws for raw in opened]


def bus_raw(message):
    return pulls.raw(message, NODE, trusted=False)


def positions(raws):
    return [json.loads(raw.data)["feedseq"] for raw in raws]


async def test_what_is_owed_goes_in_few_messages_in_order(node, bus):
    facts = [rating(n) for n in range(1, 1501)]
    await node.owe(facts)
    async with node.sending():
        await node.all_sent()
    messages = await stored(bus)
    raws = inside(messages)
    assert [json.loads(raw.data)["entityversion"] for raw in raws] == list(range(1, 1501))
    assert positions(raws) == list(range(1, 1501))
    size = sum(len(raw.data) + 1 for raw in raws)
    assert len(messages) <= size / batches.MAX_BYTES + 3
    assert max(len(message.data) for message in messages) <= MAX_BYTES
    assert [raw.key for raw in raws] == [json.loads(raw.data)["id"] for raw in raws]


async def test_one_alone_and_one_that_is_large_are_messages_as_they_are(node, bus):
    async with node.sending() as sequencer:
        await node.owe([rating(1)])
        sequencer.wake()
        await node.all_sent()
        long = rating(2).model_copy(
            update={"text": "很" * 80_000}
        )  # longer than its field: only its size counts
        await node.owe([long])
        sequencer.wake()
        await node.all_sent()
    messages = await stored(bus)
    assert [message.subject for message in messages] == [f"up.{NODE}.rating.given.v1"] * 2
    envelopes = [json.loads(message.data) for message in messages]
    assert [message.headers["Nats-Msg-Id"] for message in messages] == [e["id"] for e in envelopes]


async def test_pulls_that_are_filled_follow_each_other_without_a_pause(node, bus):
    """The broker says of each that it is complete when the next one is open already: that is no refusal."""
    count = 3 * pulls.BATCH + 1
    async with bus.connected(NODE) as client:
        for number in range(count):
            await client.jetstream().publish(f"up.{NODE}.rating.given.v1", str(number).encode())
    hub = Node(node.url, bus, "hub")
    heard, all_heard = [], asyncio.Event()

    async def deliver(messages):
        heard.extend(int(message.data) for message in messages)
        if len(heard) >= count:
            all_heard.set()
        return [Verdict.DONE] * len(messages)

    standing = asyncio.create_task(hub.bus.run())
    await hub.bus.ready()
    with structlog.testing.capture_logs() as told:
        pulling = asyncio.create_task(pulls.pull(hub.bus, f"UP_{NODE}", "hub", deliver))
        async with asyncio.timeout(ENOUGH_S):
            await all_heard.wait()
    for each in (pulling, standing):
        each.cancel()
    await asyncio.gather(pulling, standing, return_exceptions=True)
    await hub.bus.close()
    await hub.engine.dispose()
    assert heard == list(range(count))
    assert not [line for line in told if line["event"] == "pull-refused"]


async def test_a_sequencer_that_dies_after_publishing_sends_again_and_nothing_happens_twice(node, bus):
    """The broker has the message, the outbox does not know: the gap between two systems."""
    await node.owe([rating(n) for n in range(1, 301)])
    published, publish = [], node.bus.publish

    async def dies(subject, data, id):
        await publish(subject, data, id)
        published.append(id)
        if len(published) == 1:
            # What comes while it is away changes what travels together the next time.
            await node.owe([rating(n) for n in range(301, 401)])
            await node.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )

    node.bus.publish = dies
    async with node.sending():
        await node.all_sent()
    assert len(published) > 1
    raws = inside(await stored(bus))
    assert set(positions(raws)) == set(range(1, 401))
    heard = []

    async def hear(tx, messages):
        heard.extend(message.fact.version for message in messages)

    inbox = Inbox(node.sessions, (("rating.*", Many(hear)),), lambda sender: sender)
    assert set(await inbox.deliver(raws)) == {Verdict.DONE}
    assert set(await inbox.deliver(raws)) == {Verdict.DONE}
    assert heard == list(range(1, 401))
    (feed,) = await node.rows("SELECT applied_seq, ahead FROM feeds_in")
    assert (feed["applied_seq"], feed["ahead"]) == (400, [])


async def test_the_same_envelopes_are_the_same_message_to_the_broker(node, bus):
    await node.owe([rating(n) for n in range(1, 101)])
    async with node.sending() as sequencer:
        await node.all_sent()
        assert len(await stored(bus)) == 1
        await node.rows("UPDATE outbox SET sent_at = NULL")
        sequencer._unsent[outbox.HUB] = True  # as after a receipt that did not come
        sequencer.wake()
        await node.all_sent()
    assert await stored(bus) == []


async def test_a_feed_that_is_pulled_is_numbered_and_sent_by_nobody(node, bus):
    await node.owe([rating(n) for n in range(1, 6)], feed="pull:example")
    async with node.sending() as sequencer:
        await node.all_sent()
        await node.rows("UPDATE outbox SET sent_at = NULL")
        sequencer._unsent[outbox.HUB] = True
        sequencer.wake()
        await node.all_sent()
    rows = await node.rows("SELECT feed_seq FROM outbox ORDER BY id")
    assert [row["feed_seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert await stored(bus) == []


async def test_one_poisoned_line_is_parked_alone_and_whole(node):
    """By its key, its reason and its bytes; what comes before and behind it has its effect."""
    lines = [envelope(rating(n), n) for n in range(1, 8)]
    lines[2] = lines[2].replace(b'"grade":5', b'"grade":6')
    lines[4] = b'{"half": '
    lines[5] = b"\xff\xfe"
    whole = Raw(b"\n".join(lines), NODE, "UP_ordos:7")
    raws = batches.opened(f"up.{NODE}.batch.v1", whole)
    heard = []

    async def hear(tx, messages):
        heard.extend(message.fact.version for message in messages)
        if any(message.fact.version == 2 for message in messages):
            raise RuntimeError("unforeseen")

    inbox = Inbox(node.sessions, (("rating.*", Many(hear)),), lambda sender: sender)
    done, parked, again = Verdict.DONE, Verdict.PARKED, Verdict.AGAIN
    verdicts = await inbox.deliver(raws)
    assert verdicts == [done, again, parked, done, parked, parked, done]
    assert batches.verdict(verdicts) is again
    letters = await node.rows("SELECT message_key, reason, payload FROM dead_letters")
    assert {(row["message_key"], row["reason"], row["payload"]) for row in letters} == {
        (json.loads(lines[2])["id"], "bad-data", lines[2]),
        ("UP_ordos:7.4", "not-json", lines[4]),
        ("UP_ordos:7.5", "not-json", lines[5]),
    }
    for attempt in range(2, 20):
        assert await inbox.deliver(raws) == [done, again, parked, done, parked, parked, done], attempt
    assert (await inbox.deliver(raws))[1] is parked
    assert len(await node.rows("SELECT 1 FROM dead_letters")) == 4
    assert await inbox.deliver(raws[:1] + raws[3:4] + raws[6:]) == [done] * 3
    (feed,) = await node.rows("SELECT applied_seq, ahead FROM feeds_in")
    assert (feed["applied_seq"], feed["ahead"]) == (4, [7])
    assert await node.rows("SELECT 1 FROM inbox_failures") == []


def envelope(fact, seq):
    (row,) = outbox.envelopes(fact, NODE, AT, None)
    return outbox.stamped(row["envelope"], seq)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n\n", b"{\n" * 1_001], ids=["nothing", "empty lines", "too many lines"]
)
async def test_what_is_no_batch_is_parked_as_one(node, data):
    raws = batches.opened(f"up.{NODE}.batch.v1", Raw(data, NODE, "UP_ordos:9"))
    inbox = Inbox(node.sessions, (), lambda sender: sender)
    assert await inbox.deliver(raws) == [Verdict.PARKED]
    (letter,) = await node.rows("SELECT message_key, payload FROM dead_letters")
    assert (letter["message_key"], letter["payload"]) == ("UP_ordos:9", data)


async def test_what_is_acknowledged_makes_room(node, bus):
    """A stream holds what its reader has not: else it would be full one day, and refuse for two weeks."""
    async with node.sending() as sequencer:
        for _ in range(4):
            # Three megabytes each time, and the stream takes eight.
            await node.owe([rating(n, "很" * 4_000) for n in range(1, 251)])
            sequencer.wake()
            await node.all_sent()
            assert len(inside(await stored(bus))) == 250

    async def empty():
        return (await bus.stored())[f"UP_{NODE}"] == 0

    await eventually(empty)


async def test_without_a_free_connection_a_message_is_held_and_not_counted_as_failed(node):
    engine = create_async_engine(
        node.url.replace("postgresql", "postgresql+asyncpg", 1),
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.05,
    )
    inbox = Inbox(db.sessions(engine), (), lambda sender: sender)
    raw = Raw(envelope(rating(1), 1), NODE, "UP_ordos:1")
    async with engine.connect():
        with pytest.raises(Unavailable):
            await inbox.deliver([raw])
    assert await inbox.deliver([raw]) == [Verdict.DONE]
    assert await node.rows("SELECT 1 FROM inbox_failures") == []
    await engine.dispose()
