"""Learning finds what the cases hold, and admits it when they hold nothing."""

from random import Random

import numpy as np
import pytest
from common import ids
from common.contracts.matches import Match
from hypothesis import given
from hypothesis import strategies as st
from matchmaking.matching import weights
from matchmaking.outcomes.domain import Ended
from matchmaking.rankings import documents, evaluation, training
from matchmaking.rankings.cases import Case, assembled, is_held_out, split, teaches

from tests.unit.matchmaking.synthetic import AT, case, cases

SHIPPED = documents.document(weights.current())
BEFORE = documents.shares(weights.current())
REPUTATION = {"relevance": 0.55, "reputation": 0.45}


@pytest.fixture(scope="module")
def learnt():
    return training.train(cases(500, BEFORE, REPUTATION), SHIPPED)


def test_it_finds_that_reputation_matters_more(learnt):
    after = learnt.document["weights"]
    assert after["reputation"] > 3 * BEFORE["reputation"]
    assert all(after[name] <= BEFORE[name] for name in ("proximity", "price-fit", "recognition"))
    told = {one.name: one for one in learnt.coefficients}
    assert told["reputation"].lead > 0.1 > abs(told["proximity"].lead)
    assert (told["reputation"].current, told["reputation"].candidate) == (
        BEFORE["reputation"],
        after["reputation"],
    )


def test_what_it_finds_wins_on_cases_it_never_saw(learnt):
    told = learnt.evaluation
    assert told.wins and told.cases >= 100 and 0 < told.low < told.difference < told.high
    assert told.candidate - told.current == pytest.approx(told.difference, abs=1e-5)


def test_the_guards_hold(learnt):
    after = documents.parsed(learnt.document)
    documents.check_guards(after, weights.current())
    assert after.weights["newcomer"] == BEFORE["newcomer"]
    assert after.weights["relevance"] > 0.5 and sum(after.weights.values()) == pytest.approx(1, abs=1e-9)
    assert after.version.startswith(f"{SHIPPED['version']}.l") and after.version != SHIPPED["version"]


def test_the_same_cases_in_any_order_give_the_same_candidate(learnt):
    shuffled = cases(500, BEFORE, REPUTATION)
    Random(7).shuffle(shuffled)
    assert training.train(shuffled, SHIPPED) == learnt


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_from_chance_nothing_is_learnt_that_wins(seed):
    found = training.train(cases(400, BEFORE, None, seed), SHIPPED)
    assert found.evaluation.cases >= 100 and not found.evaluation.wins


def test_present_weights_that_are_right_are_not_beaten():
    found = training.train(cases(500, BEFORE, BEFORE), SHIPPED)
    assert not found.evaluation.wins
    assert all(abs(one.candidate - one.current) < 0.1 for one in found.coefficients)


def test_a_few_cases_never_win_however_clear():
    few = cases(60, BEFORE, REPUTATION)
    found = training.train(few, SHIPPED)
    assert found.evaluation.cases < evaluation.LEAST_CASES and not found.evaluation.wins


def test_without_a_case_the_weights_stay():
    found = training.train([], SHIPPED)
    assert found.document == SHIPPED and (found.trained_cases, found.pairs) == (0, 0)
    assert found.evaluation.cases == 0 and not found.evaluation.wins


