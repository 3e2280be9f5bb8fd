"""Campaigns through their HTTP doors, on real copies; plans are solved by the real process beside the service."""

import asyncio
import json
from dataclasses import dataclass
from uuid import uuid4

import pytest
from common import ids
from common.contracts import demands, providers
from common.contracts.matches import Component
from common.http import build
from matchmaking.app import create_app
from matchmaking.campaigns import service
from matchmaking.campaigns.assignment import solve
from matchmaking.campaigns.consumers import Planning
from matchmaking.campaigns.problem import Problem
from matchmaking.campaigns.router import router
from matchmaking.demands import repository as needs
from matchmaking.matching.listing import Listing
from matchmaking.offerings.consumers import routes as offered

from tests.integration.matchmaking.network import demand, offering, provider
from tests.integration.platform import copied, migrated, running

PACKAGES = ("common", "matchmaking")
CAMPAIGN = {
    "name": "检测服务券", "kind": "service_voucher", "opens_on": "2026-03-01", "closes_on": "2026-12-31",
    "budget_cents": 300_000, "support": {"amount_cents": 100_000}, "providers": {"capacity": 5},
}  # fmt: skip


@dataclass(frozen=True)
class Fits:
    listing: Listing
    score: float
    components: tuple[Component, ...] = ()


class Engine:
    """Which providers fit which demand, as a test says it: matching itself is tried elsewhere."""

    def __init__(self):
        self.fits = {}

    def put(self, need, by, score, *, platform="baotou", newcomer=False, kind="service", name="o"):
        said = offering(f"{name}-{by}", by)
        listing = Listing(
            platform=platform, offering_id=said.id, epoch=1, version=2, provider_id=said.provider_id,
            provider_name=by, kind=kind, title=f"检测 {by}", category=said.category, division=said.division,
            service_area=(), price=said.price, lead_days=3, state="published",
        )  # fmt: skip
        parts = (Component(name="newcomer", score=0.05),) if newcomer else ()
        self.fits.setdefault(need.id, []).append(Fits(listing, score, parts))

    async def fitting(self, tx, owner, demand, *, at, limit):
        return sorted(self.fits.get(demand.id, []), key=lambda one: (-one.score, one.listing.key))[:limit]


async def on_demand(tx, message):
    await needs.apply_all(tx, [(message.envelope, message.fact)])


def create(settings, clock):
    app = build(
        settings,
        title="t",
        summary="s",
        routers=[router],
        routes=(*offered, ("demand.*", on_demand)),
        now=clock,
    )
    app.state.engine = Engine()
    return app


@pytest.fixture(scope="module")
def template():
    with migrated(PACKAGES) as name:
        yield name


class Desk:
    """The service with people who may act and look on, and the rest of the network."""

    def __init__(self, here):
        self.here, self.engine = here, here.app.state.engine
        self.operator = here.caller("op", "operator")
        self.department = here.caller("dep", "department")
        self.planning = Planning(self.engine)

    async def needs(self, *names, window="hohhot", **other):
        made = [demand(name, number=f"NM-{name}", **other) for name in names]
        for one in made:
            await self.here.hear(one, source=window)
        return made

    async def offers(self, *names, platform="baotou", **other):
        for name in names:
            said = provider(name, **other).model_copy(update={"name": name})
            await self.here.hear(said, source=platform)

    async def campaign(self, **other):
        answer = await self.operator.post("/v1/campaigns", json=CAMPAIGN | other)
        assert answer.status_code == 201, answer.text
        return f"/v1/campaigns/{answer.json()['id']}"

    async def plan(self, campaign):
        asked = await self.operator.post(f"{campaign}/plans")
        assert asked.status_code == 202, asked.text
        await self.planning(self.here.runtime)
        return (await self.operator.get(asked.headers["Location"])).json()

    async def proposed(self, *, several=3):
        """A campaign with a plan: three demands, two providers."""
        made = await self.needs(*(f"n{n}" for n in range(several)))
        await self.offers("one", "two")
        for place, need in enumerate(made):
            self.engine.put(need, "one", 0.9 - place / 10)
            self.engine.put(need, "two", 0.5)
        campaign = await self.campaign()
        plan = await self.plan(campaign)
        assert plan["state"] == "proposed", plan
        return campaign, made


