"""The copies become what their owners have, whatever was lost, and it is seen that they do."""

import json
from uuid import uuid4

import pytest
from common import convergence, digests
from common.announcements import LIVE
from common.contracts.digests import DigestDisowned
from common.digests import Digest, Record

from tests.integration.convergence.conftest import emptied
from tests.integration.convergence.facts import offering, provider

HUB = "catalogue_offerings"


@pytest.fixture
async def net(shared):
    return await emptied(shared)


@pytest.fixture
async def catalogue(net):
    """Sixty offerings, known everywhere."""
    ids = [uuid4() for _ in range(60)]
    await net.say("hohhot", provider(), *(offering(id) for id in ids))
    return ids


async def held(net, node, id):
    table = {"hub": "catalogue_offerings", "matchmaking": "offerings"}[node]
    rows = await net.sql(node, f"SELECT epoch, version, deleted, body FROM {table} WHERE id = $1", id)
    return [(row["epoch"], row["version"], row["deleted"]) for row in rows]


def states(drift):
    return {(one["observer"], one["state"], one["total"]) for one in drift["comparisons"]}


async def test_equal_copies_cost_one_digest_and_say_so(net, catalogue):
    net.carried.clear()
    drift = await net.compare("hohhot")
    assert states(drift) == {("hub", "equal", 0), ("matchmaking", "equal", 0)}
    assert [type for _, _, type, _ in net.carried] == [
        "digest.requested.v1", "digest.taken.v1", "digest.taken.v1", "digest.compared.v1",
    ]  # fmt: skip
    assert drift["total"] == 0 and drift["differences"] == []


async def test_every_kind_of_loss_is_found_and_mended_in_its_buckets_only(net, catalogue):
    missing, stale, extra, gone = catalogue[:4]
    await net.say("hohhot", offering(stale, 2, title="示例检测二"))
    await net.sql("hub", f"DELETE FROM {HUB} WHERE id = $1", missing)
    await net.sql("hub", f"UPDATE {HUB} SET version = 1 WHERE id = $1", stale)
    # Retired at its owner, alive at the hub; and one that its owner has never heard of.
    await net.sql("hohhot", "UPDATE announcements SET deleted = true, version = 2,"
                  " body = body || '{\"state\": \"retired\", \"version\": 2}' WHERE id = $1", extra)  # fmt: skip
    await net.sql("hohhot", "DELETE FROM announcements WHERE id = $1", gone)
    net.carried.clear()
    drift = await net.compare("hohhot")
    assert states(drift) == {("hub", "equal", 0), ("matchmaking", "equal", 0)}
    types = [type for _, _, type, _ in net.carried]
    assert types.count("digest.questioned.v1") >= 1 and types.count("digest.wanted.v1") >= 1
    listed = sum(type == "digest.listed.v1" for type in types)
    buckets = {digests.bucket(id) for id in (missing, stale, extra, gone)}
    assert listed <= 3 * len(buckets)
    assert await held(net, "hub", missing) == [(1, 1, False)]
    assert await held(net, "hub", stale) == await held(net, "matchmaking", stale) == [(1, 2, False)]
    assert (await held(net, "hub", extra))[0][2] and (await held(net, "matchmaking", extra))[0][2]
    assert await held(net, "hub", gone) == await held(net, "matchmaking", gone) == [(1, 2, True)]


async def test_matchmaking_follows_the_hub_in_everything(net, catalogue):
    missing, stale, forked, gone = catalogue[:4]
    await net.sql("matchmaking", "DELETE FROM offerings WHERE id = $1", missing)
    await net.sql("matchmaking", "UPDATE offerings SET version = 9 WHERE id = $1", stale)
    await net.sql("matchmaking", "UPDATE offerings SET content_hash = repeat('0', 64) WHERE id = $1", forked)
    await net.sql("hub", f"DELETE FROM {HUB} WHERE id = $1", gone)
    await net.sql("hohhot", "DELETE FROM announcements WHERE id = $1", gone)
    drift = await net.compare("hohhot")
    assert states(drift) == {("hub", "equal", 0), ("matchmaking", "equal", 0)}
    for id in (missing, stale, forked):
        assert await held(net, "matchmaking", id) == [(1, 1, False)]
    assert (await held(net, "matchmaking", gone))[0][2]


