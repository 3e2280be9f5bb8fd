"""What matchmaking tells a provider: kept by version, the owner's alone, pushed as it comes."""

import asyncio
import contextlib
import json
import time

import httpx
import pytest
import uvicorn
from common.contracts.opportunities import DemandNotice, OpportunityClosed, OpportunityFound
from common.ids import derived, new
from common.inbox import Verdict

from tests.integration.agency.conftest import registration

AT = "/v1/opportunities"


@pytest.fixture
def found(platform, provider):
    """Make the fact that a demand fits an offering of `agency`'s provider."""

    def make(name="milk", kind=OpportunityFound, version=1, **changes):
        given = {
            "id": derived("opportunity", name), "version": version, "demand_id": derived("demand", name),
            "demand_window": "hohhot", "platform": platform.node, "provider_id": provider["id"],
            "offering_id": derived("offering", "o"), "offering_title": "牛奶检测", "score": 0.75,
            "reason_zh": "说明中有您所说的“牛奶”。", "reason_en": "It answers to 牛奶.", "state": "open",
            "found_at": platform.clock(),
            "demand": DemandNotice(
                number="D-1", title=f"{name} 化验", text="蛋白质", division="150102", size_class="small",
            ),
        } | changes  # fmt: skip
        return kind.model_validate(given)

    return make


@pytest.fixture
def closed(found):
    def make(name="milk", version=2, **changes):
        return found(
            name, OpportunityClosed, version, **{"state": "closed", "state_reason": "awarded"} | changes
        )

    return make


async def hear(platform, fact, **how):
    return await platform.hear(fact, source=how.pop("source", "matchmaking"), recipient=platform.node, **how)


