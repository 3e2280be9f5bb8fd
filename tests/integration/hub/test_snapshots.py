"""Whole catalogues by file: staged, switched to at once, held when they would remove too much."""

import asyncio
import json
from uuid import uuid4

import pytest
from hub.changes import repository as changes
from hub.snapshots import consumers

from tests.integration.hub.handing_in import copies, offering, policy, process, provider


def shelf(size, version=1, lab=None, **data):
    lab = lab or uuid4()
    return [provider(lab, version), *(offering(uuid4(), lab, version, **data) for _ in range(size))]


async def outcomes_of(world, hand_in, snapshot, **query):
    answer = await world.http.get(snapshot["outcomes"], params=query, headers=hand_in.who[snapshot["node"]])
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def living(world, owner="baotou"):
    return {str(id) for id, _, _, deleted, *_ in await copies(world, owner) if not deleted}


async def test_a_catalogue_is_taken_over_and_the_next_replaces_it(world, hand_in):
    await policy(world, "absence")
    first = shelf(12)
    done = await hand_in(first)
    assert (done["state"], done["counts"], done["rows_read"]) == ("applied", {"created": 13}, 13)
    assert await living(world) == {line["id"] for line in first}
    kept = [*first[:8], offering(first[8]["id"], first[0]["id"], 2, title="新")]
    done = await hand_in(kept)
    assert (done["state"], done["counts"]) == ("applied", {"unchanged": 8, "updated": 1, "removed": 4})
    assert await living(world) == {line["id"] for line in kept}
    gone = [row for row in await copies(world) if row[3]]
    assert {row[2] for row in gone} == {2}
    assert len(gone) == 4


async def test_tombstones_are_never_resurrected_by_what_was_true_before(world, hand_in, push, facts):
    await policy(world, "absence")
    first = shelf(3)
    await hand_in(first)
    await hand_in(first[:-1])
    again = await hand_in(first)
    assert (again["state"], again["counts"]) == ("partial", {"unchanged": 3, "stale": 1})
    assert (await push(first[-1]))["stale"] == 1
    assert first[-1]["id"] not in await living(world)
    await hand_in([*first[:-1], first[-1] | {"version": 3}])
    assert first[-1]["id"] in await living(world)


async def test_a_platform_that_says_its_deletions_loses_nothing_by_absence(world, hand_in):
    await policy(world, "tombstone")
    first = shelf(5)
    await hand_in(first)
    gone = {"noun": "offering", "id": first[1]["id"], "version": 2, "deleted": True}
    done = await hand_in([first[0], gone])
    assert (done["state"], done["counts"]) == ("applied", {"unchanged": 1, "updated": 1})
    assert await living(world) == {line["id"] for line in first} - {first[1]["id"]}


async def test_removals_beyond_ten_per_cent_are_held(world, hand_in):
    """A truncated feed deletes nothing."""
    await policy(world, "absence")
    first = shelf(15)
    await hand_in(first)
    before = await copies(world)
    held = await hand_in(first[:5])
    assert (held["state"], held["reason"], held["removals"], held["held"]) == ("held", "mass-removal", 11, 16)
    assert (held["may_remove"], "11" in held["message"]) == (10, True)
    assert await copies(world) == before
    (told,) = await world.rows("SELECT feed, envelope::json AS e FROM outbox WHERE type = 'snapshot.held.v1'")
    assert (told["feed"], json.loads(told["e"])["data"]["removals"]) == ("baotou", 11)
    path = f"/v1/nodes/baotou/snapshots/{held['number']}"
    staff = hand_in.who["baotou"]
    assert (await world.http.post(f"{path}/approval", headers=staff)).status_code == 403
    assert (await world.http.post(f"{path}/approval", headers=await world.operator())).status_code == 200
    await process(world)
    done = (await world.http.get(path, headers=staff)).json()
    assert (done["state"], done["counts"]["removed"]) == ("applied", 11)
    assert await living(world) == {line["id"] for line in first[:5]}
    again = await world.http.post(f"{path}/approval", headers=await world.operator())
    assert (again.status_code, again.json()["code"]) == (409, "snapshot-state")


async def test_removals_said_by_word_count_too(world, hand_in):
    await policy(world, "tombstone")
    first = shelf(15)
    await hand_in(first)
    gone = [line | {"version": 2, "deleted": True} for line in first[1:12]]
    assert (await hand_in([first[0], *gone]))["state"] == "held"
    assert (await hand_in([first[0], *gone[:10]]))["state"] == "applied"


