"""What is shown of a silent platform says how old it is; past the limit nobody is invited from there."""

from uuid import uuid4

import pytest
from common import db
from common.contracts.envelope import wrap
from common.contracts.platforms import PlatformChanged
from common.ids import new
from common.inbox import Raw
from hub.platforms import service as platforms

from tests.integration.convergence.facts import demand, offering, provider


@pytest.fixture
async def offered(net):
    """An offering of Hohhot that the hub shows, and the window was heard a moment ago."""
    id = uuid4()
    await net.say("hohhot", provider(), offering(id))
    await net.beat("hohhot")
    return id


async def review(net):
    """What the hub does every five seconds."""
    hub = net["hub"]
    async with db.begin(hub.runtime.sessions) as tx:
        known = await hub.app.state.hub.roster.known(tx)
        told = await platforms.review(tx, known, limit_s=hub.runtime.settings.away_after_s, at=hub.clock())
    await net.carry()
    return told


async def matched(net, **need):
    """The result for a new demand of Baotou."""
    fact = demand(net["matchmaking"].clock, title="示例检测", text="三日出报告", division="150100", **need)
    envelope = wrap(fact, id=new(), source="baotou", at=net["matchmaking"].clock())
    raw = Raw(envelope.model_dump_json().encode(), "hub", str(envelope.id), trusted=True)
    await net["matchmaking"].runtime.inbox.deliver([raw])
    (said,) = await net.sql(
        "matchmaking",
        "SELECT body FROM announcements WHERE noun = 'match' AND body ->> 'demand_id' = $1",
        str(fact.id),
    )
    return said["body"]


def forward(net, **by):
    for node in net.platforms:
        net[node].clock.forward(**by)


async def test_a_silent_platform_is_as_of_its_last_beat_then_away_then_back(net, offered):
    assert await review(net) == 0
    item = (await net.operator.get(f"/v1/catalogue/hohhot/{offered}")).json()
    assert item["as_of"] is None
    last = net["hub"].clock()
    forward(net, minutes=10)
    assert await review(net) == 1 and await review(net) == 0
    item = (await net.operator.get(f"/v1/catalogue/hohhot/{offered}")).json()
    assert item["as_of"].startswith(last.isoformat()[:19])
    page = (await net.operator.get("/v1/catalogue")).json()["items"]
    assert [one["as_of"] is not None for one in page] == [True]
    result = await matched(net)
    assert [one["offering_id"] for one in result["candidates"]] == [str(offered)]
    assert result["candidates"][0]["as_of"].startswith(last.isoformat()[:19])
    forward(net, hours=24)
    assert await review(net) == 1
    result = await matched(net)
    assert result["candidates"] == []
    assert result["near_misses"][0]["failed"] == ["platform-away"]
    await net.beat("hohhot")
    assert await review(net) == 1
    assert (await matched(net))["candidates"][0]["as_of"] is None


async def test_a_quarantined_platform_is_invited_from_by_nobody_until_it_is_released(net, offered):
    hub = net["hub"]
    await net.sql("hub", "UPDATE members SET state = 'quarantined', held_from = 'active' WHERE id = 'hohhot'")
    await hub.app.state.hub.roster.refresh(hub.runtime)
    assert await review(net) == 1
    assert (await matched(net))["near_misses"][0]["failed"] == ["platform-away"]
    await net.sql("hub", "UPDATE members SET state = 'active' WHERE id = 'hohhot'")
    await hub.app.state.hub.roster.refresh(hub.runtime)
    assert await review(net) == 1
    assert (await matched(net))["near_misses"] == []


async def test_how_a_platform_is_the_hub_alone_says(net):
    fact = PlatformChanged(id=uuid4(), version=1, node="hohhot", standing="retired")
    assert await net.hear("hub", fact, "baotou") == "parked"
    assert await net["matchmaking"].hear(fact, source="baotou") == "parked"
    assert await net["matchmaking"].hear(fact, source="hub") == "done"
    older = fact.model_copy(update={"standing": "ready"})
    await net["matchmaking"].hear(older, source="hub")
    (row,) = await net.sql("matchmaking", "SELECT standing FROM platforms WHERE node = 'hohhot'")
    assert row["standing"] == "retired"
