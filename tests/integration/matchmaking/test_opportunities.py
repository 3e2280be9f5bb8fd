"""Providers who subscribed are told of demands that fit: once, anew when it is news, and when it is over."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from common import ids
from common.auth import Principal
from common.contracts import demands, offerings, providers
from common.contracts.subscriptions import SubscriptionChanged, SubscriptionEnded
from common.http import build
from common.inbox import Verdict
from matchmaking.matching.listing import Listing
from matchmaking.opportunities import consumers, domain, service
from matchmaking.opportunities.router import router

from tests.integration.matchmaking.network import demand, offering, provider
from tests.integration.platform import copied, migrated, running

PACKAGES = ("common", "matchmaking")
NODE = "matchmaking"
WHO = Principal.system(NODE)


@dataclass(frozen=True)
class Fits:
    listing: Listing
    score: float
    components: tuple = ()


def fits(score=0.5, name="milk", by="example", platform="baotou"):
    said = offering(name, by)
    listing = Listing(
        platform=platform, offering_id=said.id, epoch=1, version=1, provider_id=said.provider_id,
        provider_name=said.provider_name, kind=said.kind, title=said.title, category=said.category,
        division=said.division, service_area=(), price=said.price, lead_days=3, state="published",
    )  # fmt: skip
    return Fits(listing, score)


class Shelf:
    """Which demands fit which offering, as a test says it: matching itself is tried elsewhere."""

    def __init__(self):
        self.fitting = {}
        self.asked = []
        self.broken = set()

    def put(self, scored, *needs, window="hohhot"):
        key = (scored.listing.platform, scored.listing.offering_id)
        self.fitting.setdefault(key, []).extend((window, need, scored) for need in needs)

    async def demands_for(self, tx, platform, offering_id, *, at, limit):
        self.asked.append(offering_id)
        if offering_id in self.broken:
            raise RuntimeError("cannot be searched")
        return self.fitting.get((platform, offering_id), [])[:limit]


def create(settings, clock):
    app = build(settings, title="t", summary="s", routers=[router], routes=consumers.routes(clock), now=clock)
    app.state.finder, app.state.reason = Shelf(), domain.by_title
    return app


@pytest.fixture(scope="module")
def migrated_once():
    with migrated(PACKAGES) as name:
        yield name


@pytest.fixture
async def node(migrated_once):
    async with copied(migrated_once) as url, running(url, NODE, create) as here:
        yield here


@pytest.fixture
def shelf(node):
    return node.app.state.finder


@pytest.fixture
def look(node, shelf):
    job = consumers.Look(shelf, WHO)

    async def once():
        await job(node.runtime)

    return once


def subscription(by="example", kind=SubscriptionChanged, version=1, platform="baotou", **changes):
    given = {
        "id": ids.derived("subscription", platform, by), "version": version, "platform": platform,
        "provider_id": ids.derived("provider", by),
    } | changes  # fmt: skip
    return kind.model_validate(given)


async def tell(node, need, *fitting, owner="hohhot", **how):
    async with node.runtime.transaction() as tx:
        await service.tell(tx, WHO, owner, need, fitting, at=node.clock(), **how)


async def close(node, need, owner="hohhot"):
    async with node.runtime.transaction() as tx:
        await service.close(tx, WHO, owner, need, at=node.clock())


async def told(node):
    return [(e["type"], e["recipient"], e["data"]["version"]) for e in await node.said("opportunity.%")]


FOUND, CLOSED = "opportunity.found.v1", "opportunity.closed.v1"


async def test_a_subscribed_provider_is_told_at_its_platform_once(node):
    need = demand(enterprise_name="某某保密乳业")
    await tell(node, need, fits())
    assert await told(node) == []
    await node.hear(subscription(), source="baotou")
    for _ in range(2):
        await tell(node, need, fits(0.6), fits(0.5, "cheese"), fits(0.4, by="unsubscribed"))
    assert await told(node) == [(FOUND, "baotou", 1)]
    (envelope,) = await node.said("opportunity.%")
    said = envelope["data"]
    assert (said["offering_id"], said["demand_window"]) == (str(offering().id), "hohhot")
    assert (said["demand"]["title"], said["score"], said["state"]) == (need.title, 0.6, "open")
    assert envelope["correlationid"] == str(need.id)
    assert "牛奶" in said["reason_zh"]
    everything = json.dumps(await node.said(), ensure_ascii=False)
    assert "保密" not in everything and "enterprise" not in everything
    rows = await node.rows("SELECT row_to_json(o)::text AS row FROM opportunities o")
    assert "保密" not in rows[0]["row"]


async def test_an_ended_subscription_and_an_older_word_of_it_change_nothing(node):
    ended = subscription(kind=SubscriptionEnded, version=2, state="ended")
    for fact in (subscription(), ended, subscription(), ended):
        assert await node.hear(fact, source="baotou") is Verdict.DONE
    await tell(node, demand(), fits())
    assert await told(node) == []
    # Another platform's word about a provider of this name is of another provider.
    await node.hear(subscription(platform="hohhot"), source="hohhot")
    await tell(node, demand(), fits())
    assert await told(node) == []


async def test_all_who_were_told_hear_once_that_it_is_over(node):
    for by in ("a", "b"):
        await node.hear(subscription(by), source="baotou")
    await tell(node, demand(), fits(0.6, by="a"), fits(0.5, by="b"))
    awarded = demand(kind=demands.DemandAwarded, version=4, state="awarded")
    for _ in range(2):
        await close(node, awarded)
    closed = await node.said("opportunity.closed.%")
    assert [(e["data"]["version"], e["data"]["state"], e["data"]["state_reason"]) for e in closed] == [
        (2, "closed", "awarded")
    ] * 2
    assert {e["recipient"] for e in closed} == {"baotou"}
    await close(node, demand(kind=demands.DemandProgressed, version=5, state="closed"))
    assert len(await told(node)) == 4


async def test_what_is_over_is_not_told_by_a_search_that_comes_late(node):
    await node.hear(subscription(), source="baotou")
    await close(node, demand(kind=demands.DemandWithdrawn, version=2, state="withdrawn"))
    await tell(node, demand(), fits(), whole=False)
    assert await told(node) == []
    # The award was undone: a later version is open again.
    await tell(node, demand(kind=demands.DemandEvaluated, version=3, state="evaluating"), fits())
    assert await told(node) == [(FOUND, "baotou", 1)]


async def test_the_end_and_a_late_search_at_once_leave_nothing_open(node):
    await node.hear(subscription(), source="baotou")
    withdrawn = demand(kind=demands.DemandWithdrawn, version=2, state="withdrawn")
    await asyncio.gather(
        *(tell(node, demand(), fits(), whole=False) for _ in range(5)), close(node, withdrawn)
    )
    assert await node.rows("SELECT 1 FROM opportunities WHERE state = 'open'") == []
    facts = await told(node)
    assert facts in ([], [(FOUND, "baotou", 1), (CLOSED, "baotou", 2)])


async def test_an_edited_demand_and_a_better_offering_are_told_anew(node):
    await node.hear(subscription(), source="baotou")
    await tell(node, demand(), fits(0.5))
    edited = demand(kind=demands.DemandChanged, version=2, title="羊奶化验")
    await tell(node, edited, fits(0.5))
    await tell(node, edited, fits(0.8, "cheese"), fits(0.5))
    await tell(node, demand(), fits(0.9, "cream"))  # an older version of the demand comes late
    said = [e["data"] for e in await node.said("opportunity.%")]
    assert [(o["version"], o["demand"]["title"], o["score"]) for o in said] == [
        (1, "牛奶化验", 0.5),
        (2, "羊奶化验", 0.5),
        (3, "羊奶化验", 0.8),
    ]
    assert len({o["id"] for o in said}) == 1


async def test_what_is_published_is_looked_for(node, shelf, look):
    shelf.put(fits(), demand("one"), demand("two"))
    await node.hear(subscription(), source="baotou")
    await look()
    assert shelf.asked == []
    await node.hear(offering(), source="baotou")
    await look()
    assert (len(shelf.asked), len(await told(node))) == (1, 2)
    await look()
    assert (len(shelf.asked), len(await told(node))) == (1, 2)
    # The same word again, and an older one, is nothing to look for; a change is.
    await node.hear(offering(), source="baotou")
    await look()
    assert len(shelf.asked) == 1
    await node.hear(offering(version=2, title="乳品检测"), source="baotou")
    await node.hear(offering("draft", state="draft"), source="baotou")
    await node.hear(offering("foreign", by="unsubscribed"), source="baotou")
    await look()
    assert (len(shelf.asked), len(await told(node))) == (2, 2)


async def test_a_subscription_looks_for_all_that_was_published_before(node, shelf, look):
    for name in ("milk", "cheese"):
        await node.hear(offering(name), source="baotou")
        shelf.put(fits(0.5, name), demand(name))
    await node.hear(
        offerings.OfferingRetired.model_validate(offering("gone").model_dump() | {"state": "retired"}),
        source="baotou",
    )
    await look()
    assert shelf.asked == []
    await node.hear(subscription(), source="baotou")
    await look()
    assert sorted(shelf.asked) == sorted([offering("milk").id, offering("cheese").id])
    assert [fact[0] for fact in await told(node)] == [FOUND, FOUND]
    # Restored after a suspension: what came meanwhile may fit now.
    shelf.put(fits(), demand("meanwhile"))
    restored = providers.ProviderRestored.model_validate(provider().model_dump() | {"version": 3})
    await node.hear(restored, source="baotou")
    await look()
    assert len(await told(node)) == 3


async def test_what_is_due_outlives_the_process_and_one_that_fails_does_not_hold_the_others(
    node, shelf, look
):
    names = [f"o{n}" for n in range(consumers.A_PASS + 5)]
    shelf.broken.add(offering(names[0]).id)
    for name in names:
        await node.hear(offering(name), source="baotou")
        shelf.put(fits(0.5, name), demand(name))
    await node.hear(subscription(), source="baotou")
    await look()
    assert len(shelf.asked) == consumers.A_PASS  # bounded; the rest is for the next pass
    await consumers.Look(shelf, WHO)(node.runtime)  # as after a restart
    assert len(await told(node)) == len(names) - 1
    await look()
    assert len(shelf.asked) == len(names)
    shelf.broken.clear()
    node.clock.forward(minutes=2)
    await look()
    assert len(await told(node)) == len(names)
    assert await node.rows("SELECT 1 FROM opportunity_searches WHERE due_at IS NOT NULL") == []


async def test_two_processes_that_look_at_once_tell_nobody_twice(node, shelf):
    needs = [demand(f"d{n}") for n in range(10)]
    shelf.put(fits(), *needs)
    await node.hear(subscription(), source="baotou")
    await node.hear(offering(), source="baotou")
    await asyncio.gather(*(consumers.Look(shelf, WHO)(node.runtime) for _ in range(4)))
    assert await told(node) == [(FOUND, "baotou", 1)] * 10


async def test_operators_and_staff_of_the_platform_read_what_fits(node, shelf):
    need = demand(enterprise_name="某某保密乳业")
    shelf.put(fits(), need)
    await node.hear(offering(), source="baotou")
    path = f"/v1/offerings/baotou/{offering().id}/demands"
    staff = node.caller("s", "window_staff", home="baotou")
    operator = node.caller("o", "operator")
    for who in (staff, operator):
        answer = await who.get(path)
        assert answer.status_code == 200, answer.text
        (item,) = answer.json()["items"]
        assert (item["demand_id"], item["score"], item["demand"]["title"]) == (str(need.id), 0.5, need.title)
        assert item["reason_zh"] and item["reason_en"]
        assert "保密" not in answer.text
    for far in (
        node.caller("f", "window_staff", home="hohhot"),
        node.caller("m", "window_staff", "agency", home=NODE),
        node.caller("n", "cluster_staff"),
    ):
        assert (await far.get(path)).status_code == 404
    for role in ("sme", "agency", "department"):
        answer = await node.caller("x", role, home="baotou").get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "role-needed")
    unknown = f"/v1/offerings/baotou/{ids.new()}/demands"
    assert (await operator.get(unknown)).status_code == 404
    assert (await operator.get(f"{path}?limit=0")).status_code == 422
