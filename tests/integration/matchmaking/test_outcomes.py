"""What became of cases, counted for each provider; whose business it is, is not kept."""

import asyncio
from uuid import uuid4

import pytest
from common import ids, migrate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matchmaking.matching.standing import Standing
from matchmaking.outcomes import service
from sqlalchemy import text

from tests.integration.matchmaking.results import (
    SECRETS,
    engagement,
    invitation,
    learning,
    quotation,
    rating,
)
from tests.integration.platform import copied, migrated

P = ("baotou", ids.derived("provider", "p"))
COPIES = ("invitations", "quotations", "engagements", "ratings")


@pytest.fixture(scope="module")
def template():
    with migrated(migrate.PACKAGES["matchmaking"]) as name:
        yield name


@pytest.fixture
async def learner(template):
    async with copied(template) as url, learning(url) as made:
        yield made


async def standing(learner, pair=P):
    async with learner.tx() as tx:
        return (await service.standings(tx, {pair})).get(pair)


def story():
    """Five invitations of one provider: won and rated, won and open, declined, expired, lost unanswered."""
    return [
        invitation("a"), quotation("a", after_h=10), invitation("a", "quoted", version=2),
        quotation("a", after_h=30, version=3, revision=2), invitation("a", "awarded", version=3),
        quotation("a", "accepted", after_h=30, version=4, revision=2), engagement("a"),
        engagement("a", "confirmed", version=2), engagement("a", "closed", version=6), rating("a", 3),
        rating("a", 4, version=2),
        invitation("b", offering="o2"), quotation("b", after_h=20),
        invitation("b", "awarded", offering="o2", version=3), engagement("b", "in_progress", version=3),
        invitation("c"), quotation("c", "declined", after_h=2, reason="busy"), invitation("c", "declined", version=2),
        invitation("d"), quotation("d", "viewed", after_h=None), invitation("d", "expired", version=2),
        quotation("d", "expired", after_h=None, version=3),
        invitation("e", "lost", version=2), quotation("e", "rejected", after_h=None),
        invitation("f", "withdrawn", version=5), quotation("f", "withdrawn", after_h=20),
        engagement("f", "cancelled", reason="quotation-withdrawn", version=2),
    ]  # fmt: skip


TOLD = Standing(
    asked=6, answered=4, declined=1, expired=1, median_answer_hours=15.0, awarded=2, open_engagements=1,
    cancelled_by_provider=1, grade_count=1, grade_sum=4, open_by_offering={ids.derived("offering", "o2"): 1},
)  # fmt: skip


async def test_a_provider_is_known_by_what_became_of_its_invitations(learner):
    await learner.hear(*story())
    assert await standing(learner) == TOLD


async def test_shuffled_and_doubled_facts_equal_a_rebuild(learner):
    facts = story()
    queries = [f"SELECT * FROM {table} ORDER BY owner, id" for table in COPIES]
    await learner.hear(*facts)
    expected = [await learner.here.rows(query) for query in queries]

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(facts), st.lists(st.sampled_from(facts), max_size=10))
    def law(order, doubled):
        async def check():
            async with learner.tx() as tx:
                await tx.execute(text(f"TRUNCATE {', '.join(COPIES)}"))
            await learner.hear(*order, *doubled)
            assert [await learner.here.rows(query) for query in queries] == expected
            assert await standing(learner) == TOLD

        asyncio.run_coroutine_threadsafe(check(), loop).result(60)

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(law)


async def test_accounts_names_texts_and_amounts_are_in_no_table(learner):
    await learner.hear(*story())
    tables = await learner.here.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    stored = ""
    for row in tables:
        stored += str(await learner.here.rows(f'SELECT t::text FROM "{row["tablename"]}" t'))
    assert "invitation_id" in stored and str(P[1]) in stored
    assert [secret for secret in SECRETS if secret in stored] == []


async def test_whose_standing_moves_is_told_once_for_each_news(learner):
    await learner.hear(invitation(), quotation(), engagement(), rating())
    assert learner.touched == [P] * 4
    await learner.hear(
        invitation(), quotation(), engagement(), rating(), quotation("two", "viewed", after_h=None)
    )
    assert learner.touched == [P] * 4
    await learner.hear(rating(grade=1, version=2, provider="q"))
    assert learner.touched[4:] == [("baotou", ids.derived("provider", "q"))]


async def test_a_platform_speaks_for_its_own_providers_only(learner):
    """Another platform, or another provider of the same, claims to have answered this invitation."""
    await learner.hear(invitation())
    await learner.hear(quotation(platform="erenhot"), source="erenhot")
    await learner.hear(quotation("other", provider="q").model_copy(update={"invitation_id": invitation().id}))
    assert await standing(learner) == Standing(asked=1)
    assert await standing(learner, ("erenhot", P[1])) is None


async def test_who_was_never_asked_by_its_platform_is_not_blamed(learner):
    for name, reason in (
        ("a", "provider-not-active"),
        ("b", "arrived-after-deadline"),
        ("c", "provider-unknown"),
    ):
        await learner.hear(
            invitation(name, "declined", version=2), quotation(name, "declined", reason=reason)
        )
    assert await standing(learner) is None


async def test_work_whose_invitation_is_not_known_yet_still_counts(learner):
    await learner.hear(engagement())
    assert await standing(learner) == Standing(open_engagements=1)
    await learner.hear(invitation("one", "awarded", version=3))
    assert (await standing(learner)).open_by_offering == {ids.derived("offering", "o"): 1}
    await learner.hear(engagement("one", "delivered", version=4))
    assert (await standing(learner)).open_engagements == 0


async def test_many_providers_are_asked_for_at_once(learner):
    names = [f"p{number}" for number in range(40)]
    await learner.hear(*[invitation(name, provider=name) for name in names])
    pairs = {("baotou", ids.derived("provider", name)) for name in names}
    async with learner.tx() as tx:
        found = await service.standings(tx, pairs | {("baotou", uuid4()) for _ in range(3000)})
        assert await service.standings(tx, set()) == {}
    assert found == dict.fromkeys(pairs, Standing(asked=1))