def test_progress_is_told_to_its_end():
    told = []
    training.train(cases(30, BEFORE, REPUTATION), SHIPPED, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(told)


def test_a_demand_is_wholly_on_one_side():
    made = cases(300, BEFORE, REPUTATION)
    learning, held_out = split([*made, *made])
    assert not {one.demand_id for one in learning} & {one.demand_id for one in held_out}
    assert len(learning) + len(held_out) == 600
    assert 0.2 < len(held_out) / 600 < 0.4
    assert all(is_held_out(one.demand_id) for one in held_out)


def test_a_case_without_a_preference_teaches_nothing():
    one = cases(1, BEFORE, None)[0]
    flat = one.model_copy(
        update={"candidates": tuple(shown.model_copy(update={"gain": 0}) for shown in one.candidates)}
    )
    assert teaches(one) and not teaches(flat) and split([flat]) == ([], [])


def test_ndcg_by_hand():
    """Gains 3 and 1 against an order that puts the worse first: (1/1 + 7/log2 3) / (7 + 1/log2 3)."""
    one = case(1, {"relevance": 1.0}, None, Random(1))
    shown = [
        one.candidates[place].model_copy(update={"gain": gain, "components": {"relevance": value}})
        for place, (gain, value) in enumerate([(3, 0.2), (1, 0.9), (0, 0.1)])
    ]
    of = evaluation.sheet([one.model_copy(update={"candidates": tuple(shown)})], ["relevance"])
    expected = (1 + 7 / np.log2(3)) / (7 + 1 / np.log2(3))
    assert evaluation.ndcg(of, {"relevance": 1.0}) == pytest.approx([expected])
    assert evaluation.ndcg(of, {"relevance": 0.0}).max() <= 1.0


def test_ties_favour_no_order_of_showing():
    one = cases(1, BEFORE, None)[0]
    flipped = one.model_copy(update={"candidates": tuple(reversed(one.candidates))})
    scores = [evaluation.ndcg(evaluation.sheet([which], ["relevance"]), {}) for which in (one, flipped)]
    assert scores[0] == scores[1]


def test_a_lower_place_counts_more_but_only_against_who_was_not_asked():
    one = cases(1, {"relevance": 1.0}, None)[0]

    def ratio(invited):
        shown = [
            one.candidates[place].model_copy(update={"gain": gain, "rank": rank, "invited": asked})
            for place, (gain, rank, asked) in enumerate([(1, 1, True), (1, 15, True), (0, 2, invited)])
        ]
        pairs = training.paired(
            evaluation.sheet([one.model_copy(update={"candidates": tuple(shown)})], ["relevance"])
        )
        first, second = sorted(pairs.weights)
        assert pairs.weights.sum() == pytest.approx(1)
        return second / first

    assert ratio(invited=False) == pytest.approx(np.log2(16) / np.log2(2))
    assert ratio(invited=True) == pytest.approx(1)


@given(
    st.fixed_dictionaries({name: st.floats(0, 5) for name in BEFORE}),
)
def test_whatever_is_fitted_the_guards_hold(fitted):
    after = training.guarded(fitted, BEFORE)
    said = documents.parsed(documents.successor(SHIPPED, after))
    documents.check_guards(said, weights.current())
    assert all(weight >= 0 for weight in after.values())


def result(version, minutes, *offerings, by="2026-2"):
    shown = [
        {
            "rank": rank, "offering_id": ids.derived("offering", name), "offering_version": 1,
            "platform": "baotou", "provider_id": ids.derived("provider", name[0]), "provider_name": "机构",
            "title": "检测", "kind": "service", "category": "legal", "price": {}, "score": 0.5,
            "components": [{"name": "relevance", "score": 0.34}, {"name": "load", "score": 0.0}],
            "reason_zh": "", "reason_en": "",
        }
        for rank, name in enumerate(offerings, start=1)
    ]  # fmt: skip
    return Match.model_validate(
        {
            "id": ids.derived("match"), "version": version, "demand_id": ids.derived("demand"),
            "demand_version": version, "outcome": "matched", "engine": "x", "considered": 9,
            "candidates": shown, "versions": {"weights": by} if by else {},
            "computed_at": AT.replace(minute=minutes),
        }
    )  # fmt: skip


def ended(*gained, minutes=30):
    return Ended.model_validate(
        {
            "owner": "hohhot", "demand_id": ids.derived("demand"), "last_issued_at": AT.replace(minute=minutes),
            "gained": [
                {
                    "platform": "baotou", "provider_id": ids.derived("provider", name[0]),
                    "offering_id": ids.derived("offering", name), "gain": gain,
                }
                for name, gain in gained
            ],
        }
    )  # fmt: skip


USED = {"2026-2": {"relevance": 0.68, "load": 0.0}, "2026-3": {"relevance": 0.8}}


def test_a_case_is_the_result_its_enterprise_chose_from():
    results = [result(1, 0, "a1", "b1"), result(2, 10, "a1", "b1", "c1"), result(3, 50, "b1")]
    found = assembled(ended(("a1", 3), ("b1", 2)), results, USED, "2026-2")
    assert found is not None and found.match_version == 2
    assert [(shown.rank, shown.gain, shown.invited) for shown in found.candidates] == [
        (1, 3, True), (2, 2, True), (3, 0, False),
    ]  # fmt: skip


def test_components_are_what_they_were_before_weighting():
    found = assembled(ended(("a1", 1)), [result(1, 0, "a1", "b1")], USED, "2026-2")
    assert found is not None and found.candidates[0].components == {"relevance": 0.5}
    other = assembled(ended(("a1", 1)), [result(1, 0, "a1", "b1", by="2026-3")], USED, "2026-2")
    assert other is not None and other.candidates[0].components == {"relevance": 0.425}
    unnamed = assembled(ended(("a1", 1)), [result(1, 0, "a1", "b1", by=None)], USED, "2026-2")
    assert unnamed is not None and unnamed.weights == "2026-2"


def test_other_offerings_of_an_invited_provider_say_nothing():
    found = assembled(ended(("a1", 1)), [result(1, 0, "a1", "a2", "b1")], USED, "2026-2")
    assert found is not None and [shown.rank for shown in found.candidates] == [1, 3]


def test_asked_twice_the_better_counts():
    found = assembled(ended(("a1", 2), ("a1", 3)), [result(1, 0, "a1", "b1")], USED, "2026-2")
    assert found is not None and found.candidates[0].gain == 3


def test_a_result_by_unknown_weights_or_of_others_is_no_case():
    assert assembled(ended(("a1", 1)), [result(1, 0, "a1", by="2020-1")], USED, "2026-2") is None
    assert assembled(ended(("a1", 1)), [result(1, 0, "b1")], USED, "2026-2") is None
    assert assembled(ended(("a1", 1)), [], USED, "2026-2") is None


def test_a_case_travels_as_a_line():
    one = cases(1, BEFORE, REPUTATION)[0]
    line = one.model_dump_json()
    assert "\n" not in line and Case.model_validate_json(line) == one


def test_a_component_unknown_to_some_candidates_moves_nothing():
    one = cases(1, BEFORE, None)[0]
    first, *rest = one.candidates
    bare = first.model_copy(update={"components": {"relevance": 0.5}})
    of = evaluation.sheet([one.model_copy(update={"candidates": (bare, *rest)})], ["relevance", "reputation"])
    assert of.values[0, :, 1].tolist() == [0.0] * 10