@pytest.fixture
async def desk(template):
    async with copied(template) as url, running(url, "matchmaking", create) as here:
        yield Desk(here)


def refused(answer, status, code, field=None):
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("field")) == (status, code, field), answer.text
    return problem


async def test_from_draft_to_allocations_both_sides_hear_of(desk):
    campaign, made = await desk.proposed()
    plan = (await desk.department.get(f"{campaign}/plans/1")).json()
    assert (plan["method"], plan["gap"], plan["done"], plan["total"]) == ("lp", 0.0, 3, 3)
    assert {"engine", "words", "weights", "catalogue"} <= set(plan["versions"])
    compared = plan["comparison"]
    assert (compared["plan"]["assigned"], compared["plan"]["spent_cents"]) == (3, 300_000)
    assert compared["plan"]["utility"] == pytest.approx(0.9 + 0.8 + 0.7)
    assert [line["provider_name"] for line in plan["lines"]] == ["one"] * 3
    assert (await desk.operator.get(campaign)).json()["state"] == "planned"
    accepted = await desk.operator.post(f"{campaign}/plans/1/acceptance")
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    assert (await desk.operator.get(campaign)).json()["accepted_plan"] == 1
    said = await desk.here.said("allocation.%")
    assert sorted((e["recipient"], e["data"]["demand_number"]) for e in map(_read, said)) == [
        (recipient, f"NM-n{n}") for recipient in ("baotou", "hohhot") for n in range(3)
    ]
    listed = (await desk.department.get(f"{campaign}/allocations")).json()["items"]
    assert {item["demand_id"] for item in listed} == {str(one.id) for one in made}
    gone = f"{campaign}/allocations/{listed[0]['id']}/withdrawal"
    assert (await desk.operator.post(gone, json={"reason": "企业放弃"})).json()["state"] == "withdrawn"
    refused(await desk.operator.post(gone, json={"reason": "再次"}), 409, "allocation-state")
    last = [_read(e) for e in await desk.here.said("allocation.withdrawn.v1")]
    assert sorted(e["recipient"] for e in last) == ["baotou", "hohhot"]
    assert {(e["data"]["version"], e["data"]["state_reason"]) for e in last} == {(2, "企业放弃")}
    acts = [
        row["action"]
        for row in await desk.here.rows("SELECT action FROM audit WHERE action LIKE 'campaign%' ORDER BY id")
    ]
    assert acts == [
        f"campaign.{act}" for act in ("created", "plan-requested", "plan-proposed", "plan-accepted")
    ]


def _read(envelope):
    return json.loads(envelope) if isinstance(envelope, str) else envelope


async def test_a_provider_at_home_in_the_demands_window_is_told_once(desk):
    [need] = await desk.needs("a")
    await desk.offers("one", platform="hohhot")
    desk.engine.put(need, "one", 0.5, platform="hohhot")
    campaign = await desk.campaign()
    await desk.plan(campaign)
    await desk.operator.post(f"{campaign}/plans/1/acceptance")
    assert [_read(e)["recipient"] for e in await desk.here.said("allocation.%")] == ["hohhot"]


async def test_the_stored_inputs_give_the_same_plan_again(desk):
    campaign, _ = await desk.proposed(several=5)
    plan = (await desk.operator.get(f"{campaign}/plans/1")).json()
    stored = (await desk.department.get(f"{campaign}/plans/1/inputs")).json()
    again = solve(Problem.model_validate(stored["problem"]))
    assert again.comparison.model_dump(mode="json") == plan["comparison"]
    assert {pair.demand: pair.provider for pair in again.assignments} == {
        f"{line['demand_window']}/{line['demand_id']}": f"{line['platform']}/{line['provider_id']}"
        for line in plan["lines"]
    }
    assert plan["unassigned"] == {"budget": 2}
    rest = (await desk.operator.get(f"{campaign}/plans/1?outcome=unassigned&limit=1")).json()
    assert [line["reason"] for line in rest["lines"]] == ["budget"]
    more = await desk.operator.get(f"{campaign}/plans/1?outcome=unassigned&after={rest['next_cursor']}")
    assert (len(more.json()["lines"]), more.json()["next_cursor"]) == (1, None)


