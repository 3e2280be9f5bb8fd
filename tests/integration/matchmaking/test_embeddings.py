"""The cache of vectors, the outage, and the change from one model to another, on a real database."""

import asyncio
import contextlib
import logging
import time
from types import SimpleNamespace

import matchmaking.embeddings.service as serving
import numpy as np
import pytest
import structlog
from common import db, migrate
from common.settings import Settings
from matchmaking.embedders import service as embedders
from matchmaking.embeddings import domain
from matchmaking.embeddings.consumers import Embed
from matchmaking.embeddings.domain import content_hash
from matchmaking.embeddings.service import Embeddings, unread
from matchmaking.matching.fusion import centred
from prometheus_client import CollectorRegistry
from sqlalchemy import LargeBinary, column, select, table, text

from tests.integration.matchmaking.model_servers import meaning, puppet, real_server
from tests.integration.platform import copied, migrated
from tests.servers import TOPOLOGY

NOTES = table("notes", column("text_hash", LargeBinary), column("said"))
SAID = ["牛奶与乳制品检测", "企业流动资金贷款", "机床维修与保养", "电商直播培训"]


@pytest.fixture(scope="module")
def template():
    with migrated(migrate.PACKAGES["matchmaking"]) as name:
        yield name


@pytest.fixture
def few_anchors(monkeypatch):
    """Of each sort of anchor a few: two categories, two expressions of owners, two offerings."""
    named, everyday, fields = domain._named()[:2], domain._everyday()[:2], domain._fields()[:2]
    asked = [domain.wanted(one, "query") for one in (*named, *everyday)]
    few = (*asked, *domain.anchors()[-2:])
    for module in (domain, serving):
        monkeypatch.setattr(module, "anchors", lambda: few)
    monkeypatch.setattr(domain, "_named", lambda: named)
    monkeypatch.setattr(domain, "_everyday", lambda: everyday)
    monkeypatch.setattr(domain, "_fields", lambda: fields)
    return few


class Place:
    """A database with texts in use, and processes that embed them."""

    def __init__(self, url):
        self.url = url
        self.engine = db.engine(url, 8, 0)
        self.sessions = db.sessions(self.engine)
        self._opened = []

    async def texts(self, tx, model, limit):
        query = select(NOTES.c.text_hash, NOTES.c.said).where(unread(model, NOTES.c.text_hash)).limit(limit)
        return [(row.text_hash, row.said) for row in (await tx.execute(query)).all()]

    async def say(self, *said):
        async with self.sessions.begin() as tx:
            for one in said:
                await tx.execute(NOTES.insert().values(text_hash=content_hash(one), said=one))

    async def unsay(self, said):
        async with self.sessions.begin() as tx:
            await tx.execute(NOTES.delete().where(NOTES.c.said == said))

    def process(self, **changes):
        settings = Settings(
            **{"node": "matchmaking", "topology": TOPOLOGY, "database_url": self.url} | changes
        )
        found = Process(self, settings)
        self._opened.append(found)
        return found

    async def rows(self, statement):
        async with self.sessions() as tx:
            return (await tx.execute(text(statement))).all()

    async def close(self):
        for process in self._opened:
            await process.embeddings.close()
        await self.engine.dispose()


class Process:
    """One process of the service, as far as it embeds."""

    def __init__(self, place, settings):
        self.place, self.registry = place, CollectorRegistry()
        self.embeddings = Embeddings(settings, place.texts, registry=self.registry)
        self._embed = Embed(self.embeddings)
        self.runtime = SimpleNamespace(sessions=place.sessions)

    async def embed(self):
        await self._embed(self.runtime)

    async def follow(self):
        async with self.place.sessions.begin() as tx:
            return await self.embeddings.follow(tx)

    async def vectors(self, *said):
        async with self.place.sessions() as tx:
            found = await self.embeddings.vectors(tx, [content_hash(one) for one in said])
        return [found.get(content_hash(one)) for one in said]

    async def read(self, *said):
        return [vector is not None for vector in await self.vectors(*said)]

    def figure(self, name):
        return self.registry.get_sample_value(name)

    @property
    def computed(self):
        return int(self.figure("embeddings_computed_total"))


