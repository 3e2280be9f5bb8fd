"""The solver against every possible plan of small problems; its limits; its clashes; its sameness."""

import itertools
import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matchmaking.campaigns import assignment
from matchmaking.campaigns.assignment import solve
from matchmaking.campaigns.clashes import smallest
from matchmaking.campaigns.problem import Demand, LeagueLeast, Pair, Problem, Provider
from pydantic import ValidationError

START = datetime(2026, 3, 2, tzinfo=UTC)


def demand(number, **other):
    return Demand(id=f"d{number}", submitted_at=START + timedelta(minutes=number), **other)


def problem(demands, providers, pairs, **other):
    made = tuple(Pair(demand=d, provider=p, utility=u) for d, p, u in pairs)
    return Problem(demands=tuple(demands), providers=tuple(providers), pairs=made, **other)


@st.composite
def problems(draw, rules=True):
    """Small enough to try every plan; some cannot be solved."""
    few = st.integers(0, 3)
    money = st.integers(0, 4).map(lambda n: n * 35_000)
    demands = [
        demand(
            n,
            league=draw(st.sampled_from(["150100", "150200"])),
            amount_cents=draw(money),
            priority=draw(st.integers(1, 3)),
            required=rules and draw(st.integers(0, 6)) == 0,
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    providers = [
        Provider(
            id=f"p{n}",
            capacity=draw(few),
            budget_cents=draw(st.none() | money) if rules else None,
            least=draw(st.sampled_from([0, 0, 0, 1, 2])) if rules else 0,
            newcomer=draw(st.booleans()),
        )
        for n in range(draw(st.integers(1, 3)))
    ]
    every = list(itertools.product((d.id for d in demands), (p.id for p in providers)))
    kept = draw(st.lists(st.sampled_from(every), unique=True))
    pairs = [(d, p, draw(st.integers(0, 20)) / 20) for d, p in kept]
    if not rules:
        return problem(demands, providers, pairs)
    return problem(
        demands,
        providers,
        pairs,
        budget_cents=draw(st.none() | money.map(lambda cents: 2 * cents)),
        exclusions=tuple(draw(st.lists(st.sampled_from(every), max_size=2))),
        most_percent=draw(st.none() | st.sampled_from([30, 50])),
        newcomers_percent=draw(st.none() | st.sampled_from([25, 60])),
        leasts=tuple(
            LeagueLeast(league=league, count=draw(few))
            for league in draw(st.lists(st.sampled_from(["150100", "150200"]), unique=True, max_size=2))
        ),
    )


def violated(given, plan):
    """The limits a plan breaks, written down without the solver's matrix."""
    demands, providers = {d.id: d for d in given.demands}, {p.id: p for p in given.providers}
    taken = [pair.demand for pair in plan]
    load = {id: [pair for pair in plan if pair.provider == id] for id in providers}
    spent = {id: sum(demands[pair.demand].amount_cents for pair in load[id]) for id in providers}
    rules = {
        ("once", ""): len(set(taken)) == len(taken),
        ("budget", ""): given.budget_cents is None or sum(spent.values()) <= given.budget_cents,
        ("newcomers-share", ""): not given.newcomers_percent
        or 100 * sum(len(load[p.id]) for p in given.providers if p.newcomer)
        >= given.newcomers_percent * len(plan),
        ("most-share", ""): given.most_percent is None
        or all(len(some) <= -(-given.most_percent * len(plan) // 100) for some in load.values()),
    }
    for one in given.providers:
        rules["capacity", one.id] = len(load[one.id]) <= one.capacity
        rules["provider-budget", one.id] = one.budget_cents is None or spent[one.id] <= one.budget_cents
        rules["provider-least", one.id] = len(load[one.id]) >= one.least
    for one in given.demands:
        rules["required", one.id] = not one.required or one.id in taken
        barred = {p for d, p in given.exclusions if d == one.id}
        rules["excluded", one.id] = not any(p.demand == one.id and p.provider in barred for p in plan)
    for least in given.leasts:
        rules["league-least", least.league] = (
            sum(demands[id].league == least.league for id in taken) >= least.count
        )
    return {name for name, holds in rules.items() if not holds}


def every_plan(given):
    options = [
        [None, *(pair for pair in given.pairs if pair.demand == demand.id)] for demand in given.demands
    ]
    for choice in itertools.product(*options):
        yield [pair for pair in choice if pair is not None]


def worth(given, plan):
    priority = {d.id: d.priority for d in given.demands}
    return sum(pair.utility * priority[pair.demand] for pair in plan)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_no_possible_plan_is_better_and_no_limit_is_broken(given):
    solution = solve(given)
    allowed = [plan for plan in every_plan(given) if not violated(given, plan)]
    if not allowed:
        assert solution.outcome == "infeasible"
        return
    assert solution.outcome == "optimal"
    assert violated(given, solution.assignments) == set()
    assert worth(given, solution.assignments) == pytest.approx(
        max(worth(given, p) for p in allowed), abs=1e-6
    )
    without = {d.id for d in given.demands} - {pair.demand for pair in solution.assignments}
    assert {one.demand for one in solution.unassigned} == without


@settings(max_examples=100, deadline=None)
@given(problems())
def test_leaving_out_pairs_that_cost_too_much_loses_nothing(given):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assignment, "SMALL", 0)
        patch.setattr(assignment, "PROMISING", 1)
        solution = solve(given)
    plain = solve(given)
    assert (solution.outcome, solution.clashes) == (plain.outcome, plain.clashes)
    assert plain.clashes or violated(given, solution.assignments) == set()
    assert worth(given, solution.assignments) == pytest.approx(worth(given, plain.assignments), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_a_clash_is_one_and_none_of_it_can_be_left_out(given):
    solution = solve(given)
    if solution.outcome != "infeasible":
        return
    clash = {(c.kind, c.subject) for c in solution.clashes}
    broken = [violated(given, plan) for plan in every_plan(given)]
    assert all(clash & some for some in broken)
    for one in clash:
        assert any(not (clash - {one}) & some for some in broken), one


@settings(max_examples=50, deadline=None)
@given(problems(rules=False))
def test_a_transport_problem_comes_out_whole_without_branching(given):
    solution = solve(given)
    assert (solution.outcome, solution.method, solution.gap) == ("optimal", "lp", 0.0)


@settings(max_examples=60, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_the_same_problem_in_any_order_has_the_same_solution(given, shuffled):
    parts = {
        name: tuple(shuffled.sample(value, len(value)))
        for name in ("demands", "providers", "pairs", "exclusions", "leasts")
        if (value := getattr(given, name))
    }
    assert solve(given.model_copy(update=parts)) == solve(given)


def test_of_equal_demands_the_earlier_is_served_by_the_lower_id():
    demands = [demand(3), demand(1), demand(2)]
    providers = [Provider(id="p2", capacity=1), Provider(id="p1", capacity=1)]
    pairs = [(d.id, p.id, 0.5) for d in demands for p in providers]
    solution = solve(problem(demands, providers, pairs))
    assert sorted((pair.demand, pair.provider) for pair in solution.assignments) in (
        [("d1", "p1"), ("d2", "p2")],
        [("d1", "p2"), ("d2", "p1")],
    )
    alone = solve(problem(demands, [Provider(id="p2", capacity=3), Provider(id="p1", capacity=3)], pairs))
    assert {pair.provider for pair in alone.assignments} == {"p1"}


def test_the_plan_beats_first_come_where_the_early_take_what_others_need():
    demands = [demand(1), demand(2)]
    providers = [Provider(id="p1", capacity=1), Provider(id="p2", capacity=1)]
    solution = solve(problem(demands, providers, [("d1", "p1", 0.9), ("d1", "p2", 0.8), ("d2", "p1", 0.7)]))
    found = solution.comparison
    assert (found.plan.assigned, found.plan.utility) == (2, 1.5)
    assert (found.first_come.assigned, found.first_come.utility) == (1, 0.9)
    assert (found.greedy.assigned, found.plan.load_gini, found.greedy.load_gini) == (1, 0.0, 0.5)
    assert solution.binding[0].constraint.subject == "p1"


def test_a_baseline_says_which_rules_it_breaks():
    demands = [demand(n, league="150100" if n else "150200", amount_cents=100) for n in range(3)]
    given = problem(
        demands, [Provider(id="p", capacity=9)], [("d0", "p", 0.9), ("d1", "p", 0.5), ("d2", "p", 0.4)],
        budget_cents=100, leasts=(LeagueLeast(league="150100", count=1),),
    )  # fmt: skip
    solution = solve(given)
    assert [pair.demand for pair in solution.assignments] == ["d1"]
    assert [c.kind for c in solution.comparison.first_come.breaks] == ["league-least"]
    assert solution.comparison.plan.breaks == ()
    assert {one.reason for one in solution.unassigned} == {"budget"}


@pytest.mark.parametrize(
    ("pairs", "other", "reason"),
    [
        ([], {}, "no-eligible-provider"),
        ([("d9", "p", 0.5)], {"exclusions": (("d9", "p"),)}, "excluded"),
        ([("d9", "p", 0.1)], {}, "lost-to-better"),
        ([("d9", "q", 0.9)], {}, "capacity"),
        ([("d9", "r", 0.9)], {}, "provider-budget"),
        ([("d9", "s", 0.9)], {"budget_cents": 60}, "budget"),
        ([("d9", "s", 0.9)], {"newcomers_percent": 100}, "rules"),
    ],
)
def test_each_demand_left_out_knows_why(pairs, other, reason):
    providers = [
        Provider(id="p", capacity=1, newcomer=True), Provider(id="q", capacity=0),
        Provider(id="r", capacity=2, budget_cents=10), Provider(id="s", capacity=2),
    ]  # fmt: skip
    given = problem(
        [demand(1, amount_cents=50), demand(9, amount_cents=50)],
        providers,
        [("d1", "p", 1.0), *pairs],
        **other,
    )
    assert [(one.demand, one.reason) for one in solve(given).unassigned] == [("d9", reason)]


def test_many_capacities_that_clash_are_named_together():
    demands = [demand(n, league="150100") for n in range(40)]
    providers = [Provider(id=f"p{n:02}", capacity=1) for n in range(12)]
    pairs = [(d.id, p.id, 0.5) for d in demands for p in providers]
    given = problem(demands, providers, pairs, leasts=(LeagueLeast(league="150100", count=13),))
    found = {(c.kind, c.subject, c.limit) for c in solve(given).clashes}
    assert found == {("league-least", "150100", 13), ("capacity", "", 12)}


def test_odd_cents_never_overdraw_a_budget():
    draw = random.Random(3)
    demands = [demand(n, amount_cents=draw.randint(1, 10**7)) for n in range(120)]
    providers = [Provider(id=f"p{n}", capacity=20, budget_cents=97_531_246) for n in range(8)]
    pairs = [(d.id, p.id, draw.random()) for d in demands for p in providers]
    solution = solve(problem(demands, providers, pairs, budget_cents=123_456_789, gap=1e-4, time_limit_s=20))
    assert solution.outcome in ("optimal", "within-gap")
    assert solution.gap <= 1e-3
    assert solution.comparison.plan.spent_cents <= 123_456_789
    assert solution.comparison.plan.breaks == ()


@settings(max_examples=100, deadline=None)
@given(st.sets(st.sets(st.integers(0, 9), min_size=1).map(frozenset), min_size=1, max_size=4))
def test_the_filter_ends_at_a_clash_of_which_nothing_can_go(clashing):
    def feasible(kept):
        return not any(some <= set(kept) for some in clashing)

    found = set(smallest(list(range(10)), feasible))
    assert not feasible(found)
    assert all(feasible(found - {one}) for one in found)


@pytest.mark.parametrize(
    "wrong", [[("d1", "x", 0.5)], [("d1", "p", 0.5), ("d1", "p", 0.6)], [("d1", "p", 1.1)]]
)
def test_a_senseless_problem_is_refused(wrong):
    with pytest.raises(ValidationError):
        problem([demand(1)], [Provider(id="p", capacity=1)], wrong)


def test_the_command_answers_like_the_function_and_the_service_does_not_carry_the_solver():
    given = problem([demand(1)], [Provider(id="p", capacity=1)], [("d1", "p", 0.25)])
    command = [sys.executable, "-P", "-m", "matchmaking.campaigns.solving"]
    done = subprocess.run(command, input=given.model_dump_json().encode(), capture_output=True, check=True)
    assert json.loads(done.stdout) == solve(given).model_dump(mode="json")
    look = "import sys, matchmaking.campaigns.router, matchmaking.campaigns.consumers; print('scipy' in sys.modules)"
    seen = subprocess.run([sys.executable, "-P", "-c", look], capture_output=True, check=True, text=True)
    assert seen.stdout.strip() == "False"
