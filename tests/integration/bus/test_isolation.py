"""S24: what one node may say and hear of another's, for every pair: nothing. The broker enforces it."""

import asyncio
import contextlib
from contextlib import AsyncExitStack

import pytest
from nats.errors import Error as NatsError


async def settled(client):
    """All that was sent has been judged by the broker."""
    await client.flush()
    await asyncio.sleep(0)
    await client.flush()


def foreign(node):
    """Subjects that belong to `node` or to the broker's own management of its streams."""
    return [
        f"up.{node}.offering.published.v1",
        f"down.{node}.invitation.issued.v1",
        f"hb.{node}",
        f"$JS.API.CONSUMER.MSG.NEXT.DOWN_{node}.{node}",
        f"$JS.ACK.DOWN_{node}.{node}.1.1.1.1.0",
        f"$JS.API.CONSUMER.CREATE.DOWN_{node}.x",
        f"$JS.API.STREAM.PURGE.UP_{node}",
        f"$JS.API.STREAM.MSG.GET.UP_{node}",
    ]


async def test_no_node_can_speak_or_listen_as_another(bus):
    before = await bus.stored()
    for me in bus.nodes:
        bus.refusals[me] = 0
        others = [node for node in bus.nodes if node != me]
        async with bus.connected(me) as client:
            for other in others:
                for subject in foreign(other):
                    await client.publish(subject, b"{}")
                for subject in (f"_INBOX_{other}.>", f"down.{other}.>", f"up.{other}.>"):
                    await client.subscribe(subject)
            await settled(client)
        attempts = len(others) * (len(foreign(me)) + 3)
        assert bus.refusals[me] == attempts, f"{me} was refused {bus.refusals[me]} of {attempts}"
    assert await bus.stored() == before


async def test_no_node_can_manage_streams_or_see_the_system(bus):
    subjects = ["$JS.API.STREAM.NAMES", "$JS.API.INFO", "$SYS.REQ.SERVER.PING", "$JS.hub.API.STREAM.NAMES"]

    async def refused(me):
        bus.refusals[me] = 0
        async with bus.connected(me) as client:
            for subject in subjects:
                with pytest.raises(NatsError):
                    await client.request(subject, b"", timeout=0.2)
            for subject in (">", "$SYS.>", "_INBOX.>", "_INBOX_hub.>"):
                await client.subscribe(subject)
            await settled(client)
        assert bus.refusals[me] == len(subjects) + 4

    async with asyncio.TaskGroup() as group:
        for me in bus.nodes:
            group.create_task(refused(me))


async def test_a_chosen_reply_subject_reaches_nothing_of_anothers(bus):
    """The broker answers to any reply subject; in an account of its own it finds nothing of others there."""
    async with AsyncExitStack() as stack:
        clients = {node: await stack.enter_async_context(bus.connected(node)) for node in bus.nodes}
        heard = []
        for node, client in clients.items():

            async def hear(message, node=node):
                heard.append((node, message.subject))

            await client.subscribe(f"_INBOX_{node}.>", cb=hear)
            await client.flush()
        before = await bus.stored()
        for me, client in clients.items():
            for other in bus.nodes:
                if other == me:
                    continue
                for reply in (
                    f"up.{other}.offering.published.v1",
                    f"$JS.API.STREAM.PURGE.UP_{other}",
                    f"_INBOX_{other}.x",
                ):
                    # A pull of one's own: the answer goes to the reply subject and stores nothing.
                    await client.publish(
                        f"$JS.API.CONSUMER.MSG.NEXT.DOWN_{me}.{me}", b'{"no_wait":true}', reply=reply
                    )
            await settled(client)
        assert await bus.stored() == before
        assert heard == []


async def test_a_stored_message_with_a_foreign_reply_stays_ones_own(bus):
    me, other = bus.nodes[:2]
    before = await bus.stored()
    async with bus.connected(me) as client:
        for reply in (f"up.{other}.x.y.v1", f"$JS.API.STREAM.PURGE.UP_{other}", f"_INBOX_{other}.x"):
            await client.publish(f"up.{me}.offering.published.v1", b"{}", reply=reply)
        await settled(client)
        for _ in range(50):
            after = await bus.stored()
            if after[f"UP_{me}"] == before[f"UP_{me}"] + 3:
                break
            await asyncio.sleep(0.02)
    assert after == before | {f"UP_{me}": before[f"UP_{me}"] + 3}


async def test_a_message_id_claimed_by_one_node_is_free_for_every_other(bus):
    async with AsyncExitStack() as stack:
        clients = {node: await stack.enter_async_context(bus.connected(node)) for node in bus.nodes}
        for node, client in clients.items():
            stream = client.jetstream(timeout=5)
            ids = {"Nats-Msg-Id": "claimed"}
            first = await stream.publish(f"up.{node}.offering.published.v1", b"{}", headers=ids)
            again = await stream.publish(f"up.{node}.offering.published.v1", b"{}", headers=ids)
            assert (first.duplicate, again.duplicate) == (None, True), node


async def test_headers_that_change_a_stream_are_refused(bus):
    me = bus.nodes[0]
    before = await bus.stored()
    async with bus.connected(me) as client:
        for headers in (
            {"Nats-Rollup": "all"},
            {"Nats-TTL": "1s"},
            {"Nats-Schedule": "@at 2030-01-01T00:00:00Z"},
        ):
            with pytest.raises(NatsError):
                await client.jetstream(timeout=2).publish(f"up.{me}.a.b.v1", b"{}", headers=headers)
        with contextlib.suppress(NatsError):
            await client.jetstream(timeout=2).publish(f"up.{me}.a.b.v1", b"x" * 300_000)
    assert await bus.stored() == before


async def test_a_node_hears_what_is_addressed_to_it_and_acknowledges(bus):
    async with bus.connected("hub") as hub, bus.connected("baotou") as baotou:
        await hub.jetstream().publish("down.baotou.invitation.issued.v1", b"hello")
        pull = await baotou.jetstream().pull_subscribe_bind("baotou", "DOWN_baotou")
        (message,) = await pull.fetch(1, timeout=2)
        assert message.data == b"hello"
        await message.ack()
        await settled(baotou)
        for _ in range(50):
            info = await hub.jetstream().consumer_info("DOWN_baotou", "baotou")
            if info.num_ack_pending == 0:
                break
            await asyncio.sleep(0.02)
        assert info.num_ack_pending == 0


async def test_streams_and_server_keep_what_they_acknowledge(bus):
    """S23, S25: fsync at every write, no limit of deliveries, nothing deleted from outside."""
    assert "sync_interval: always" in (bus.network.folder.nats / "nats.conf").read_text()
    async with bus.connected("hub") as hub:
        stream = hub.jetstream(timeout=10)
        for info in await stream.streams_info():
            config = info.config
            assert (config.deny_delete, config.deny_purge, str(config.discard)) == (True, True, "new"), (
                config.name
            )
            assert getattr(config, "persist_mode", None) in (None, "default"), config.name
            for consumer in await stream.consumers_info(config.name):
                assert consumer.config.max_deliver == -1, config.name
                assert str(consumer.config.ack_policy) == "explicit", config.name
