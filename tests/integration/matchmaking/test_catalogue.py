"""The copies follow their owners, and the index follows the copies."""

import asyncio
import json

from common.contracts import offerings
from common.inbox import read
from common.mirrors import TURN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matchmaking.matching import weights
from matchmaking.matching.retrieval import Need
from matchmaking.matching.standing import Standing
from matchmaking.offerings.service import Catalogue
from sqlalchemy import text

from tests.integration.matchmaking.network import demand, offering, provider, rating, raw

COPIES = "SELECT owner, id, epoch, version, deleted, body FROM {} ORDER BY owner, id"
STATES = ("draft", "in_review", "published", "paused", "full")
NEED = "牛奶检测"


def retired(name="milk", version=9, **changes):
    said = offering(name, version=version, state="retired", **changes).model_dump()
    return offerings.OfferingRetired.model_validate(said)


def history():
    """What two offerings, their provider and its ratings went through; the second was retired."""
    facts = [
        provider(version=n + 1, state=state)
        for n, state in enumerate(("submitted", "active", "suspended", "active"))
    ]
    for name in ("a", "b", "c"):
        facts += [
            offering(name, version=n + 1, state=state, title=f"{name}{n}检测", capacity=n)
            for n, state in enumerate(STATES)
        ]
    return [*facts, retired("b"), rating(1, 5), rating(1, 4, version=2), rating(2, 3)]


def another(network):
    """The catalogue of a process that starts now."""
    return Catalogue(network.matchmaker.embeddings)


async def seen(catalogue, tx, text_=NEED):
    """What a catalogue finds and judges by."""
    await catalogue.refresh(tx)
    hits = catalogue.index.search(Need(catalogue.index.sought(text_)), 50)
    return hits, catalogue.offers(hit.key for hit in hits)


async def titles(catalogue, tx, text_=NEED):
    hits, offers = await seen(catalogue, tx, text_)
    least = weights.current().floor
    return [offers[hit.key].listing.title for hit in hits if hit.relevance >= least]


async def contents(network, *catalogues):
    names = ("offerings", "providers", "ratings")
    tables = {name: await network.rows(COPIES.format(name)) for name in names}
    async with network.runtime.sessions() as tx:
        found = [await seen(catalogue, tx) for catalogue in (another(network), *catalogues)]
    assert all(one == found[0] for one in found)
    return tables, found[0]


async def test_shuffled_and_doubled_facts_equal_a_rebuild(network):
    facts = history()
    await network.say(*facts)
    expected = await contents(network)
    hits, offers = expected[1]
    assert len(hits) == len(offers) == 2

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(facts), st.lists(st.sampled_from(facts), max_size=10), st.integers(1, 40))
    def law(order, doubled, size):
        async def check():
            async with network.runtime.sessions.begin() as tx:
                await tx.execute(text("TRUNCATE offerings, providers, ratings"))
            said, following = [*order, *doubled], another(network)
            for start in range(0, len(said), size):
                await network.say(*said[start : start + size])
                async with network.runtime.sessions() as tx:
                    await following.refresh(tx)
            assert await contents(network, following) == expected

        asyncio.run_coroutine_threadsafe(check(), loop).result(60)

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(law)


async def test_each_version_that_was_the_newest_is_kept_also_when_several_come_at_once(network):
    """A match of that day can be computed again from them."""
    await network.say(provider(), offering(title="一"))
    await network.say(
        *(
            offering(version=n, title=title)
            for n, title in ((3, "三"), (2, "二"), (4, "四"), (4, "四又"), (4, "四"))
        )
    )
    await network.say(
        offering(version=4, title="四又"), offering(version=2, title="二"), offering(version=5, title="五")
    )
    rows = await network.rows(
        "SELECT version, body->>'title' AS title FROM offering_versions ORDER BY version"
    )
    assert [(row["version"], row["title"]) for row in rows] == [(1, "一"), (3, "三"), (4, "四"), (5, "五")]


async def test_a_change_that_was_rolled_back_is_not_searched(network):
    await network.say(provider(), offering())
    catalogue = another(network)
    async with network.runtime.sessions() as tx:
        await tx.execute(
            text(
                "UPDATE offerings SET body = jsonb_set(body, '{title}', '\"羊绒\"'), version = 2,"
                " changed_xid = pg_current_xact_id()::text::bigint"
            )
        )
        await tx.execute(
            text(
                "INSERT INTO offerings (owner, id, epoch, version, deleted, content_hash, forked, body, provider_id,"
                " state, text_hash, changed_xid) SELECT 'hohhot', id, epoch, version, deleted, content_hash, forked,"
                " body, provider_id, state, text_hash, changed_xid FROM offerings"
            )
        )
        assert len(await titles(catalogue, tx, "羊绒")) == 2
        async with network.runtime.sessions() as other:
            assert await titles(catalogue, other, "羊绒") == []
        assert len(await titles(catalogue, tx, "羊绒")) == 2
        await tx.rollback()
    async with network.runtime.sessions() as tx:
        assert await titles(catalogue, tx, "羊绒") == []
        assert len(await titles(catalogue, tx, "牛奶")) == 1
        assert await seen(catalogue, tx) == await seen(another(network), tx)


async def test_a_change_committed_late_by_another_process_is_seen(network):
    """The scar of cursors: a lower number may commit after a higher one was read."""
    await network.say(provider())
    catalogue = another(network)
    async with network.runtime.sessions() as slow:
        await network.runtime.inbox._handle(slow, [read(raw(offering("slow"), "baotou"))])
        await network.say(offering("quick"))
        async with network.runtime.sessions() as tx:
            assert len(await titles(catalogue, tx)) == 1
        await slow.commit()
    async with network.runtime.sessions() as tx:
        assert len(await titles(catalogue, tx)) == 2


