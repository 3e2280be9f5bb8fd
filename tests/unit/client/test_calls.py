"""What the client library does around every call, in both kinds of call."""

import asyncio
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hubnet_client import ApiKey, Bearer, ClientSecret, Refused, aitems, connect, hub, items
from hubnet_client.exchange import MOST_MESSAGES, AsyncPlatform, Platform
from hubnet_client.hub.api.api_keys import post_api_keys
from hubnet_client.hub.api.nodes import post_nodes
from hubnet_client.hub.api.users import get_users
from hubnet_client.hub.models import ApiKeyIn, MemberIn

BY = ClientSecret("id", "secret")
IDS = [f"5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2c{number:02d}" for number in range(3)]
JOIN = MemberIn(id="example", kind="window", zh="示例", en="example", divisions=["150122"])
KEY = ApiKeyIn(name="example", roles=["sme"])
MEMBER = {
    **JOIN.to_dict(), "contacts": [], "created_at": "2026-03-01T00:00:00Z", "epoch": 1, "feed_url": None, "next_en": "",
    "next_zh": "", "reason": None, "since": "2026-03-01T00:00:00Z", "state": "registered", "version": 1, "via": "http",
}  # fmt: skip


class Server:
    """Answers from a list, the last one for ever; an exception breaks the connection."""

    def __init__(self, *answers, expires_in=900):
        self.answers, self.seen, self.grants, self.expires_in = list(answers), [], [], expires_in

    def __call__(self, request):
        if request.url.path == "/oauth/token":
            self.grants.append(dict(httpx.QueryParams(request.content.decode())))
            body = {"access_token": f"t{len(self.grants)}", "expires_in": self.expires_in}
            return httpx.Response(200, json=body)
        # As it is now: the library signs the same request again.
        self.seen.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(*answer[:1], json=answer[1], headers=answer[2])


class Asked:
    """A client of the server; calls in one of the two kinds."""

    def __init__(self, kind):
        self.kind = kind

    def of(self, server, by=BY, patience_s=5.0):
        client = connect(hub.Client, "http://hub", by, patience_s=patience_s, trust_env=False)
        client.get_httpx_client()._transport = httpx.MockTransport(server)
        client.get_async_httpx_client()._transport = httpx.MockTransport(server)
        return client

    async def __call__(self, call, *place, **given):
        if self.kind == "sync":
            return await asyncio.to_thread(call.sync, *place, **given)
        return await call.asyncio(*place, **given)

    async def list(self, found):
        return list(found) if self.kind == "sync" else [one async for one in found]


@pytest.fixture(params=["sync", "asyncio"])
def asked(request):
    return Asked(request.param)


def said(status, body, **headers):
    return status, body, headers


def problem(status, detail, language="zh-CN", **headers):
    body = {"code": "a-code", "detail": detail, "field": "f", "title": "", "status": status}
    return said(status, body, **{"Content-Language": language, **headers})


def page(*ids, then=None):
    user = {
        "username": "example",
        "roles": ["sme"],
        "home": None,
        "active": True,
        "created_at": "2026-03-01T00:00:00Z",
    }
    return said(200, {"items": [user | {"id": id} for id in ids], "next_cursor": then})


async def test_a_refusal_has_both_languages_and_its_code(asked):
    server = Server(problem(422, "不对"), problem(422, "wrong", "en"))
    with pytest.raises(Refused) as told:
        await asked(post_nodes, client=asked.of(server), body=JOIN)
    error = pickle.loads(pickle.dumps(told.value))
    assert (error.status, error.code, error.field, error.zh, error.en) == (
        422,
        "a-code",
        "f",
        "不对",
        "wrong",
    )
    assert [request.headers["Accept-Language"] for request in server.seen] == ["zh", "en"]
    assert len({request.content for request in server.seen}) == 1


async def test_a_call_with_a_key_is_sent_again_with_the_same_one(asked):
    server = Server(httpx.ReadError("broken"), problem(503, "away"), said(201, MEMBER))
    made = await asked(post_nodes, client=asked.of(server), body=JOIN)
    assert (made.id, made.state) == ("example", "registered")
    keys = [request.headers["Idempotency-Key"] for request in server.seen]
    assert len(keys) == 3 and len(set(keys)) == 1
    other = Server(said(201, MEMBER))
    await asked(post_nodes, client=asked.of(other), body=JOIN, idempotency_key="mine")
    assert other.seen[0].headers["Idempotency-Key"] == "mine"


