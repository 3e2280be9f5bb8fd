"""The hub on a real broker: it hears beats and messages, answers with receipts, and passes on."""

import asyncio
import json
import os
import socket
import subprocess
from uuid import uuid4

import httpx
import nats
import nkeys
import pytest
from common.heartbeat import Receipt
from hub.app import create_app
from localnet import broker, natsconf, streams
from nats.errors import TimeoutError as NatsTimeout


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
async def bus(settings, tmp_path):
    """A broker with the generated accounts and streams; its URL and the nodes' seed files."""
    seeds, keys = {}, {}
    for name in [node.id for node in settings.network.nodes] + ["sys"]:
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        seeds[name] = tmp_path / f"{name}.nk"
        seeds[name].write_bytes(bytes(seed))
        keys[name] = nkeys.from_seed(bytes(seed)).public_key.decode()
    port, monitor = free_port(), free_port()
    config = tmp_path / "nats.conf"
    config.write_text(
        natsconf.render(
            settings.network,
            keys,
            natsconf.Broker(store=tmp_path / "store", port=port, monitor=f"127.0.0.1:{monitor}"),
        )
    )
    log = (tmp_path / "nats.log").open("w")
    server = subprocess.Popen([broker.program(), "-c", config], stdout=log, stderr=log)
    url = f"nats://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                await streams.provision(url, seeds["hub"], settings.network.spokes, 2**20, lambda *_: None)
                break
            except Exception:
                await asyncio.sleep(0.1)
        yield url, seeds
    finally:
        server.terminate()
        server.wait(10)
        log.close()


async def connect(bus, node):
    url, seeds = bus
    return await nats.connect(
        url,
        nkeys_seed_str=seeds[node].read_text(),
        inbox_prefix=f"_INBOX_{node}".encode(),
        max_reconnect_attempts=1,
    )


def beat(node, clock, **other):
    known = {
        "node": node, "epoch": 1, "sent_at": clock().isoformat(), "feed_seq": 1, "applied_seq": 0, "unsent": 0,
        "unconfirmed": 1, "dead_letters": 0, "release": "0.1.0",
    }  # fmt: skip
    return json.dumps(known | other).encode()


async def eventually(check, within_s=10.0):
    """The first true answer, or a failure."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        if found := await check():
            return found
        assert asyncio.get_running_loop().time() < deadline, "did not happen in time"
        await asyncio.sleep(0.1)


async def test_beats_receipts_and_forwarding(settings, bus, clock, world, facts):
    url, seeds = bus
    app = create_app(settings.model_copy(update={"nats_url": url, "nkey_seed_file": seeds["hub"]}), now=clock)
    hohhot, matchmaking = await connect(bus, "hohhot"), await connect(bus, "matchmaking")
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")

    async def receipt(**other):
        try:
            answer = await hohhot.request("hb.hohhot", beat("hohhot", clock, **other), timeout=0.5)
        except (NatsTimeout, nats.errors.NoRespondersError):
            return None
        return Receipt.model_validate_json(answer.data)

    try:
        async with app.router.lifespan_context(app):
            assert (await eventually(receipt)).applied_seq == 0

            async def state():
                return (await http.get("/v1/nodes/hohhot")).json()["state"] == "ready"

            await eventually(state)
            demand = facts.demand(uuid4())
            raw = world.raw("hohhot", demand, seq=1)
            stored = await hohhot.request(
                f"up.hohhot.{demand.type}", raw.data, timeout=3, headers={"Nats-Msg-Id": raw.key}
            )
            assert json.loads(stored.data)["stream"] == "UP_hohhot"

            async def applied():
                said = await receipt()
                return said is not None and said.applied_seq == 1

            await eventually(applied)
            inbox = matchmaking.new_inbox()
            heard = await matchmaking.subscribe(inbox)
            pull = json.dumps({"batch": 1, "expires": 5 * 10**9}).encode()
            await matchmaking.publish(
                "$JS.API.CONSUMER.MSG.NEXT.DOWN_matchmaking.matchmaking", pull, reply=inbox
            )
            message = await heard.next_msg(timeout=5)
            passed = json.loads(message.data)
            assert (passed["source"], passed["subject"], passed["feedseq"]) == ("hohhot", str(demand.id), 1)
            assert message.headers["Nats-Msg-Id"] == raw.key

            async def owed():
                beat_ = beat("matchmaking", clock, applied_seq=1)
                await matchmaking.request("hb.matchmaking", beat_, timeout=1)
                return await world.rows(
                    "SELECT 1 FROM feeds_out WHERE feed = 'matchmaking' AND confirmed_seq = 1"
                )

            await eventually(owed)
            # Its account gives a node its own subject only: nobody hears this.
            with pytest.raises((NatsTimeout, nats.errors.NoRespondersError)):
                await hohhot.request("hb.baotou", beat("baotou", clock), timeout=0.5)
            assert (await http.get("/v1/nodes/baotou")).json()["state"] == "never"
    finally:
        await http.aclose()
        await hohhot.close()
        await matchmaking.close()
