"""The copies follow their owners, and the index follows the copies."""

import asyncio

from common.contracts import offerings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matchmaking.matching.lexical import Lexical
from matchmaking.offerings.service import Catalogue
from sqlalchemy import text

from tests.integration.matchmaking.network import demand, offering, provider, rating, raw

COPIES = "SELECT owner, id, epoch, version, deleted, body FROM {} ORDER BY owner, id"
STATES = ("draft", "in_review", "published", "paused", "full")


def history():
    """What two offerings, their provider and its ratings went through; the second was retired."""
    facts = [
        provider(version=n + 1, state=state)
        for n, state in enumerate(("submitted", "active", "suspended", "active"))
    ]
    for name in ("a", "b"):
        facts += [
            offering(name, version=n + 1, state=state, title=f"{name}{n}检测")
            for n, state in enumerate(STATES)
        ]
    retired = offering("b", version=9, state="retired").model_dump()
    facts.append(offerings.OfferingRetired.model_validate(retired))
    return [*facts, rating(1, 5), rating(1, 4, version=2), rating(2, 3)]


async def contents(network):
    tables = {name: await network.rows(COPIES.format(name)) for name in ("offerings", "providers", "ratings")}
    catalogue = Catalogue(Lexical())
    async with network.runtime.sessions() as tx:
        found = sorted(await catalogue.search(tx, "检测", 10))
    return tables, found


async def test_shuffled_and_doubled_facts_equal_a_rebuild(network):
    facts = history()
    await network.say(*facts)
    expected = await contents(network)
    assert expected[1]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(facts), st.lists(st.sampled_from(facts), max_size=10), st.integers(1, 20))
    def law(order, doubled, size):
        async def check():
            async with network.runtime.sessions.begin() as tx:
                await tx.execute(text("TRUNCATE offerings, providers, ratings"))
            said = [*order, *doubled]
            for start in range(0, len(said), size):
                await network.say(*said[start : start + size])
            assert await contents(network) == expected

        asyncio.run_coroutine_threadsafe(check(), loop).result(60)

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(law)


async def test_a_change_that_was_rolled_back_is_not_searched(network):
    await network.say(provider(), offering())
    catalogue = Catalogue(Lexical())
    async with network.runtime.sessions() as tx:
        await tx.execute(
            text(
                "UPDATE offerings SET body = jsonb_set(body, '{title}', '\"羊绒\"'), version = 2, changed_xid = pg_current_xact_id()::text::bigint"
            )
        )
        await tx.execute(
            text(
                "INSERT INTO offerings SELECT 'hohhot', id, epoch, version, deleted, content_hash, forked, body, provider_id, provider_name, kind, title, category, division, service_area, price, lead_days, state, changed_xid FROM offerings"
            )
        )
        assert len(await catalogue.search(tx, "羊绒", 10)) == 2
        async with network.runtime.sessions() as other:
            assert await catalogue.search(other, "羊绒", 10) == []
        assert len(await catalogue.search(tx, "羊绒", 10)) == 2
        await tx.rollback()
    async with network.runtime.sessions() as tx:
        assert await catalogue.search(tx, "羊绒", 10) == []
        assert len(await catalogue.search(tx, "牛奶", 10)) == 1


async def test_a_change_committed_late_by_another_process_is_seen(network):
    """The scar of cursors: a lower number may commit after a higher one was read."""
    await network.say(provider())
    catalogue = Catalogue(Lexical())
    inbox = network.runtime.inbox
    async with network.runtime.sessions() as slow:
        await inbox._handle(slow, _read(raw(offering("slow"), "baotou")))
        await network.say(offering("quick"))
        async with network.runtime.sessions() as tx:
            assert len(await catalogue.search(tx, "牛奶", 10)) == 1
        await slow.commit()
    async with network.runtime.sessions() as tx:
        assert len(await catalogue.search(tx, "牛奶", 10)) == 2


def _read(message):
    from common.inbox import read

    return read(message)


async def test_a_suspension_and_a_retirement_reach_the_next_match(network):
    await network.say(provider(), offering())
    await network.say(demand("one"))
    await network.say(provider(version=2, state="suspended"))
    await network.say(demand("two"))
    await network.say(provider(version=3, state="active"))
    retired = offering(version=2, state="retired").model_dump()
    await network.say(offerings.OfferingRetired.model_validate(retired), offering())
    await network.say(demand("three"))
    outcomes = [(match.outcome, len(match.near_misses)) for _, match in await network.answers()]
    assert outcomes == [("matched", 0), ("no_match", 1), ("no_match", 0)]


async def test_ratings_move_the_better_provider_up(network):
    await network.say(provider("good"), provider("poor"), offering("x", "good"), offering("y", "poor"))
    await network.say(*(rating(n, 5, "good") for n in range(5)), source="hohhot")
    await network.say(*(rating(n + 10, 1, "poor") for n in range(5)), source="hohhot")
    await network.say(demand())
    [(_, match)] = await network.answers()
    assert [candidate.provider_id for candidate in match.candidates] == [
        provider("good").id,
        provider("poor").id,
    ]


async def test_a_bulk_load_leaves_the_loop_free(network):
    """Five thousand offerings are indexed in turns, and others have theirs between."""
    import json

    body = json.dumps(offering().model_dump(mode="json"), ensure_ascii=False)
    async with network.runtime.sessions.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO offerings SELECT 'baotou', gen_random_uuid(), 1, 1, false, 'h', false, CAST(:body AS jsonb),"
                " CAST(:provider AS uuid), 'p', 'service', 't', 'technology_quality.testing', '150105', '[]', '{}', 3,"
                " 'published', pg_current_xact_id()::text::bigint FROM generate_series(1, 5000)"
            ),
            {"body": body, "provider": str(provider().id)},
        )
    catalogue, turns, done = Catalogue(Lexical()), 0, False

    async def others():
        nonlocal turns
        while not done:
            await asyncio.sleep(0)
            turns += 1

    waiting = asyncio.create_task(others())
    async with network.runtime.sessions() as tx:
        await catalogue.refresh(tx)
    done = True
    await waiting
    assert catalogue.count == 5000
    assert turns > 50