async def test_the_same_version_with_other_content_is_mended_only_on_order(net, catalogue):
    """A contradiction is no loss: it is shown until somebody has looked."""
    id = catalogue[0]
    await net.sql("hub", f"UPDATE {HUB} SET content_hash = repeat('0', 64), body = body || $2 WHERE id = $1",
                  id, json.dumps({"title": "伪造"}))  # fmt: skip
    drift = await net.compare("hohhot")
    assert drift["total"] == 1 and [one["kind"] for one in drift["differences"]] == ["content"]
    drift = await net.compare("hohhot", repair=True)
    assert states(drift) == {("hub", "equal", 0), ("matchmaking", "equal", 0)}
    assert await held(net, "hub", id) == await held(net, "matchmaking", id) == [(1, 2, False)]


async def test_what_is_refused_again_and_again_is_not_asked_for_for_ever(net, catalogue):
    id = catalogue[0]
    await net.sql("hub", f"DELETE FROM {HUB} WHERE id = $1", id)
    net.lost.add(("hohhot", "offering.announced.v1"))
    for _ in range(5):
        drift = await net.compare("hohhot")
        assert drift["total"] == 1
    assert drift["differences"][0]["kind"] == "missing"
    wanted = [type for node, _, type, _ in net.carried if type == "digest.wanted.v1"]
    assert len(wanted) == 3
    net.lost.clear()
    assert states(await net.compare("hohhot", repair=True)) >= {("hub", "equal", 0)}


async def test_a_tombstone_of_ours_gives_way_to_its_owners_living_record(net, catalogue):
    """The owner made it anew under the id it had: the hub had ended it in its name."""
    id = catalogue[0]
    row = (await net.sql("hohhot", "DELETE FROM announcements WHERE id = $1 RETURNING *", id))[0]
    await net.compare("hohhot")
    assert await held(net, "hub", id) == [(1, 2, True)]
    await net.say("hohhot", offering(id))
    assert row["version"] == 1 and await held(net, "hub", id) == [(1, 2, True)]
    drift = await net.compare("hohhot")
    assert states(drift) == {("hub", "equal", 0), ("matchmaking", "equal", 0)}
    assert await held(net, "hub", id) == await held(net, "matchmaking", id) == [(1, 3, False)]


async def test_both_sides_compute_the_same_bytes(net, catalogue):
    """S4: owner, hub, matchmaking, and the pure twin."""
    rows = await net.sql("hohhot", "SELECT noun, id, epoch, version, content_hash FROM announcements")
    pure = Digest.of(Record(*row) for row in rows)
    async with net["hohhot"].runtime.sessions() as tx:
        assert await convergence.digest(tx, LIVE, "hohhot") == pure
    staff = net["hub"].caller("machine", "platform", home="hohhot")
    told = (await staff.get("/v1/nodes/hohhot/catalogue/digest")).json()
    assert (told["digest"], told["records"], told["buckets"]) == (pure.hex, 61, list(pure.texts))
    number = digests.bucket(catalogue[0])
    bucket = (await staff.get(f"/v1/nodes/hohhot/catalogue/digest/{number}")).json()
    assert str(catalogue[0]) in {record["id"] for record in bucket["records"]}
    stranger = net["hub"].caller("other", "platform", home="baotou")
    assert (await stranger.get("/v1/nodes/hohhot/catalogue/digest")).status_code == 404
    assert (await stranger.get("/v1/nodes/hohhot/drift")).status_code == 404


async def test_a_platform_cannot_speak_of_anothers_records(net, catalogue):
    fact = DigestDisowned(id=uuid4(), version=3, owner="hohhot", records=(("offering", catalogue[0]),))
    assert (await net.hear("hub", fact, "baotou")) == "parked"
    assert await held(net, "hub", catalogue[0]) == [(1, 1, False)]