async def test_what_cannot_hold_is_named_in_both_languages(desk):
    [need] = await desk.needs("a", division="150102")
    await desk.offers("one", "two")
    for by in ("one", "two"):
        desk.engine.put(need, by, 0.5)
    campaign = await desk.campaign(rules={"leasts": [{"division": "150100", "count": 2}]})
    plan = await desk.plan(campaign)
    assert (plan["state"], plan["comparison"], plan["lines"]) == ("infeasible", None, [])
    assert plan["clash_zh"] == "「呼和浩特市至少 2 项」无法满足；请放宽"
    assert "at least 2 in Hohhot" in plan["clash_en"]
    changed = {"rules": {"leasts": [{"division": "150100", "count": 1}]}, "budget_cents": 50_000}
    tag = (await desk.operator.get(campaign)).headers["ETag"]
    assert (await desk.operator.patch(campaign, json=changed, headers={"If-Match": tag})).status_code == 200
    plan = await desk.plan(campaign)
    assert {clash["kind"] for clash in plan["clashes"]} == {"budget", "league-least"}
    assert "「预算 500 元」" in plan["clash_zh"]
    refused(await desk.operator.post(f"{campaign}/plans/2/acceptance"), 409, "plan-state")
    assert (await desk.operator.get(campaign)).json()["state"] == "draft"


@pytest.mark.parametrize("role", ["sme", "agency", "window_staff", "cluster_staff"])
async def test_others_are_refused(desk, role):
    campaign = await desk.campaign()
    other = desk.here.caller("someone", role, home="matchmaking")
    for path in (
        "/v1/campaigns",
        campaign,
        f"{campaign}/plans",
        f"{campaign}/plans/1",
        f"{campaign}/plans/1/inputs",
        f"{campaign}/allocations",
    ):
        refused(await other.get(path), 403, "role-needed")
    refused(await other.post("/v1/campaigns", json=CAMPAIGN), 403, "role-needed")
    refused(await other.post(f"{campaign}/plans/1/acceptance"), 403, "role-needed")


async def test_departments_look_on_and_change_nothing(desk):
    campaign = await desk.campaign()
    assert (await desk.department.get("/v1/campaigns?state=draft")).json()["items"][0]["name"] == "检测服务券"
    why = {"reason": "不妥"}
    for path, body in (
        ("/v1/campaigns", CAMPAIGN), (f"{campaign}/plans", None), (f"{campaign}/plans/1/acceptance", None),
        (f"{campaign}/plans/1/rejection", why), (f"{campaign}/cancellation", why),
        (f"{campaign}/allocations/{uuid4()}/withdrawal", why),
    ):  # fmt: skip
        refused(await desk.department.post(path, json=body), 403, "role-needed")
    answer = await desk.department.patch(campaign, json={"name": "改"}, headers={"If-Match": '"1.1"'})
    refused(answer, 403, "role-needed")