async def items(who, query=""):
    answer = await who.get(f"{AT}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_what_was_found_is_the_owners_and_closes(platform, agency, other, staff, found, closed):
    assert await hear(platform, found()) is Verdict.DONE
    (seen,) = await items(agency)
    assert (seen["state"], seen["demand"]["title"], seen["score"]) == ("open", "milk 化验", 0.75)
    assert (await agency.get(f"{AT}/{seen['id']}")).json() == seen
    assert await items(staff) == [seen]
    far = platform.caller("far", "window_staff", "agency", home="wuhai")
    for who in (other, far):
        assert await items(who) == []
        assert (await who.get(f"{AT}/{seen['id']}")).status_code == 404
        assert (await who.get(f"{AT}/unread")).json() == {"unread": 0}
        for act in ("viewing", "dismissal"):
            assert (await who.post(f"{AT}/{seen['id']}/{act}")).status_code == 404
    assert (await platform.caller("far", "window_staff", home="wuhai").get(AT)).status_code == 403
    assert (await platform.caller("x", "sme").get(AT)).status_code == 403
    assert await hear(platform, closed()) is Verdict.DONE
    (seen,) = await items(agency, "?state=closed")
    assert (seen["state"], seen["state_reason"]) == ("closed", "awarded")
    assert await items(agency, "?state=open") == []


async def test_doubled_and_reordered_tellings_are_harmless(platform, agency, found, closed):
    last = found(version=3, offering_title="更合适")
    for fact in (closed(), found(), last, closed(), found(), last):
        assert await hear(platform, fact) is Verdict.DONE
    (seen,) = await items(agency)
    assert (seen["version"], seen["state"], seen["offering_title"]) == (3, "open", "更合适")
    message = new()
    for _ in range(2):
        assert await hear(platform, closed(version=4), message_id=message) is Verdict.DONE
    assert [o["version"] for o in await items(agency)] == [4]


async def test_only_matchmaking_tells_and_only_of_providers_here(platform, agency, found):
    assert await hear(platform, found(), source="hohhot") is Verdict.PARKED
    assert await hear(platform, found(provider_id=new())) is Verdict.PARKED
    assert await hear(platform, found(platform="wuhai")) is Verdict.PARKED
    assert await items(agency) == []
    assert {r["reason"] for r in await platform.rows("SELECT reason FROM dead_letters")} == {
        "foreign-opportunity"
    }


async def test_it_pages_newest_first_and_filters(platform, agency, provider, found, closed):
    for n in range(5):
        await hear(platform, found(f"d{n}", offering_id=derived("offering", str(n % 2))))
    await hear(
        platform, closed("d1", offering_id=derived("offering", "1"))
    )  # a change leaves it where it stands
    titles, query = [], "?limit=2"
    while query:
        page = (await agency.get(AT + query)).json()
        titles += [o["demand"]["title"][:2] for o in page["items"]]
        query = page["next_cursor"] and f"?limit=2&after={page['next_cursor']}"
    assert titles == ["d4", "d3", "d2", "d1", "d0"]
    assert len(await items(agency, f"?offering_id={derived('offering', '1')}")) == 2
    assert len(await items(agency, f"?provider_id={provider['id']}&state=open")) == 4
    assert await items(agency, f"?provider_id={new()}") == []
    assert (await agency.get(f"{AT}?state=lost")).status_code == 422


async def test_reading_and_dismissing_stay_here(platform, agency, staff, found, closed):
    for name in ("a", "b", "c"):
        await hear(platform, found(name))

    async def unread():
        return (await agency.get(f"{AT}/unread")).json()["unread"]

    a, b, _ = (f"{AT}/{derived('opportunity', name)}" for name in ("a", "b", "c"))
    assert await unread() == 3
    read = await agency.post(f"{a}/viewing")
    assert read.status_code == 200
    assert read.json()["read_at"] is not None
    platform.clock.forward(hours=1)
    assert (await agency.post(f"{a}/viewing")).json() == read.json()
    gone = await agency.post(f"{b}/dismissal", json={"reason": "产能已满"})
    assert (gone.status_code, gone.json()["dismissed_reason"]) == (200, "产能已满")
    assert (await agency.post(f"{b}/dismissal")).json() == gone.json()
    assert await unread() == 1
    assert [o["id"] for o in await items(agency, "?dismissed=true")] == [gone.json()["id"]]
    assert gone.json()["id"] not in [o["id"] for o in await items(agency)]
    # News makes it unread again, but what was dismissed stays so.
    await hear(platform, found("a", version=2))
    await hear(platform, found("b", version=2))
    assert await unread() == 2
    await hear(platform, closed("a", version=3))
    assert await unread() == 1
    assert await platform.said("opportunity.%") == []
    acts = await platform.rows("SELECT action FROM audit WHERE action LIKE 'opportunity.%' ORDER BY id")
    assert [r["action"] for r in acts] == ["opportunity.viewed", "opportunity.dismissed"]
    assert (await staff.post(f"{a}/viewing")).status_code == 403


class Served(uvicorn.Server):
    """The app on a port of its own, in this loop; it ends its streams before it waits for them."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield

    async def shutdown(self, sockets=None):
        self.config.app.state.streams.close()
        await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def serving(app):
    server = Served(uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    (socket,) = server.servers[0].sockets
    server.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    try:
        yield server
    finally:
        server.should_exit = True
        async with asyncio.timeout(10):
            await task


@pytest.fixture
async def served(platform):
    async with serving(platform.app) as server:
        yield server


class Stream:
    """Server-sent events as a client reads them."""

    def __init__(self, response):
        self.response, self._lines = response, response.aiter_lines()

    async def next(self, within=5.0):
        """The next event; None at the end."""
        event = {}
        async with asyncio.timeout(within):
            async for line in self._lines:
                if not line and event:
                    return event | {"data": json.loads(event["data"])}
                name, _, value = line.partition(": ")
                if name:
                    event[name] = value
        return None

    async def rest(self):
        events = []
        while (event := await self.next()) is not None:
            events.append(event)
        return events


@contextlib.asynccontextmanager
async def listening(server, who, last=None, query=""):
    headers = dict(who.headers) | ({} if last is None else {"Last-Event-ID": str(last)})
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=None) as client:
        async with client.stream("GET", f"{AT}/stream{query}") as response:
            yield Stream(response)


async def test_an_event_comes_within_a_second_of_the_commit(platform, agency, served, found, closed):
    async with listening(served, agency) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        ready = await stream.next()
        assert (ready["event"], ready["data"], ready["id"]) == ("ready", {"unread": 0}, "0")
        await asyncio.sleep(0.3)  # it listens, and is not on its first look around
        for fact, event in ((found(), "found"), (closed(), "closed")):
            started = time.monotonic()
            await hear(platform, fact)
            told = await stream.next()
            assert time.monotonic() - started < 1.0
            assert (told["event"], told["data"]["id"]) == (event, str(fact.id))
            assert told["data"] == (await agency.get(f"{AT}/{fact.id}")).json()


async def test_it_goes_on_after_the_last_event_without_loss_or_double(
    platform, agency, served, found, capsys
):
    """Many commits at once, in whatever order, and a client that keeps losing its connection."""
    async with listening(served, agency) as stream:
        last = (await stream.next())["id"]
    names = [f"n{n}" for n in range(60)]
    telling = asyncio.gather(*(hear(platform, found(name)) for name in names))
    heard = []
    while len(heard) < len(names):
        async with listening(served, agency, last) as stream:
            assert (await stream.next())["id"] == last
            for _ in range(min(7, len(names) - len(heard))):
                event = await stream.next()
                last = event["id"]
                heard.append(event["data"]["id"])
    await telling
    assert "unforeseen" not in capsys.readouterr().out  # a client that leaves is no fault of ours
    assert sorted(heard) == sorted(str(derived("opportunity", name)) for name in names)
    async with listening(served, agency, last, "?seconds=0") as stream:
        assert [event["event"] for event in await stream.rest()] == ["ready"]
    # What changed twice in between is told once, as it is now.
    for version in (2, 3):
        await hear(platform, found("n0", version=version))
    async with listening(served, agency, last, "?seconds=0") as stream:
        _, event = await stream.rest()
        assert event["data"]["version"] == 3
    # A position that the database has never reached: all again, rather than nothing.
    async with listening(served, agency, 10**9, "?seconds=0") as stream:
        assert len(await stream.rest()) == 61


async def test_each_hears_its_own(platform, agency, other, staff, served, found):
    foreign = (await other.post("/v1/providers", json=registration())).json()
    async with (
        listening(served, agency) as mine,
        listening(served, other) as theirs,
        listening(served, staff) as everyones,
    ):
        for stream in (mine, theirs, everyones):
            await stream.next()
        await hear(platform, found("mine"))
        await hear(platform, found("theirs", provider_id=foreign["id"]))
        assert (await mine.next())["data"]["provider_id"] != foreign["id"]
        assert (await theirs.next())["data"]["provider_id"] == foreign["id"]
        assert [(await everyones.next())["data"]["demand"]["title"][:4] for _ in range(2)] == ["mine", "thei"]
        for stream in (mine, theirs, everyones):
            with pytest.raises(TimeoutError):
                await stream.next(within=0.3)


async def test_nobody_listens_without_a_right(platform, agency, served):
    async with httpx.AsyncClient(base_url=served.url) as nobody:
        answer = await nobody.get(f"{AT}/stream")
        assert (answer.status_code, answer.json()["code"]) == (401, "no-token")
    for who in (
        platform.caller("x", "sme"),
        platform.caller("far", "window_staff", home="wuhai"),
    ):
        async with listening(served, who) as stream:
            assert stream.response.status_code == 403
    async with listening(served, agency, last="NaN") as stream:
        assert stream.response.status_code == 422
    async with listening(served, agency, query="?seconds=601") as stream:
        assert stream.response.status_code == 422


async def test_one_stream_too_many_ends_the_oldest_of_the_same_caller(platform, agency, other, served, found):
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(listening(served, who)) for who in (agency,) * 3 + (other,)]
        for stream in opened:
            await stream.next()
        fourth = await stack.enter_async_context(listening(served, agency))
        await fourth.next()
        assert await opened[0].next() is None
        await hear(platform, found())
        for stream in (opened[1], opened[2], fourth):
            assert (await stream.next())["event"] == "found"


async def test_it_ends_with_its_time_and_with_the_service(platform, agency, found):
    async with serving(platform.app) as server:
        async with listening(server, agency, query="?seconds=1") as stream:
            assert [event["event"] for event in await stream.rest()] == ["ready"]
        async with listening(server, agency) as stream:
            await stream.next()
            started = time.monotonic()
            server.should_exit = True
            assert await stream.next() is None
            assert time.monotonic() - started < 3
    assert platform.app.state.streams._listening is None


async def test_it_survives_the_loss_of_its_connection_to_the_database(platform, agency, served, found):
    async with listening(served, agency) as stream:
        await stream.next()
        await asyncio.sleep(0.3)
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        assert len(await platform.rows(ended)) == 1
        await hear(platform, found())
        assert (await stream.next())["event"] == "found"
