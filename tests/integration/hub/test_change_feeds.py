"""What the hub took over of a platform, read by position: nothing is lost, nothing is told twice for nothing."""

import asyncio
import json
from uuid import uuid4

import asyncpg
import pytest

from tests.integration.hub.handing_in import offering, provider

PATH = "/v1/nodes/baotou/catalogue/changes"


@pytest.fixture
async def reader(world):
    """Read the feed from a position; what it told, and the position behind it."""
    staff = await world.person("reader", "window_staff", home="baotou")

    async def read(after=None, **query):
        query |= {"after": after} if after else {}
        answer = await world.http.get(PATH, params=query, headers=staff)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        return [(x["noun"], x["id"], x["version"]) for x in page["items"]], page["next_cursor"], page["more"]

    read.staff = staff
    return read


async def test_the_newest_state_of_each_record_in_the_order_of_commits(world, push, reader):
    lab, tests = str(uuid4()), sorted(str(uuid4()) for _ in range(3))
    await push(*(offering(id, lab) for id in tests), provider(lab))
    first, cursor, more = await reader()
    assert first == [("provider", lab, 1), *(("offering", id, 1) for id in tests)]
    assert not more
    assert (await reader(cursor))[:2] == ([], cursor)
    await push(
        offering(tests[0], lab, 2), {"noun": "offering", "id": tests[1], "version": 2, "deleted": True}
    )
    assert (await reader(cursor))[0] == [("offering", tests[0], 2), ("offering", tests[1], 2)]
    whole, _, _ = await reader()
    assert whole == [
        ("provider", lab, 1), ("offering", tests[2], 1), ("offering", tests[0], 2), ("offering", tests[1], 2),
    ]  # fmt: skip
    answer = await world.http.get(PATH, headers=reader.staff)
    gone = answer.json()["items"][-1]
    assert (gone["deleted"], gone["data"]["state"]) == (True, "retired")


async def test_pages_hold_everything_once(push, reader):
    lab = str(uuid4())
    await push(provider(lab), *(offering(uuid4(), lab) for _ in range(10)))
    seen, cursor, more = [], None, True
    while more:
        page, cursor, more = await reader(cursor, limit=3)
        assert len(page) <= 3
        seen += page
    assert len(seen) == len(set(seen)) == 11


async def test_what_commits_late_is_not_passed_by(world, push, reader, facts):
    """A cursor over numbers given at writing would have gone on over it."""
    late, early = uuid4(), uuid4()
    await world.say("baotou", facts.provider(late, 1))
    _, cursor, _ = await reader()
    slow = await asyncpg.connect(world.settings.database_url)
    try:
        running = slow.transaction()
        await running.start()
        await slow.execute("UPDATE catalogue_providers SET version = 2 WHERE id = $1", late)
        await world.say("baotou", facts.provider(early, 1))
        page, behind, _ = await reader(cursor)
        assert page == []  # the later one waits for the earlier one
        await running.commit()
    finally:
        await slow.close()
    page, _, _ = await reader(behind)
    assert {(id, version) for _, id, version in page} == {(str(late), 2), (str(early), 1)}


async def test_whoever_waits_is_told_at_once(push, reader):
    lab = str(uuid4())
    _, cursor, _ = await reader()
    waiting = asyncio.create_task(reader(cursor, wait=20))
    await push(provider(lab))
    async with asyncio.timeout(15):
        assert (await waiting)[0] == [("provider", lab, 1)]


async def test_a_stream_goes_on_where_it_broke(world, push, reader):
    lab, test = str(uuid4()), str(uuid4())
    await push(provider(lab))

    async def events(**headers):
        answer = await world.http.get(
            PATH, params={"seconds": 0}, headers=reader.staff | {"Accept": "text/event-stream"} | headers
        )
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.text.splitlines()
        told = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        return [x["id"] for x in told], [line[4:] for line in lines if line.startswith("id: ")][-1]

    told, last = await events()
    assert told == [lab]
    await push(offering(test, lab))
    assert (await events(**{"Last-Event-ID": last}))[0] == [test]


@pytest.mark.parametrize("cursor", ["x", "a" * 34, "é", "AAAA", "A" * 65, "=" * 34, "!!!!"])
async def test_a_position_of_no_feed_is_refused_in_words(world, reader, cursor):
    answer = await world.http.get(PATH, params={"after": cursor}, headers=reader.staff)
    assert answer.status_code in (409, 422)
    assert answer.json()["field"].endswith("after")


async def test_a_position_of_another_database_is_named_as_such(world, reader):
    from common.feeds import Position

    ahead = Position(2**60).text()
    answer = await world.http.get(PATH, params={"after": ahead}, headers=reader.staff)
    assert (answer.status_code, answer.json()["code"]) == (409, "cursor-unknown")


async def test_what_comes_over_the_bus_is_in_the_feed_too(world, reader, facts):
    lab = uuid4()
    await world.say("baotou", facts.provider(lab))
    await world.say("wuhai", facts.provider(uuid4()))
    assert [id for _, id, _ in (await reader())[0]] == [str(lab)]