async def test_two_acceptances_at_once_are_one(desk):
    campaign, _ = await desk.proposed()
    path = f"{campaign}/plans/1/acceptance"
    answers = await asyncio.gather(*(desk.operator.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await desk.here.rows("SELECT 1 FROM allocations")) == 3
    assert len(await desk.here.said("allocation.%")) == 6


async def test_the_same_acceptance_again_has_the_same_answer(desk):
    campaign, _ = await desk.proposed()
    path, key = f"{campaign}/plans/1/acceptance", {"Idempotency-Key": "k1"}
    first, second = [await desk.operator.post(path, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json() == second.json()


async def test_a_demand_withdrawn_or_a_provider_suspended_since_stops_the_acceptance(desk):
    campaign, made = await desk.proposed()
    gone = demand("n1", demands.DemandWithdrawn, version=2, state="withdrawn", number="NM-n1")
    await desk.here.hear(gone, source="hohhot")
    answer = refused(await desk.operator.post(f"{campaign}/plans/1/acceptance"), 409, "plan-outdated")
    assert answer["demands"] == [{"window": "hohhot", "demand_id": str(made[1].id), "number": "NM-n1"}]
    assert answer["providers"] == []
    assert await desk.here.rows("SELECT 1 FROM allocations") == []
    assert await desk.here.said("allocation.%") == []
    plan = await desk.plan(campaign)
    assert (plan["number"], plan["comparison"]["plan"]["assigned"]) == (2, 2)
    refused(await desk.operator.post(f"{campaign}/plans/1/acceptance"), 409, "plan-state")
    idle = providers.ProviderSuspended.model_validate(
        provider("one", version=2, state="suspended").model_dump() | {"name": "one"}
    )
    await desk.here.hear(idle, source="baotou")
    answer = refused(await desk.operator.post(f"{campaign}/plans/2/acceptance"), 409, "plan-outdated")
    assert [one["name"] for one in answer["providers"]] == ["one"]


async def test_a_demand_gets_one_voucher_whichever_campaign_gives_it(desk):
    campaign, _ = await desk.proposed()
    other = await desk.campaign(name="另一批")
    assert (await desk.plan(other))["state"] == "proposed"
    assert (await desk.operator.post(f"{campaign}/plans/1/acceptance")).status_code == 200
    answer = refused(await desk.operator.post(f"{other}/plans/1/acceptance"), 409, "plan-outdated")
    assert len(answer["taken"]) == 3
    plan = await desk.plan(other)
    assert (plan["lines"], plan["unassigned"]) == ([], {"already-allocated": 3})
    training = await desk.campaign(kind="training", budget_cents=None, support={})
    assert len((await desk.plan(training))["lines"]) == 3


async def test_a_rejected_plan_lets_the_campaign_be_changed_and_planned_again(desk):
    campaign, _ = await desk.proposed()
    tag = (await desk.operator.get(campaign)).headers["ETag"]
    change = {"budget_cents": 100_000}
    refused(
        await desk.operator.patch(campaign, json=change, headers={"If-Match": tag}), 409, "campaign-state"
    )
    done = await desk.operator.post(f"{campaign}/plans/1/rejection", json={"reason": "预算下调"})
    assert (done.json()["state"], done.json()["state_reason"]) == ("rejected", "预算下调")
    refused(await desk.operator.patch(campaign, json=change), 428, "if-match-needed", "If-Match")
    refused(
        await desk.operator.patch(campaign, json=change, headers={"If-Match": tag}),
        412,
        "stale-version",
        "If-Match",
    )
    tag = (await desk.operator.get(campaign)).headers["ETag"]
    changed = await desk.operator.patch(campaign, json=change, headers={"If-Match": tag})
    assert (changed.json()["state"], changed.json()["budget_cents"]) == ("draft", 100_000)
    assert (await desk.plan(campaign))["comparison"]["plan"]["assigned"] == 1


async def test_one_plan_of_a_campaign_is_computed_at_a_time(desk):
    campaign, _ = await desk.proposed()
    answers = await asyncio.gather(*(desk.operator.post(f"{campaign}/plans") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    waiting = (await desk.operator.get(f"{campaign}/plans/2")).json()
    assert (waiting["state"], waiting["lines"]) == ("queued", [])
    refused(await desk.operator.get(f"{campaign}/plans/2/inputs"), 404, "not-found")
    refused(await desk.operator.post(f"{campaign}/plans/1/acceptance"), 409, "plan-running")
    cancelled = await desk.operator.post(f"{campaign}/cancellation", json={"reason": "经费收回"})
    assert cancelled.json()["state"] == "cancelled"
    await desk.planning(desk.here.runtime)
    states = [one["state"] for one in (await desk.operator.get(f"{campaign}/plans")).json()["items"]]
    assert states == ["superseded", "superseded"]
    refused(await desk.operator.post(f"{campaign}/plans"), 409, "campaign-state")


async def test_a_run_that_died_is_taken_up_again_and_given_up_after_three(desk):
    campaign, _ = await desk.proposed()
    await desk.operator.post(f"{campaign}/plans")
    for _ in range(2):
        async with desk.here.runtime.transaction() as tx:
            assert (await service.claim(tx, at=desk.here.clock())).number == 2
        async with desk.here.runtime.transaction() as tx:
            assert await service.claim(tx, at=desk.here.clock()) is None
        desk.here.clock.forward(minutes=10)
    await desk.planning(desk.here.runtime)
    assert (await desk.operator.get(f"{campaign}/plans/2")).json()["state"] == "proposed"
    await desk.operator.post(f"{campaign}/plans")
    for _ in range(3):
        async with desk.here.runtime.transaction() as tx:
            assert (await service.claim(tx, at=desk.here.clock())).number == 3
        desk.here.clock.forward(minutes=10)
    await desk.planning(desk.here.runtime)
    failed = (await desk.operator.get(f"{campaign}/plans/3")).json()
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "gave-up")


async def test_a_solver_that_takes_too_long_is_killed_and_the_plan_says_so(desk, monkeypatch):
    campaign, _ = await desk.proposed()
    monkeypatch.setattr(service, "SOLVE_S", 0.01)
    plan = await desk.plan(campaign)
    assert (plan["state"], plan["failure"]["code"]) == ("failed", "too-slow")
    assert (await desk.operator.get(campaign)).json()["state"] == "planned"
    assert (await desk.operator.get(f"{campaign}/plans/1")).json()["state"] == "proposed"


async def test_filters_choose_demands_and_providers(desk):
    small = await desk.needs(
        "small", size_class="small", division="150102", category="technology_quality.testing"
    )
    await desk.needs("medium", size_class="medium", division="150102", category="technology_quality.testing")
    await desk.needs("far", size_class="small", division="150203", category="technology_quality.testing")
    await desk.needs("other", size_class="small", division="150102")
    await desk.needs(
        "done", size_class="small", division="150102", category="technology_quality.testing", state="awarded"
    )
    await desk.offers("near", division="150102", categories=("technology_quality.testing",))
    await desk.offers("away", division="150203")
    for by in ("near", "away"):
        desk.engine.put(small[0], by, 0.6 if by == "near" else 0.9)
    campaign = await desk.campaign(
        demands={"categories": ["technology_quality"], "divisions": ["1501"], "size_classes": ["small"]},
        providers={"divisions": ["1501"], "categories": ["technology_quality"], "capacity": 1},
    )
    plan = await desk.plan(campaign)
    assert [(line["demand_number"], line["provider_name"]) for line in plan["lines"]] == [
        ("NM-small", "near")
    ]
    assert plan["total"] == 1


async def test_listed_ones_have_capacity_priority_and_kinds_of_their_own(desk):
    first, second = await desk.needs("a", "b")
    await desk.offers("one", "two", "three")
    for need, score in ((first, 0.6), (second, 0.5)):
        desk.engine.put(need, "one", score)
        desk.engine.put(need, "two", 0.9, kind="training")
        desk.engine.put(need, "three", 0.9)
    campaign = await desk.campaign(
        demands={
            "listed": [{"window": "hohhot", "id": str(first.id)}, {"window": "hohhot", "id": str(second.id), "priority": 2}],
            "kinds": ["service"],
        },
        providers={"listed": [{"platform": "baotou", "id": str(ids.derived("provider", by)), "capacity": 1} for by in ("one", "two")]},
    )  # fmt: skip
    plan = await desk.plan(campaign)
    assert [(line["demand_number"], line["provider_name"]) for line in plan["lines"]] == [("NM-b", "one")]
    assert plan["unassigned"] == {"lost-to-better": 1}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"closes_on": "2026-01-01"}, "dates-reversed", "closes_on"),
        ({"support": {}}, "amount-needed", "support"),
        ({"budget_cents": None}, "budget-needed", "budget_cents"),
        ({"providers": {}}, "capacity-needed", "providers.capacity"),
        ({"demands": {"categories": ["nonsense"]}}, "unknown-category", "demands.categories"),
        ({"demands": {"states": ["closed"]}}, "state-not-open", "demands.states"),
        ({"rules": {"leasts": [{"division": "150102", "count": 1}]}}, "unknown-league", "rules.leasts"),
        ({"rules": {"leasts": [{"division": "150100", "count": 1}] * 2}}, "listed-twice", "rules.leasts"),
    ],
)  # fmt: skip
async def test_a_senseless_campaign_is_refused(desk, change, code, field):
    refused(await desk.operator.post("/v1/campaigns", json=CAMPAIGN | change), 422, code, field)