async def test_an_empty_file_is_held_and_discarded(world, hand_in):
    await policy(world, "absence")
    assert (await hand_in(""))["state"] == "applied"
    await hand_in(shelf(2))
    held = await hand_in("\n\n")
    assert (held["state"], held["reason"]) == ("held", "empty-file")
    path = f"/v1/nodes/baotou/snapshots/{held['number']}"
    gone = await world.http.post(f"{path}/discard", headers=hand_in.who["baotou"])
    assert (gone.json()["state"], gone.json()["reason"]) == ("rejected", "discarded")
    assert len(await living(world)) == 3


async def test_one_bad_row_never_holds_the_others_and_is_not_taken_for_gone(world, hand_in):
    await policy(world, "absence")
    first = shelf(4)
    await hand_in(first)
    spoilt = json.loads(json.dumps(first[1])) | {"version": 2}
    spoilt["data"]["title"] = ""
    done = await hand_in([first[0], spoilt, *(line | {"version": 2} for line in first[2:4])])
    assert (done["state"], done["counts"]) == (
        "partial", {"unchanged": 1, "updated": 2, "rejected": 1, "removed": 1},
    )  # fmt: skip
    (bad,) = await outcomes_of(world, hand_in, done, outcome="rejected")
    assert (bad["line"], bad["field"], bad["rule"], bad["id"]) == (
        2,
        "data.title",
        "text-blank",
        spoilt["id"],
    )
    assert await living(world) == {line["id"] for line in first[:4]}


async def test_a_row_that_names_no_record_removes_nothing(world, hand_in):
    """It may stand for any of those that are missing."""
    await policy(world, "absence")
    first = shelf(4)
    await hand_in(first)
    done = await hand_in([*first[:3], '{"noun": "offering", "id": 5'])
    assert (done["state"], done["rows_unreadable"]) == ("partial", 1)
    assert await living(world) == {line["id"] for line in first}


async def test_a_file_without_a_good_row_is_no_success(world, hand_in):
    """Failure is never reported as 0 added, 0 changed."""
    await policy(world, "absence")
    await hand_in(shelf(2))
    done = await hand_in(["{", "nonsense"])
    assert (done["state"], done["reason"]) == ("rejected", "no-good-row")
    assert len(await outcomes_of(world, hand_in, done)) == 2
    assert len(await living(world)) == 3


async def test_the_newest_counts(world, hand_in):
    await policy(world, "absence")
    first = shelf(15)
    await hand_in(first)
    held = await hand_in(first[:2])
    assert held["state"] == "held"
    await hand_in(first)
    path = f"/v1/nodes/baotou/snapshots/{held['number']}"
    old = (await world.http.get(path, headers=hand_in.who["baotou"])).json()
    assert (old["state"], old["reason"]) == ("rejected", "superseded")
    late = await world.http.post(f"{path}/approval", headers=await world.operator())
    assert late.status_code == 409


async def test_a_reader_never_sees_half_of_a_catalogue(world, hand_in):
    await policy(world, "absence")
    first = shelf(60, title="旧")
    await hand_in(first)
    second = [line | {"version": 2, "data": line["data"] | {"title": "新"}} for line in first]
    await hand_in(second, worked=False)
    work = asyncio.create_task(process(world))
    seen = set()
    while not work.done():
        items = (await world.http.get("/v1/catalogue", params={"limit": 200})).json()["items"]
        seen.add((len(items), *sorted({item["title"] for item in items})))
        await asyncio.sleep(0.005)
    await work
    assert seen <= {(60, "旧"), (60, "新")}
    assert (60, "旧") in seen


class Crash(BaseException):
    """The process dies."""


@pytest.mark.parametrize("point", ["stage", "apply_into"])
async def test_a_crash_in_the_middle_ends_as_if_there_was_none(world, hand_in, monkeypatch, point):
    await policy(world, "absence")
    first = shelf(3)
    await hand_in(first)
    before = await copies(world)
    received = await hand_in([*first[:3], offering(uuid4(), first[0]["id"])], worked=False)
    real = getattr(changes, point)

    async def dies(*given, **named):
        await real(*given, **named)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(changes, point, dies)
        with pytest.raises(Crash):
            await process(world)
    assert await copies(world) == before
    await process(world)
    path = f"/v1/nodes/baotou/snapshots/{received['number']}"
    done = (await world.http.get(path, headers=hand_in.who["baotou"])).json()
    assert (done["state"], done["counts"]) == ("applied", {"unchanged": 3, "created": 1, "removed": 1})
    assert await world.rows("SELECT 1 FROM catalogue_staging") == []


