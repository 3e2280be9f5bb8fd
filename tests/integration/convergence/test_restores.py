"""A database that went back in time is noticed, held, and heals when it is told; nothing is resurrected."""

from uuid import uuid4

import pytest
from common import restoring
from common.db import Base, Versioned
from hub.fences import service as fences

from tests.integration.convergence.facts import demand, offering, provider


async def live(net, node):
    table = {"hub": "catalogue_offerings", "matchmaking": "offerings"}[node]
    rows = await net.sql(node, f"SELECT id, version, epoch FROM {table} WHERE NOT deleted")
    return {row["id"]: (row["epoch"], row["version"]) for row in rows}


async def shown(net, node="hohhot"):
    return (await net.operator.get(f"/v1/nodes/{node}")).json()


@pytest.fixture
async def restored(net):
    """A window restored from a copy that lacks an offering, a change, a retirement and a demand."""
    kept, changed, retired, made = [uuid4() for _ in range(4)]
    old, new = demand(net["hohhot"].clock), demand(net["hohhot"].clock, number="HH-2026-000002")
    await net.say("hohhot", provider(), offering(kept), offering(changed), offering(retired), old)
    await net.beats("hohhot")
    await net.backup("hohhot")
    await net.say("hohhot", offering(changed, 2, title="改过的"), offering(retired, 2, state="retired"))
    await net.say("hohhot", offering(made), new)
    await net.beats("hohhot")
    await net.restore("hohhot")
    return kept, changed, retired, made, old, new


async def test_a_restored_window_is_fenced_by_its_beats_and_heals_by_the_runbook(net, restored):
    kept, changed, retired, made, old, new = restored
    await net.beats("hohhot", times=2)
    assert (await shown(net))["detail"]["fenced"] == "feed"
    # It goes on working; what it says waits.
    later = uuid4()
    await net.say("hohhot", offering(later))
    assert later not in await live(net, "hub")
    await net.beat("hohhot")
    assert (await net["hohhot"].caller("x").get("/readyz")).json()["degraded"] == ["fenced"]
    ordered = await net.operator.post("/v1/nodes/hohhot/restorations")
    assert (ordered.status_code, ordered.json()["epoch"], ordered.json()["state"]) == (201, 2, "ordered")
    again = await net.operator.post("/v1/nodes/hohhot/restorations")
    assert again.json()["epoch"] == 2
    await net.beats("hohhot", times=4)  # hears of it, takes it, says so
    assert (await shown(net))["detail"]["fenced"] is None
    await net.resend("hohhot")
    await net.carry()
    expected = {kept: (2, 1), changed: (2, 1), retired: (2, 1), later: (2, 1)}
    assert await live(net, "hub") == await live(net, "matchmaking") == expected
    assert {(one["observer"], one["total"]) for one in (await net.drift("hohhot"))["comparisons"]} == {
        ("hub", 0), ("matchmaking", 0),
    }  # fmt: skip
    (told,) = (await net.operator.get("/v1/nodes/hohhot/restorations")).json()["items"]
    assert told["state"] == "ended"
    assert [case["id"] for case in told["lost_cases"]] == [str(new.id)]
    assert (await net.sql("hub", "SELECT epoch FROM cases WHERE id = $1", old.id))[0]["epoch"] == 2
    assert made not in await live(net, "hub")


async def test_a_message_at_a_used_position_fences_before_any_beat(net, restored):
    """The window worked on while it was cut off: its positions are higher than ever seen, its words are not."""
    _, changed, _, _, _, _ = restored
    before = await live(net, "hub")
    async with net["hub"].runtime.sessions() as tx:
        await fences.refresh(tx, net["hub"].app.state.hub.fences, (), {})
    await net.say("hohhot", *(offering(uuid4()) for _ in range(20)), offering(changed, 2, title="另一种改法"))
    assert await live(net, "hub") == before
    await net.beat("hohhot")
    assert (await shown(net))["detail"]["fenced"] == "message"