@pytest.fixture
async def place(template):
    async with copied(template) as url:
        made = Place(url)
        async with made.sessions.begin() as tx:
            await tx.execute(text("CREATE TABLE notes (text_hash bytea PRIMARY KEY, said text)"))
        await made.say(*SAID)
        yield made
        await made.close()


async def test_what_is_said_is_embedded_once_and_found_by_meaning(place, few_anchors):
    process = place.process(embeddings_timeout_s=60)
    assert process.embeddings.state == "away"
    assert await process.embeddings.query("谁能化验鲜奶") is None
    await process.embed()
    assert process.embeddings.state == "serving"
    assert process.computed == len(SAID) + len(few_anchors)
    vectors = np.stack(await process.vectors(*SAID))
    model, query = await process.embeddings.query("谁能化验鲜奶")
    assert model == process.embeddings.model == process.embeddings.space.model
    assert int((vectors @ query).argmax()) == 0
    async with place.sessions() as tx:
        hashes = [content_hash(SAID[0]), content_hash("新的")]
        assert await process.embeddings.missing(tx, hashes) == {hashes[1]}

    written = await place.rows("SELECT content_hash, created_at FROM vectors ORDER BY 1")
    await process.embed()
    assert process.computed == len(written)
    assert await place.rows("SELECT content_hash, created_at FROM vectors ORDER BY 1") == written


async def test_only_a_changed_text_is_embedded_again_and_a_restart_costs_nothing(place, few_anchors):
    await place.process(embeddings_timeout_s=60).embed()
    await place.unsay(SAID[0])
    await place.say("牛奶与乳制品检测，三日出报告")
    later = place.process(embeddings_timeout_s=60)
    await later.embed()
    assert later.computed == 1
    assert later.figure("embeddings_up") == 1.0
    assert later.embeddings.space is not None


async def test_the_space_is_the_same_in_every_process_and_sets_related_texts_apart(place):
    process = place.process(embeddings_timeout_s=60)
    await process.embed()
    other = place.process(embeddings_timeout_s=60)
    await other.follow()
    one, two = process.embeddings.space, other.embeddings.space
    assert (one.mu, one.sigma) == (two.mu, two.sigma)
    assert abs(one.mu) < 0.1 and 0.02 < one.sigma < 0.3
    assert one is (await process.follow())[0].space
    _, query = await process.embeddings.query("谁能化验鲜奶")
    seen = centred(np.stack(await process.vectors(*SAID)), one.mean_passage) @ centred(query, one.mean_query)
    remarkable = (seen - one.mu) / one.sigma
    assert remarkable[0] > 2 and remarkable[1:].max() < remarkable[0] - 1


async def test_two_processes_share_the_work(place, few_anchors):
    await place.say(*(f"第{n}项服务" for n in range(40)))
    one, two = (place.process(embeddings_timeout_s=60) for _ in range(2))
    await asyncio.gather(one.embed(), two.embed())
    assert one.computed + two.computed == 44 + len(few_anchors)
    await asyncio.gather(one.embed(), two.embed())
    assert all(await two.read(*SAID)) and all(await one.read(*SAID))
    assert two.embeddings.space.mu == one.embeddings.space.mu


async def test_the_turn_of_a_process_that_died_passes_to_another(place, few_anchors):
    async with puppet() as server:
        asked = {"embeddings": server.url, "embeddings_model": "m"}
        dead, alive = place.process(**asked), place.process(**asked)
        (link,) = await dead.follow()
        async with place.sessions.begin() as tx:
            assert await dead.embeddings.claim(tx, link, 8)
        await alive.embed()
        assert alive.computed == 0
        async with place.sessions.begin() as tx:
            await tx.execute(
                text("UPDATE memos SET value = value || '{\"until\": 1}' WHERE key LIKE 'embeddings:%'")
            )
        await alive.embed()
        assert alive.computed == len(SAID) + len(few_anchors)