async def test_a_suspension_and_a_retirement_reach_the_next_match(network):
    await network.say(provider(), offering())
    await network.say(demand("one"))
    await network.say(provider(version=2, state="suspended"))
    await network.say(demand("two"))
    await network.say(provider(version=3, state="active"))
    await network.say(demand("three"))
    await network.say(retired(version=2), offering())
    await network.say(demand("four"))
    outcomes = [(match.outcome, len(match.near_misses)) for _, match in await network.answers()]
    assert outcomes == [("matched", 0), ("no_match", 1), ("matched", 0), ("no_match", 0)]


async def test_a_pause_and_a_publication_reach_the_next_match(network):
    await network.say(provider(), offering())
    outcomes = []
    for version, state in enumerate(("paused", "published", "full", "draft", "published"), start=2):
        await network.say(offering(version=version, state=state))
        await network.say(demand(f"{version}"))
        outcomes.append((await network.match()).outcome)
    assert outcomes == ["no_match", "matched", "no_match", "no_match", "matched"]


async def test_ratings_move_the_better_provider_up(network):
    await network.say(provider("good"), provider("poor"), offering("x", "good"), offering("y", "poor"))
    await network.say(demand("before"))
    await network.say(*(rating(n, 5, "good") for n in range(5)), source="hohhot")
    await network.say(*(rating(n + 10, 1, "poor") for n in range(5)), source="hohhot")
    await network.say(demand())
    match = await network.match()
    assert [candidate.provider_id for candidate in match.candidates] == [
        provider("good").id,
        provider("poor").id,
    ]
    assert "评价5.0分（5次）" in match.candidates[0].reason_zh


async def test_a_standing_reaches_what_is_held_of_a_provider(network):
    await network.say(provider(), offering())
    catalogue = another(network)
    async with network.runtime.sessions() as tx:
        _, offers = await seen(catalogue, tx)
    assert [offer.supplier.standing for offer in offers.values()] == [Standing()]
    await network.say(rating(1, 4), source="hohhot")
    async with network.runtime.sessions() as tx:
        _, offers = await seen(catalogue, tx)
    assert [offer.supplier.standing for offer in offers.values()] == [Standing(grade_count=1, grade_sum=4)]


async def test_a_bulk_load_leaves_the_loop_free(network):
    """Five thousand offerings are indexed in turns, and others have theirs between."""
    body = json.dumps(offering().model_dump(mode="json"), ensure_ascii=False)
    async with network.runtime.sessions.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO offerings (owner, id, epoch, version, deleted, content_hash, forked, body, provider_id,"
                " state, text_hash, changed_xid) SELECT 'baotou', gen_random_uuid(), 1, 1, false, 'h', false,"
                " CAST(:body AS jsonb), CAST(:provider AS uuid), 'published', '\\x00',"
                " pg_current_xact_id()::text::bigint FROM generate_series(1, 5000)"
            ),
            {"body": body, "provider": str(provider().id)},
        )
    catalogue, longest, done = another(network), 0, False

    async def others():
        nonlocal longest
        while not done:
            before = catalogue.count
            await asyncio.sleep(0)
            longest = max(longest, catalogue.count - before)

    waiting = asyncio.create_task(others())
    async with network.runtime.sessions() as tx:
        await catalogue.refresh(tx)
    done = True
    await waiting
    assert catalogue.count == 5000
    assert longest <= TURN, "between two turns of others so many offerings were indexed at most"


async def test_a_database_put_back_to_an_older_state_is_followed(network):
    """After a restore transactions count from an older number."""
    await network.say(provider(), offering())
    catalogue = another(network)
    async with network.runtime.sessions() as tx:
        assert len(await titles(catalogue, tx)) == 1
    catalogue._offerings.horizon = catalogue._providers.horizon = 2**40
    await network.say(offering(version=2, title="羊绒检测"))
    async with network.runtime.sessions() as tx:
        assert await titles(catalogue, tx) == ["羊绒检测"]


async def test_two_processes_see_the_same_changes(network, opened, matchmaking_settings):
    other = opened(matchmaking_settings)
    await network.say(provider(), offering())
    await other.say(demand("one"), source="hohhot")
    await other.say(offering(version=2, state="paused"), rating(1, 5))
    await network.say(demand("two"), source="hohhot")
    await network.say(offering(version=3))
    await other.say(demand("three"), source="hohhot")
    found = [(match.outcome, match.considered) for _, match in await network.answers()]
    assert found == [("matched", 1), ("no_match", 1), ("matched", 1)]


async def test_a_restart_finds_the_same(network, opened, matchmaking_settings):
    """Whatever came and went before: a process that starts now judges alike."""
    await network.say(provider(), provider("other"))
    for n in range(12):
        await network.say(offering(f"n{n}", "other", title=f"乳品检测{n}", summary="菌落 蛋白质 化验"))
        await network.say(offering("milk", version=n + 1, title=f"牛奶检测{n}"))
        if n % 3 == 0:
            await network.say(retired(f"n{n}", by="other", version=2))
        await network.say(demand(f"between{n}"))
    await network.say(rating(1, 5, "other"), source="hohhot")
    await network.say(demand("before", id=demand("same").id), source="hohhot")
    before = await network.match()
    later = opened(matchmaking_settings)
    await later.say(demand("before", id=demand("same").id, version=2), source="hohhot")
    after = await later.match()
    assert (before.version, after.version) == (1, 2)
    assert len(after.candidates) == 9
    assert (after.candidates, after.near_misses) == (before.candidates, before.near_misses)