async def test_new_records_after_a_restore_are_newer_than_lost_ones(net, restored):
    """What is made anew under an id that it had before (imports, quotations) counts."""
    _, _, _, made, _, _ = restored
    await net.beats("hohhot", times=2)
    await net.operator.post("/v1/nodes/hohhot/restorations")
    await net.beats("hohhot", times=4)
    await net.carry()
    assert made not in await live(net, "hub")
    await net.say("hohhot", offering(made, title="重新录入"))
    drift = await net.compare("hohhot")
    assert {(one["observer"], one["total"]) for one in drift["comparisons"]} == {
        ("hub", 0),
        ("matchmaking", 0),
    }
    assert made in await live(net, "hub") and made in await live(net, "matchmaking")


async def test_a_restored_hub_hears_again_what_it_had_confirmed(net):
    first, second = uuid4(), uuid4()
    await net.say("hohhot", provider(), offering(first))
    await net.beats("hohhot", "matchmaking")
    await net.backup("hub")
    await net.say("hohhot", offering(second), offering(first, 2, title="改过的"))
    await net.beats("hohhot", "matchmaking")
    await net.restore("hub")
    assert second not in await live(net, "hub")
    await net.beats("hohhot", "matchmaking")
    await net.carry()
    await net.beats("hohhot", "matchmaking")
    assert await live(net, "hub") == await live(net, "matchmaking") == {first: (1, 2), second: (1, 1)}
    third = uuid4()
    await net.say("hohhot", offering(third))
    await net.beats("hohhot", "matchmaking")
    # The hub's own numbers go on above what matchmaking has: its receipts mean what they say.
    feeds = await net.sql("hub", "SELECT last_seq, confirmed_seq FROM feeds_out WHERE feed = 'matchmaking'")
    heard = await net.sql("matchmaking", "SELECT applied_seq FROM feeds_in WHERE source = 'hub'")
    assert feeds[0]["last_seq"] == feeds[0]["confirmed_seq"] == heard[0]["applied_seq"]
    assert (await shown(net))["detail"]["fenced"] is None


async def test_a_restored_matchmaking_hears_again_what_it_had_confirmed(net):
    first, second = uuid4(), uuid4()
    await net.say("hohhot", provider(), offering(first))
    await net.beats("hohhot", "matchmaking")
    await net.backup("matchmaking")
    await net.say("hohhot", offering(second))
    await net.beats("hohhot", "matchmaking")
    await net.restore("matchmaking")
    assert second not in await live(net, "matchmaking")
    await net.beats("matchmaking")
    await net.carry()
    assert set(await live(net, "matchmaking")) == {first, second}


async def test_beats_that_overtake_each_other_fence_nobody(net):
    await net.say("hohhot", provider())
    await net.beats("hohhot")
    await net.sql("hohhot", "UPDATE feeds_out SET last_seq = last_seq - 1 WHERE feed = 'hub'")
    await net.beat("hohhot")
    await net.sql("hohhot", "UPDATE feeds_out SET last_seq = last_seq + 1 WHERE feed = 'hub'")
    await net.beats("hohhot")
    assert (await shown(net))["detail"]["fenced"] is None


async def test_only_operators_order_and_see_restorations(net):
    staff = net["hub"].caller("s", "window_staff", home="hohhot")
    assert (await staff.post("/v1/nodes/hohhot/restorations")).status_code == 403
    assert (await net.operator.post("/v1/nodes/atlantis/restorations")).status_code == 404
    assert (await net.operator.get("/v1/nodes/atlantis/restorations")).status_code == 404


async def test_every_table_of_own_records_takes_on_the_epoch(net):
    async with net["hohhot"].runtime.sessions() as tx:
        found = set(await restoring.own_tables(tx))
    mapped = {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Versioned)
        and mapper.class_.__module__.split(".")[0] in ("agency", "window")
    }
    assert mapped <= found