async def test_every_batch_ends(world, hand_in, monkeypatch):
    """What fails each time, what was lost, and what never came whole are rejected with a reason."""
    path = "/v1/nodes/baotou/snapshots"
    lost = await hand_in(shelf(1), worked=False)
    await world.rows("DELETE FROM snapshot_parts")
    await process(world)
    ill = await hand_in(shelf(1), worked=False)

    async def fails(*_given, **_named):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(changes, "apply_into", fails)
        for _ in range(4):
            await process(world)

    async def broken():
        yield json.dumps(provider(uuid4())).encode()
        raise ConnectionResetError

    headers = hand_in.who["baotou"] | {"Content-Type": "application/x-ndjson"}
    await world.http.put("/v1/nodes/baotou/catalogue", content=broken(), headers=headers)
    quiet = await hand_in(shelf(1), worked=False)
    # As a process leaves it that died while it received.
    await world.rows("UPDATE snapshots SET state = 'receiving' WHERE number = $1", quiet["number"])
    world.clock.move(minutes=6)
    await process(world)
    found = (await world.http.get(path, headers=hand_in.who["baotou"])).json()["items"]
    assert [(s["state"], s["reason"]) for s in reversed(found)] == [
        ("rejected", "upload-lost"), ("rejected", "work-failed"), ("rejected", "upload-broken"),
        ("rejected", "upload-broken"),
    ]  # fmt: skip
    assert all(s["message"] for s in found)
    assert (lost["number"], ill["number"]) == (1, 2)
    assert await copies(world) == []


async def test_who_may_hand_in(world, hand_in):
    done = await hand_in(shelf(1))
    path = f"/v1/nodes/baotou/snapshots/{done['number']}"
    stranger = await world.person("stranger", "window_staff", home="wuhai")
    media = {"Content-Type": "application/x-ndjson"}
    assert (await world.http.put("/v1/nodes/baotou/catalogue", content=b"", headers=media)).status_code == 401
    refused = await world.http.put("/v1/nodes/baotou/catalogue", content=b"", headers=stranger | media)
    assert refused.status_code == 404
    for call in (path, f"{path}/outcomes", f"{path}/outcomes.xlsx", "/v1/nodes/baotou/snapshots"):
        assert (await world.http.get(call, headers=stranger)).status_code == 404
    assert (await world.http.post(f"{path}/discard", headers=stranger)).status_code == 404
    assert (
        await world.http.get("/v1/nodes/baotou/snapshots/99", headers=hand_in.who["baotou"])
    ).status_code == 404


async def test_another_type_of_file_is_refused_in_words(world, hand_in):
    assert (await hand_in("", media="text/plain", status=422))["code"] == "unsupported-format"
    headers = hand_in.who["baotou"] | {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    zipped = await world.http.put("/v1/nodes/baotou/catalogue", content=b"x", headers=headers)
    assert (zipped.status_code, zipped.json()["field"]) == (422, "Content-Type")


async def test_a_quarantined_platform_hands_in_nothing(world, hand_in):
    await hand_in(shelf(1), worked=False)
    await world.rows("UPDATE members SET state = 'quarantined' WHERE id = 'baotou'")
    await process(world)
    (one,) = await world.rows("SELECT state, reason FROM snapshots")
    assert tuple(one) == ("rejected", "member-quarantined")
    assert (await hand_in(shelf(1), status=409))["code"] == "member-quarantined"
    assert await copies(world) == []


async def test_what_was_taken_over_goes_on_to_matchmaking_and_its_words_into_the_index(world, hand_in, push):
    """In parts after the switch; what changed meanwhile goes on by itself."""
    first = shelf(6, title="扫描电镜")
    await hand_in(first)
    assert (await world.http.get("/v1/catalogue/facets", params={"q": "电镜"})).json()["platform"] == {
        "baotou": 6
    }
    await push(offering(first[1]["id"], first[0]["id"], 2, title="透射电镜"))
    feeds = "SELECT entity::text AS id, envelope::json AS e FROM outbox WHERE feed = 'matchmaking' ORDER BY outbox.id"
    assert [row["id"] for row in await world.rows(feeds)] == [first[0]["id"], first[1]["id"]]
    runtime = world.app.state.runtime
    await consumers.follow_up(world.app.state.hub.roster.known)(runtime)
    rows = await world.rows(feeds)
    assert sorted(row["id"] for row in rows) == sorted(line["id"] for line in first)
    assert {json.loads(row["e"])["type"] for row in rows[2:]} == {"offering.announced.v1"}
    assert await world.rows("SELECT 1 FROM catalogue_offerings WHERE NOT indexed") == []
    assert await world.rows("SELECT 1 FROM snapshots WHERE untold_xid IS NOT NULL") == []
    assert (await world.http.get("/v1/catalogue/facets", params={"q": "电镜"})).json()["platform"] == {
        "baotou": 6
    }


async def test_indexing_is_no_change(world, hand_in):
    await hand_in(shelf(2))
    query = "SELECT id, changed_xid FROM catalogue_offerings ORDER BY id"
    before = await world.rows(query)
    await consumers.follow_up(world.app.state.hub.roster.known)(world.app.state.runtime)
    assert await world.rows(query) == before