@pytest.mark.parametrize(
    "change",
    [{"nothing": 1}, {"rules": {"most_percnt": 3}}, {"support": {"share_percent": 0}}, {"name": "\u202e"}, {"budget_cents": 1.5},
     {"demands": {"divisions": ["15x"]}}],
)  # fmt: skip
async def test_a_malformed_campaign_is_refused(desk, change):
    answer = await desk.operator.post("/v1/campaigns", json=CAMPAIGN | change)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_nothing_is_accepted_before_the_campaign_opens(desk):
    await desk.needs("a")
    campaign = await desk.campaign(opens_on="2026-12-01")
    await desk.plan(campaign)
    refused(await desk.operator.post(f"{campaign}/plans/1/acceptance"), 409, "campaign-not-open", "opens_on")


async def test_what_is_not_there_is_not_found(desk):
    campaign = await desk.campaign()
    for path in (
        f"/v1/campaigns/{uuid4()}",
        f"/v1/campaigns/{uuid4()}/plans",
        f"{campaign}/plans/9",
        f"/v1/campaigns/{uuid4()}/allocations",
    ):
        refused(await desk.operator.get(path), 404, "not-found")
    refused(
        await desk.operator.post(f"{campaign}/allocations/{uuid4()}/withdrawal", json={"reason": "x"}),
        404,
        "not-found",
    )