async def test_a_call_without_a_key_is_not_sent_again_when_it_may_have_been_done(asked):
    server = Server(httpx.ReadError("broken"))
    with pytest.raises(httpx.ReadError):
        await asked(post_api_keys, client=asked.of(server), body=KEY)
    assert len(server.seen) == 1
    never_sent = Server(httpx.ConnectError("away"), problem(403, "不可", "zh"), problem(403, "no", "en"))
    with pytest.raises(Refused):
        await asked(post_api_keys, client=asked.of(never_sent), body=KEY)
    assert len(never_sent.seen) == 3


async def test_who_stays_away_is_given_up(asked):
    server = Server(problem(503, "away"))
    with pytest.raises(Refused) as told:
        await asked(get_users, client=asked.of(server, patience_s=0.3))
    assert told.value.status == 503
    assert len(server.seen) > 1


async def test_many_calls_fetch_one_token(asked):
    server = Server(page())
    client = asked.of(server)
    if asked.kind == "sync":
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: get_users.sync(client=client), range(20)))
    else:
        await asyncio.gather(*(get_users.asyncio(client=client) for _ in range(20)))
    assert server.grants == [BY.grant()]
    assert {request.headers["Authorization"] for request in server.seen} == {"Bearer t1"}


async def test_a_token_is_renewed_before_its_end_and_when_it_is_refused(asked):
    ending = Server(page(), expires_in=30)
    client = asked.of(ending, ApiKey("key"))
    for _ in range(2):
        await asked(get_users, client=client)
    assert ending.grants == [ApiKey("key").grant()] * 2
    rotated = Server(problem(401, "旧"), page())
    await asked(get_users, client=asked.of(rotated))
    assert [request.headers["Authorization"] for request in rotated.seen] == ["Bearer t1", "Bearer t2"]
    elsewhere = Server(problem(401, "旧"), problem(401, "old", "en"))
    with pytest.raises(Refused):
        await asked(get_users, client=asked.of(elsewhere, Bearer("theirs")))
    assert elsewhere.grants == []


async def test_a_list_is_read_to_its_end(asked):
    server = Server(page(IDS[0], IDS[1], then=IDS[1]), page(IDS[2]))
    client = asked.of(server)
    read = (
        items(get_users.sync, client=client)
        if asked.kind == "sync"
        else aitems(get_users.asyncio, client=client)
    )
    assert [str(user.id) for user in await asked.list(read)] == IDS
    assert [request.url.params.get("after") for request in server.seen] == [None, IDS[1]]


async def test_messages_are_sent_in_parts_and_counted_through(asked):
    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        lines = [json.loads(line)["id"] for line in request.content.decode().split("\n")[:-1]]
        parts.append(len(lines))
        told = [{"line": number, "id": id, "verdict": "done"} for number, id in enumerate(lines, 1)]
        return httpx.Response(200, json={"done": len(lines), "parked": 0, "again": 0, "lines": told})

    parts = []
    client = asked.of(answer)
    platform = Platform(client, "a") if asked.kind == "sync" else AsyncPlatform(client, "a")
    count = MOST_MESSAGES + 2
    told = await asked.list(platform.send({"id": f"m{number}"} for number in range(1, count + 1)))
    assert parts == [MOST_MESSAGES, 2]
    assert [(line.line, line.id) for line in told] == [
        (number, f"m{number}") for number in range(1, count + 1)
    ]


async def test_messages_are_read_from_where_one_stopped(asked):
    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        after = int(request.url.params.get("after", 3))
        seen.append(after)
        lines = [
            json.dumps({"feedseq": seq, "text": "一\u2028二"}, ensure_ascii=False)
            for seq in range(after + 1, 6)
        ]
        return httpx.Response(200, content="".join(f"{line}\n" for line in lines[:1]).encode())

    seen = []
    client = asked.of(answer)
    platform = Platform(client, "a") if asked.kind == "sync" else AsyncPlatform(client, "a")
    assert [one["feedseq"] for one in await asked.list(platform.messages())] == [4, 5]
    assert seen == [3, 4, 5]
    assert [one["feedseq"] for one in await asked.list(platform.messages(4))] == [5]