@pytest.fixture
def logged():
    """What is logged meanwhile, whatever another test has set as the least level."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    with structlog.testing.capture_logs() as lines:
        yield lines
    structlog.configure(**before)


async def test_a_killed_server_costs_one_wait_and_comes_back(place, few_anchors, monkeypatch, logged):
    monkeypatch.setattr(serving, "REST_S", 0.0)
    with real_server() as server:
        process = place.process(embeddings=server.url, embeddings_model="e5", embeddings_timeout_s=30)
        await process.embed()
        model, _ = await process.embeddings.query("甲")
        server.kill()
        assert await process.embeddings.query("乙") is None
        assert process.embeddings.state == "away"
        assert process.figure("embeddings_up") == 0.0
        assert model == (await process.embeddings.query("甲"))[0]  # still known
        await place.say("新的服务")
        await process.embed()
        assert await process.read("新的服务") == [False]
        assert all(await process.read(*SAID))
        server.start()
        await process.embed()
        assert process.embeddings.state == "serving"
        assert (await process.embeddings.query("乙"))[0] == model
        assert await process.read("新的服务") == [True]
    assert "embedder-away" in str(logged)


async def test_during_an_outage_no_further_match_waits(place, few_anchors):
    async with puppet() as server:
        process = place.process(embeddings=server.url, embeddings_model="m", embeddings_timeout_s=0.5)
        await process.embed()
        hanging = asyncio.Event()

        async def hang(body):
            await hanging.wait()
            return server.well(body)

        server.answer = hang

        assert await process.embeddings.query("甲") is None
        calls = len(server.asked)
        started = time.monotonic()
        assert [await process.embeddings.query(f"乙{n}") for n in range(20)] == [None] * 20
        assert time.monotonic() - started < 0.5
        assert len(server.asked) == calls
        hanging.set()


async def test_texts_are_read_when_nobody_else_wants_the_processor_or_has_wanted_it_for_long(
    place, few_anchors
):
    async with puppet() as server:
        process = place.process(embeddings=server.url, embeddings_model="m")
        await process.embed()
        await place.say("先等后读")
        process.embeddings.give_way(3600, 3600)
        reading = asyncio.create_task(process.embed())
        done, _ = await asyncio.wait({reading}, timeout=1)
        assert not done and "先等后读" not in server.texts
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        process.embeddings.give_way(3600, 0.05)
        await process.embed()
        assert server.texts.count("先等后读") == 1


async def test_a_query_is_asked_once(place, few_anchors):
    async with puppet() as server:
        process = place.process(embeddings=server.url, embeddings_model="m")
        await process.embed()
        first, again = await process.embeddings.query("甲"), await process.embeddings.query(" 甲 ")
        assert np.array_equal(first[1], again[1])
        assert server.texts.count("甲") == 1
        assert await process.embeddings.query(" ") is None


async def test_a_text_a_model_refuses_does_not_hold_up_the_others(place, few_anchors, logged):
    async with puppet() as server:
        server.answer = lambda body: (413, b"{}") if SAID[1] in body["input"] else server.well(body)
        process = place.process(embeddings=server.url, embeddings_model="m")
        await process.embed()
        assert await process.read(*SAID) == [True, False, True, True]
        asked = len(server.asked)
        await process.embed()
        assert len(server.asked) == asked
    out = str(logged)
    assert "text-refused" in out and SAID[1] not in out


async def test_while_only_passages_fail_queries_go_on(place, few_anchors):
    async with puppet() as server:
        server.answer = lambda body: (503, b"{}") if SAID[0] in body["input"] else server.well(body)
        process = place.process(embeddings=server.url, embeddings_model="m")
        await process.embed()
        assert process.embeddings.state == "serving"
        assert await process.embeddings.query("甲") is not None
        asked = server.texts.count(SAID[0])
        await process.embed()
        assert server.texts.count(SAID[0]) == asked == 1
        assert not any(await process.read(*SAID))


async def test_a_server_that_refuses_everything_marks_no_text(place, few_anchors):
    async with puppet() as server:
        server.answer = lambda body: (400, b"{}")
        process = place.process(embeddings=server.url, embeddings_model="m")
        await process.embed()
        assert process.embeddings.state == "away"
        assert await place.rows("SELECT 1 FROM vectors") == []


async def test_the_old_model_serves_until_the_new_one_has_read_everything(place, few_anchors):
    async with puppet() as server:
        old = place.process(embeddings_timeout_s=60)
        await old.embed()
        embedded = old.embeddings.model
        release = asyncio.Event()

        async def held(body):
            await release.wait()
            return server.well(body)

        server.answer = held
        new = place.process(embeddings=server.url, embeddings_model="m", embeddings_timeout_s=30)
        working = asyncio.create_task(new.embed())
        async with asyncio.timeout(30):
            while not server.asked:
                await asyncio.sleep(0.01)
        assert new.embeddings.model == embedded
        assert (await new.embeddings.query("谁能化验鲜奶"))[0] == embedded
        assert all(await new.read(*SAID))
        before = new.embeddings.space
        release.set()
        await working
        changed, query = await new.embeddings.query("谁能化验鲜奶")
        assert changed == new.embeddings.model != embedded
        assert np.allclose(query, unit(meaning("谁能化验鲜奶", 8)), atol=1e-5)
        assert new.embeddings.space is not before
        async with place.sessions() as tx:
            held = await new.embeddings.vectors(tx, [content_hash(SAID[0])], embedded)
        assert {len(vector) for vector in held.values()} == {384}
        assert {len(vector) for vector in await new.vectors(*SAID)} == {8}
        assert {row.model for row in await place.rows("SELECT DISTINCT model FROM vectors")} == {
            embedded,
            changed,
        }

        await old.embed()
        assert old.embeddings.model == changed, "the other process follows, and does not change it back"
        assert (await old.embeddings.query("甲"))[0] == changed
        await new.embed()
        assert new.embeddings.model == changed

        asked = len(server.asked)
        back = place.process(embeddings_timeout_s=60)
        await back.embed()
        assert back.embeddings.model == embedded, "a process started later decides"
        assert back.computed == 0
        assert len(server.asked) <= asked + 1


def unit(numbers):
    return np.array(numbers, np.float32) / np.linalg.norm(numbers)


async def test_an_old_model_that_is_gone_does_not_serve_for_ever(place, few_anchors, monkeypatch):
    monkeypatch.setattr(serving, "REST_S", 0.0)
    async with contextlib.AsyncExitStack() as first:
        gone = await first.enter_async_context(puppet())
        await place.process(embeddings=gone.url, embeddings_model="m").embed()
    async with puppet() as server:
        await place.say(*(f"第{n}项服务" for n in range(3)))
        new = place.process(embeddings=server.url, embeddings_model="m")

        def only_anchors(body):
            known = {anchor.text for anchor in few_anchors} | {serving.PROBE}
            return server.well(body) if known.issuperset(body["input"]) else (500, b"{}")

        server.answer = only_anchors
        await new.embed()
        old = new.embeddings.model
        assert new.embeddings.state == "away"
        monkeypatch.setattr(serving, "ABANDON_S", 0.0)
        server.answer = server.well
        await new.embed()
        assert new.embeddings.model != old
        assert new.embeddings.state == "serving"


async def test_vectors_of_another_length_than_those_kept_are_not_used(place, few_anchors):
    async with puppet() as server:
        await place.process(embeddings=server.url, embeddings_model="m").embed()
        server.dimensions = 16
        later = place.process(embeddings=server.url, embeddings_model="m")
        await later.embed()
        assert later.embeddings.state == "away"
        assert await later.embeddings.query("甲") is None


@pytest.mark.parametrize("why", ["off", "absent"])
async def test_without_a_model_it_is_off(place, monkeypatch, why):
    if why == "absent":
        monkeypatch.setattr(embedders, "_release", lambda: None)
    process = place.process(embeddings="off" if why == "off" else "embedded")
    await process.embed()
    assert process.embeddings.state == "off"
    assert process.embeddings.model is None and process.embeddings.space is None
    assert await process.embeddings.query("甲") is None
    assert not any(await process.read(*SAID))
    assert await place.rows("SELECT 1 FROM vectors") == []
