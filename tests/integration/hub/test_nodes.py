"""How the nodes are, as the hub heard it; and the page that says so."""

import asyncio
import hashlib
import json
from base64 import b64encode
from datetime import timedelta
from uuid import uuid4

import pytest
from hub.fences.domain import Fences
from hub.nodes import consumers
from hub.nodes.service import Listener
from prometheus_client import CollectorRegistry


def beat(world, node="hohhot", **other):
    known = {
        "node": node, "epoch": 1, "sent_at": world.clock().isoformat(), "feed_seq": 0, "applied_seq": 0,
        "unsent": 0, "unconfirmed": 0, "dead_letters": 0, "release": "0.1.0",
    }  # fmt: skip
    return json.dumps(known | other).encode()


@pytest.fixture
def listener(world):
    return Listener(world.settings.network, Fences())


async def write(world, listener):
    async with world.app.state.runtime.transaction() as tx:
        await listener.write(tx, at=world.clock())


async def node(world, id="hohhot", headers=None):
    return (await world.http.get(f"/v1/nodes/{id}", headers=headers)).json()


async def test_all_26_are_listed_and_none_has_spoken_yet(world):
    nodes = (await world.http.get("/v1/nodes")).json()["items"]
    assert len(nodes) == 26
    assert {entry["state"] for entry in nodes if entry["kind"] != "hub"} == {"never"}
    assert (await world.http.get("/v1/nodes/atlantis")).status_code == 404


async def test_the_figures_of_a_node_come_with_its_beats_and_go_with_it(world, listener, monkeypatch):
    monkeypatch.setattr(consumers, "FIGURES_EVERY_S", 0.01)
    registry = CollectorRegistry()
    keeping = asyncio.create_task(
        consumers.figures(registry, world.app.state.hub.roster.known)(world.app.state.runtime)
    )

    async def become(wanted):
        async with asyncio.timeout(10):
            while registry.get_sample_value("node_lag", {"node": "hohhot"}) != wanted:
                await asyncio.sleep(0.01)

    listener.hear("hb.hohhot", beat(world, feed_seq=7), world.clock())
    await write(world, listener)
    await become(7)
    await world.rows("DELETE FROM nodes_heard")
    await become(None)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_node_is_ready_then_late_then_silent(world, listener):
    started = world.clock()
    for _ in range(3):
        assert listener.hear("hb.hohhot", beat(world), world.clock())
        await write(world, listener)
        world.clock.move(seconds=5)
    now = await node(world)
    assert now["state"] == "ready"
    assert abs((parse(now["since"]) - started).total_seconds()) < 1
    world.clock.move(seconds=15)
    late = await node(world)
    assert late["state"] == "late"
    world.clock.move(seconds=60)
    silent = await node(world)
    assert silent["state"] == "silent"
    assert parse(silent["since"]) - parse(silent["last_beat_at"]) == timedelta(seconds=60)
    back = world.clock()
    listener.hear("hb.hohhot", beat(world), world.clock())
    await write(world, listener)
    again = await node(world)
    assert again["state"] == "ready"
    assert abs((parse(again["since"]) - back).total_seconds()) < 1


def parse(moment):
    from datetime import datetime

    return datetime.fromisoformat(moment)


async def test_the_receipt_says_how_far_the_feed_is_applied(world, facts, listener):
    raws = [world.raw("hohhot", facts.demand(uuid4()), seq=seq) for seq in (1, 2, 4)]
    await world.app.state.runtime.inbox.deliver(raws)
    await write(world, listener)
    receipt = json.loads(listener.hear("hb.hohhot", beat(world, feed_seq=4), world.clock()))
    assert receipt["applied_seq"] == 2
    await write(world, listener)
    detail = (await node(world, headers=await world.operator()))["detail"]
    assert detail["lag"] == 2


async def test_a_beat_confirms_what_the_node_has_applied(world, facts, listener):
    await world.say("hohhot", *(facts.demand(uuid4()) for _ in range(3)))
    await world.rows(
        "UPDATE outbox SET sent_at = now(), feed_seq = n FROM (SELECT id AS i, row_number() OVER (ORDER BY id) AS n"
        " FROM outbox) s WHERE i = id"
    )
    await world.rows("INSERT INTO feeds_out (feed, last_seq) VALUES ('matchmaking', 3)")
    listener.hear("hb.matchmaking", beat(world, "matchmaking", applied_seq=2), world.clock())
    await write(world, listener)
    confirmed = await world.rows("SELECT confirmed_seq FROM feeds_out WHERE feed = 'matchmaking'")
    assert [row["confirmed_seq"] for row in confirmed] == [2]
    operator = await world.operator()
    assert (await node(world, "matchmaking", operator))["detail"]["owed"] == 1


async def test_only_operators_get_details(world, listener):
    skewed = world.clock() + timedelta(seconds=90)
    said = {"unsent": 7, "unconfirmed": 9, "dead_letters": 2, "epoch": 3, "sent_at": skewed.isoformat()}
    listener.hear("hb.hohhot", beat(world, **said), world.clock())
    await write(world, listener)
    assert (await node(world))["detail"] is None
    assert (await node(world, headers=await world.person("some-sme", "sme")))["detail"] is None
    detail = (await node(world, headers=await world.operator()))["detail"]
    assert (detail["unsent"], detail["unconfirmed"], detail["dead_letters"], detail["epoch"]) == (7, 9, 2, 3)
    assert detail["clock_offset_s"] == pytest.approx(90, abs=1)
    assert (await world.http.get("/v1/nodes", headers={"Authorization": "Bearer junk"})).status_code == 401


async def test_a_beat_in_anothers_name_is_ignored(world, listener):
    for subject, payload in (
        ("hb.wuhai", beat(world, "hohhot")),
        ("hb.atlantis", beat(world, "atlantis")),
        ("hb.hub", beat(world, "hub")),
        ("hb.hohhot", b"not json"),
        ("hb.hohhot", b'"hohhot"'),
        ("hb.hohhot", b"[" * 100_000),
        ("hb.hohhot", beat(world, unsent="many")),
    ):
        assert listener.hear(subject, payload, world.clock()) is None
    await write(world, listener)
    assert listener.ignored == 7
    assert await world.rows("SELECT 1 FROM nodes_heard") == []


async def test_beats_outlive_a_failed_write(world, listener):
    listener.hear("hb.hohhot", beat(world), world.clock())
    with pytest.raises(RuntimeError):
        async with world.app.state.runtime.transaction() as tx:
            await tx.close()
            tx.execute = lambda *_: (_ for _ in ()).throw(RuntimeError("away"))
            await listener.write(tx, at=world.clock())
    await write(world, listener)
    assert (await node(world))["state"] == "ready"


async def test_status_page_needs_no_script_and_escapes_everything(world, facts, listener):
    listener.hear("hb.hohhot", beat(world, feed_seq=12), world.clock())
    await write(world, listener)
    provider = uuid4()
    await world.say("baotou", facts.provider(provider), facts.offering(uuid4(), provider))
    await world.say("hohhot", facts.demand(uuid4(), title="<script>alert(1)</script>"))
    answer = await world.http.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    style = answer.text.split("<style>")[1].split("</style>")[0]
    assert b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert "<script" not in answer.text
    assert 'style="' not in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert '<html lang="zh-CN">' in answer.text
    for text in ("呼和浩特窗口平台", "Hohhot window", "未接入", "已提交", "示意图"):
        assert text in answer.text
    assert answer.text.count('<th scope="row">') == 26
