"""The hub fetches from platforms what they publish: only where an operator approved, and nothing is lost."""

import asyncio
import contextlib
import json
from uuid import uuid4

import pytest
import uvicorn
from hub.pulls import consumers
from prometheus_client import CollectorRegistry

from tests.integration.hub.handing_in import copies, offering, provider


class Feed:
    """A platform that publishes pages; `asked` are the queries and headers it got."""

    def __init__(self):
        self.pages, self.asked, self.status = {}, [], 200

    async def __call__(self, scope, receive, send):
        query = dict(pair.split("=", 1) for pair in scope["query_string"].decode().split("&"))
        self.asked.append((query, dict(scope["headers"])))
        body = self.pages.get(query.get("after"), b"{}")
        headers = [(b"content-type", b"application/json"), (b"location", b"http://127.0.0.1:1/")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send(
            {
                "type": "http.response.body",
                "body": body if isinstance(body, bytes) else json.dumps(body).encode(),
            }
        )


@contextlib.asynccontextmanager
async def served(app):
    """An app behind a real address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/feed"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def feed():
    made = Feed()
    async with served(made) as made.url:
        yield made


async def approved(world, url, declared=None):
    await world.rows("UPDATE members SET feed_url = $1 WHERE id = 'baotou'", declared or url)
    return await world.http.put("/v1/nodes/baotou/pull", json={"url": url}, headers=await world.operator())


@pytest.fixture
async def failures(world, monkeypatch):
    """Wait until the figure of Baotou's feed is this; None: there is none."""
    monkeypatch.setattr(consumers, "FIGURES_EVERY_S", 0.01)
    registry = CollectorRegistry()
    keeping = asyncio.create_task(consumers.figures(registry)(world.app.state.runtime))

    async def become(wanted):
        async with asyncio.timeout(10):
            while registry.get_sample_value("pull_failures", {"node": "baotou"}) != wanted:
                await asyncio.sleep(0.01)

    yield become
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def fetch(world):
    hub = world.app.state.hub
    await consumers.work(hub.roster.known, hub.pepper)(world.app.state.runtime)


async def how(world):
    return (await world.http.get("/v1/nodes/baotou/pull", headers=await world.operator())).json()


async def test_pages_are_fetched_to_the_end_and_only_news_after_that(world, feed):
    lab, tests = uuid4(), [uuid4() for _ in range(3)]
    feed.pages = {
        None: {"items": [provider(lab), offering(tests[0], lab)], "next_cursor": "a", "more": True},
        "a": {"items": [{"noun": "offering"}, offering(tests[1], lab)], "next_cursor": "b", "more": False},
        "b": {"items": [], "next_cursor": "b", "more": False},
    }
    assert (await approved(world, feed.url)).status_code == 200
    await fetch(world)
    assert {row[0] for row in await copies(world)} == {lab, *tests[:2]}
    assert [query.get("after") for query, _ in feed.asked] == [None, "a"]
    await fetch(world)
    assert len(feed.asked) == 2  # not before its time
    feed.pages["b"] = {"items": [offering(tests[2], lab)], "next_cursor": "c", "more": False}
    world.clock.move(seconds=31)
    await fetch(world)
    assert len(await copies(world)) == 4
    told = await how(world)
    assert (told["failures"], told["error"]) == (0, None)


async def test_a_feed_that_fails_is_told_and_asked_again_later(world, feed, failures):
    """A silent source is an alert, not "0 added"."""
    await approved(world, feed.url)
    for status, body, error in (
        (500, b"", "status-500"), (302, b"", "status-302"), (200, b"nonsense", "no-page"),
        (200, b" " * (33 * 1024 * 1024), "too-large"), (409, b'{"code": "cursor-unknown"}', "cursor-unknown"),
    ):  # fmt: skip
        feed.status, feed.pages[None] = status, body
        await fetch(world)
        told = await how(world)
        assert (told["error"], told["heard_at"]) == (error, None)
        world.clock.move(minutes=16)
    assert told["failures"] == 5
    await failures(5)
    assert len(feed.asked) == 5  # no redirect was followed
    feed.status, feed.pages[None] = 200, {"items": [provider(uuid4())], "next_cursor": "z"}
    await fetch(world)
    assert (await how(world))["failures"] == 0
    await failures(0)
    assert (await world.http.delete("/v1/nodes/baotou/pull", headers=await world.operator())).is_success
    await failures(None)


async def test_only_what_was_declared_and_approved_is_asked(world, feed):
    refused = await approved(world, feed.url, declared="https://other.example/feed")
    assert (refused.status_code, refused.json()["code"]) == (409, "feed-not-declared")
    staff = await world.person("pusher", "window_staff", home="baotou")
    await world.rows("UPDATE members SET feed_url = $1 WHERE id = 'baotou'", feed.url)
    own = await world.http.put("/v1/nodes/baotou/pull", json={"url": feed.url}, headers=staff)
    assert own.status_code == 403
    for url in (
        "http://10.0.0.1/feed", "http://169.254.169.254/latest", "ftp://127.0.0.1/", "file:///etc/passwd",
        "https://user:word@window.example/", "http://window.example/", "http://127.0.0.1@10.0.0.1/", "nonsense",
        "http://[::ffff:10.0.0.1]/", "gopher://127.0.0.1/", "http://localhost.example/",
    ):  # fmt: skip
        refused = await approved(world, url)
        assert (url, refused.status_code, refused.json()["code"]) == (url, 422, "feed-address")
    await approved(world, feed.url)
    await world.rows("UPDATE members SET feed_url = 'https://elsewhere.example/' WHERE id = 'baotou'")
    await fetch(world)
    assert feed.asked == []
    assert (await how(world))["error"] == "feed-changed"
    gone = await world.http.delete("/v1/nodes/baotou/pull", headers=await world.operator())
    assert gone.status_code == 204
    assert (await world.http.get("/v1/nodes/baotou/pull", headers=staff)).status_code == 404


async def test_what_the_hub_shows_a_foreign_platform_opens_nothing_elsewhere(world, feed):
    feed.pages[None] = {"items": [], "next_cursor": "a"}
    await world.rows("UPDATE members SET via = 'http' WHERE id = 'baotou'")
    await world.app.state.hub.roster.refresh(world.app.state.runtime)
    await approved(world, feed.url)
    await fetch(world)
    shown = dict(feed.asked[0][1])[b"authorization"].decode()
    answer = await world.http.get("/v1/nodes/baotou/snapshots", headers={"Authorization": shown})
    assert answer.status_code == 401