async def test_a_share_is_paid_in_whole_yuan_up_to_the_amount(desk):
    for name, cents in (("a", 33_333), ("b", 9_000_000), ("c", None)):
        [need] = await desk.needs(name, budget={"to_cents": cents})
        desk.engine.put(need, "one", 0.5)
    await desk.offers("one")
    campaign = await desk.campaign(support={"share_percent": 50, "amount_cents": 100_000})
    plan = await desk.plan(campaign)
    assert {line["demand_number"]: line["amount_cents"] for line in plan["lines"]} == {
        "NM-a": 16_600, "NM-b": 100_000, "NM-c": 100_000,
    }  # fmt: skip
    plan = await desk.plan(await desk.campaign(support={"share_percent": 50}, budget_cents=10_000_000))
    assert plan["unassigned"] == {"amount-unknown": 1}


async def test_the_engine_itself_says_who_fits(template):
    """Copies, search and scores are the service's own here."""

    def whole(settings, clock):
        app, engine = create(settings, clock), create_app(settings, clock).state.matchmaker
        app.state.engine = engine
        return app

    async with copied(template) as url, running(url, "matchmaking", whole) as here:
        desk = Desk(here)
        [need] = await desk.needs("milk")
        await desk.offers("example")
        await here.hear(offering(), source="baotou")
        plan = await desk.plan(await desk.campaign())
        [line] = plan["lines"]
        assert (line["demand_id"], line["offering_title"]) == (str(need.id), "牛奶与乳制品检测")
        assert 0 < line["utility"] <= 1
        assert plan["versions"]["catalogue"] == "1 published"
