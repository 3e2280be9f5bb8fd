"""The bus over HTTP: the same messages, once each, in order, and never lost before they are confirmed."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hubnet_client import ClientSecret, connect
from hubnet_client.exchange import AsyncPlatform
from hubnet_client.hub import Client
from hubnet_client.hub.api.nodes import post_nodes_id_conformance, post_nodes_id_heartbeats
from hubnet_client.hub.models import BeatIn, RunIn

NODE = "example-window"
NDJSON = {"Content-Type": "application/x-ndjson"}


class Talking:
    """A platform on probation, with its key."""

    def __init__(self, hub, headers, client):
        self.hub, self.headers, self.client = hub, headers, client

    async def say(self, *envelopes):
        body = "\n".join(
            one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in envelopes
        )
        answer = await self.hub.http.post(
            f"/v1/nodes/{NODE}/messages", content=body.encode(), headers=self.headers | NDJSON
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def read(self, **query):
        answer = await self.hub.http.get(f"/v1/nodes/{NODE}/messages", params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    async def probed(self):
        """A conformance run put three messages into its feed."""
        await post_nodes_id_conformance.asyncio(NODE, client=self.client, body=RunIn())
        async with asyncio.timeout(20):
            while len(await self.read(after=0)) < 3:
                await asyncio.sleep(0.05)

    async def beat(self, applied_seq):
        body = BeatIn(
            node=NODE, epoch=1, sent_at=datetime(2026, 11, 23, 2, tzinfo=UTC), feed_seq=0, applied_seq=applied_seq,
            unsent=0, unconfirmed=0, dead_letters=0, release="1",
        )  # fmt: skip
        return await post_nodes_id_heartbeats.asyncio(NODE, client=self.client, body=body)


@pytest.fixture
async def talking(hub):
    key = await hub.join(NODE, "150123")
    by = ClientSecret(key["client_id"], key["client_secret"])
    async with connect(Client, hub.url, by, trust_env=False) as client:
        yield Talking(hub, await hub.grant(**by.grant()), client)


def said(noun="provider", source=NODE, **other):
    id = str(uuid4())
    data = {
        "id": id, "version": 1, "name": "示例机构", "credit_code": "91000000MA0000000N", "division": "150123",
        "state": "active",
    }  # fmt: skip
    return {
        "specversion": "1.0", "id": str(uuid4()), "type": f"{noun}.announced.v1", "source": source, "subject": id,
        "time": "2026-11-23T02:00:00Z", "entityversion": 1, "correlationid": id, "data": data,
    } | other  # fmt: skip


async def test_a_message_has_its_effect_once_and_is_kept_whole(talking):
    message = said()
    for _ in range(2):
        assert (await talking.say(message))["done"] == 1
    page = await talking.hub.get(f"/v1/nodes/{NODE}/catalogue/changes")
    # What it left out is filled in, as everybody reads it later.
    assert [(one["id"], one["data"]["categories"]) for one in page["items"]] == [(message["subject"], [])]


async def test_each_refusal_names_the_rule_and_the_mend_and_holds_no_other(talking):
    spoilt = {
        "not-json": "{",
        "bad-envelope": said(time="yesterday"),
        "foreign-source": said(source="hohhot"),
        "unknown-type": said("nonsense"),
        "bad-data": said(entityversion=2),
    }
    told = await talking.say(said(), *spoilt.values(), said())
    assert (told["done"], told["parked"], told["again"]) == (2, len(spoilt), 0)
    assert [line["code"] for line in told["lines"]] == [None, *spoilt, None]
    assert all(line["message"] and line["detail"] for line in told["lines"][1:-1])
    # Sent again unchanged, it is refused in the same words.
    assert (await talking.say(spoilt["bad-data"]))["lines"][0]["code"] == "bad-data"


async def test_messages_come_in_order_without_a_gap_until_they_are_confirmed(talking):
    waiting = asyncio.create_task(talking.read(wait=20))
    await talking.probed()
    first = await waiting
    assert [message["feedseq"] for message in first] == list(range(1, len(first) + 1))
    whole = await talking.read()
    assert [message["feedseq"] for message in whole] == [1, 2, 3]
    assert whole == await talking.read(after=0)
    assert [message["feedseq"] for message in await talking.read(after=1, limit=1)] == [2]
    assert whole[2]["hubnetprobe"] == "unknown"
    await talking.beat(2)
    assert [message["feedseq"] for message in await talking.read()] == [3]
    # Confirmed is not forgotten: who lost its database reads from the start.
    assert len(await talking.read(after=0)) == 3


async def test_messages_are_pushed_and_a_broken_stream_goes_on(talking):
    await talking.probed()

    async def pushed(**headers):
        answer = await talking.hub.http.get(
            f"/v1/nodes/{NODE}/messages", params={"seconds": 0},
            headers=talking.headers | {"Accept": "text/event-stream"} | headers,
        )  # fmt: skip
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [line[4:] for line in answer.text.splitlines() if line.startswith("id: ")]

    assert await pushed() == ["1", "2", "3"]
    assert await pushed(**{"Last-Event-ID": "2"}) == ["3"]


async def test_the_client_library_follows_what_is_said_and_taken_over(talking):
    platform = AsyncPlatform(talking.client, NODE)

    async def first(followed, count):
        return [await anext(followed) for _ in range(count)]

    mail = asyncio.create_task(first(platform.messages(0, follow=True), 3))
    taken = asyncio.create_task(first(platform.changes(follow=True), 2))
    await talking.probed()
    told = [line async for line in platform.send([said(), said(source="hohhot"), said()])]
    assert [(line.line, line.verdict, line.code) for line in told] == [
        (1, "done", None), (2, "parked", "foreign-source"), (3, "done", None),
    ]  # fmt: skip
    async with asyncio.timeout(20):
        assert [message["feedseq"] for message in await mail] == [1, 2, 3]
        changes = await taken
    assert {change.noun for change, _ in changes} == {"provider"}
    assert [change async for change in platform.changes(changes[-1][1])] == []


async def test_the_mail_of_a_platform_is_its_own(talking):
    other = await talking.hub.join("other-window", "150122")
    stranger = await talking.hub.grant(
        grant_type="client_credentials", client_id=other["client_id"], client_secret=other["client_secret"]
    )
    path = f"/v1/nodes/{NODE}/messages"
    assert (await talking.hub.http.get(path, headers=stranger)).status_code == 404
    body = json.dumps(said()).encode()
    assert (await talking.hub.http.post(path, content=body, headers=stranger | NDJSON)).status_code == 404
    bus = await talking.hub.http.get("/v1/nodes/hohhot/messages", headers=await talking.hub.operator())
    assert (bus.status_code, bus.json()["code"]) == (409, "member-on-the-bus")


async def test_a_platform_restored_from_a_backup_is_told_its_epoch_and_says_when_it_is_done(talking):
    def path(rest=""):
        return f"/v1/nodes/{NODE}/restorations{rest}"

    async def done(headers=talking.headers):
        answer = await talking.hub.http.post(path("/completion"), headers=headers)
        return answer.status_code, answer.json()

    async def beat(epoch):
        answer = await talking.hub.http.post(
            f"/v1/nodes/{NODE}/heartbeats", headers=talking.headers,
            json={
                "node": NODE, "epoch": epoch, "sent_at": "2026-11-23T02:00:00Z", "feed_seq": 0, "applied_seq": 0,
                "unsent": 0, "unconfirmed": 0, "dead_letters": 0, "release": "1",
            },
        )  # fmt: skip
        return answer.json()

    assert (await talking.say(said()))["done"] == 1
    assert (await done())[0] == 404
    ordered = await talking.hub.http.post(path(), headers=await talking.hub.operator())
    assert (ordered.status_code, ordered.json()["epoch"]) == (201, 2)
    async with asyncio.timeout(20):
        while not (receipt := await beat(1)).get("restore"):
            await asyncio.sleep(0.1)
    assert receipt["restore"]["epoch"] == 2 and receipt["fenced"] == "restoration"
    refused = await done()
    assert (refused[0], refused[1]["code"]) == (409, "epoch-not-taken")
    async with asyncio.timeout(20):
        while (await beat(2)).get("fenced"):
            await asyncio.sleep(0.1)
    again = said(entityepoch=2)
    again["data"] |= {"epoch": 2}
    assert (await talking.say(again))["done"] == 1
    status, ended = await done()
    assert (status, ended["state"], ended["lost_cases"]) == (200, "ended", [])
    assert await done() == (200, ended)
    assert (await talking.hub.get(path()))["items"] == [ended]
    stranger = await talking.hub.join("another-window", "150124")
    others = await talking.hub.grant(
        grant_type="client_credentials",
        client_id=stranger["client_id"],
        client_secret=stranger["client_secret"],
    )
    assert (await done(others))[0] == 404
