"""A demand raised in one window is won by an agency of another, also while services are killed."""

import asyncio
import itertools
import time

from localnet import loading, plot, story
from localnet.api import Api
from localnet.endpoints import Endpoints
from localnet.plot import Case
from localnet.trouble import Trouble

VICTIMS = ("hub", "hohhot", "baotou", "hohhot-dairy", "matchmaking", "nats")
LIMIT_S = 60


class Killer:
    """Kills one after the other with -9: before every other step, and in the midst of the steps between."""

    def __init__(self, supervisor):
        self.supervisor = supervisor
        self.victims = itertools.cycle(VICTIMS)
        self.killed = []
        self.late = None

    async def begins(self, step):
        if step.number % 2:
            self.kill()
        else:
            self.late = asyncio.get_running_loop().call_later(0.02, self.kill)

    async def ended(self, result):
        if self.late and not self.late.cancelled() and self.late.when() > asyncio.get_running_loop().time():
            self.late.cancel()
            self.kill()

    def kill(self):
        victim = next(self.victims)
        try:
            self.supervisor.ask(do="kill", node=victim)
            self.killed.append(victim)
        except Trouble:
            pass  # it is still down from the last time


def rows(supervisor):
    return {row["node"]: row["state"] for row in supervisor.ask(do="status")["members"]}


async def reached(supervisor, state, *nodes):
    deadline = time.monotonic() + LIMIT_S
    while any(rows(supervisor)[node] != state for node in nodes):
        assert time.monotonic() < deadline, rows(supervisor)
        await asyncio.sleep(0.05)


def troubles(results):
    return [
        (result.step.en, result.trouble.wrong, result.trouble.rule) for result in results if result.trouble
    ]


async def test_the_example_catalogue_arrives_whole_and_a_second_time_changes_nothing(network, example):
    assert (example.total["rejected"], example.missing) == (0, {})
    assert example.total["created"] > 1135
    async with Api(Endpoints.of(network)) as api:
        assert await loading.complete(api)
        again = await loading.load_example(api)
    assert again.total["unchanged"] == example.total["created"] == again.total.total()


async def test_the_story_holds(api):
    results = await story.play(api.endpoints, case=Case(api))
    assert troubles(results) == []
    assert story.complete(results)
    assert [result.told.state for result in results][-1] == "closed"


async def test_the_story_holds_while_services_are_killed_at_every_step(api, supervisor):
    killer = Killer(supervisor)
    case = Case(api)
    results = await story.play(api.endpoints, killer, case)
    assert troubles(results) == []
    assert story.complete(results)
    assert set(killer.killed) == set(VICTIMS)
    await reached(supervisor, "ready", *VICTIMS)

    engagements = [
        one
        async for one in api.all(case.window, "/v1/engagements", case.owner.username)
        if one["demand_id"] == case.demand["id"]
    ]
    assert [one["state"] for one in engagements] == ["closed"]
    assignments = [
        one
        async for one in api.all("baotou", "/v1/assignments", plot.WINNER)
        if one["demand_id"] == case.demand["id"]
    ]
    assert [one["id"] for one in assignments] == [engagements[0]["id"]]


async def test_a_demand_is_received_while_hub_matchmaking_and_bus_are_away(api, supervisor):
    case = Case(api)
    await plot.register(case)
    away = ("hub", "matchmaking", "nats")
    for node in away:
        supervisor.ask(do="stop", node=node)
    await reached(supervisor, "stopped", *away)
    try:
        told = await plot.submit(case)
        assert told.state == "submitted"
        assert case.demand["number"]
    finally:
        for node in away:
            supervisor.ask(do="start", node=node)
    await reached(supervisor, "ready", *away)
    told = await plot.matched(case)
    assert told.state in ("matched", "quoting")

    async def registered():
        found = await case.peek("hub", f"/v1/cases/{case.demand['id']}", "hubnet-cli")
        return found and found["case"]["state"] == "matched"

    assert await plot.until("案件", "the case at the hub", registered)
