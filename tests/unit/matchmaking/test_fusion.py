"""Words, meaning and field of service made one figure."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matchmaking.matching import fusion
from matchmaking.matching.fusion import Space
from matchmaking.matching.index import Index
from matchmaking.matching.meanings import Meanings
from matchmaking.matching.retrieval import Document, Need, Scope

DIMENSIONS = 64
FIELDS = ("financing.loan_matching", "technology_quality.testing", "legal.rights_protection")
shares = st.floats(0, 1, allow_nan=False)


def rows(count, seed=1):
    made = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def space():
    crowd = rows(1, 9)[0] * 0.5
    return Space(
        model="m", mean_query=crowd, mean_passage=-crowd, mu=0.0, sigma=0.15, categories=FIELDS,
        topics=rows(3, 5),
    )  # fmt: skip


def one(lexical, semantic, topical):
    return float(fusion.relevance(*(np.array([value], float) for value in (lexical, semantic, topical)))[0])


@given(shares, shares, shares)
def test_relevance_is_a_whole_step_of_a_share(lexical, semantic, topical):
    found = one(lexical, semantic, topical)
    assert 0 <= found <= 1 and (found * fusion.STEPS).is_integer()


@given(shares, shares, shares, shares)
def test_no_opinion_that_rises_lowers_it(a, b, fixed, other):
    low, high = sorted((a, b))
    assert one(low, fixed, other) <= one(high, fixed, other)
    assert one(fixed, low, other) <= one(fixed, high, other)
    assert one(fixed, other, low) <= one(fixed, other, high)
    assert one(low, np.nan, 0) <= one(high, np.nan, 0)


def test_all_agree_on_everything_or_on_nothing():
    assert one(1, 1, 1) == 1 and one(0, 0, 0) == 0
    assert sum((fusion.LEXICAL_SHARE, fusion.SEMANTIC_SHARE, fusion.TOPICAL_SHARE)) == pytest.approx(1)


def test_what_nobody_read_is_judged_by_its_words_alone():
    assert one(1, np.nan, 0) == 1 and one(0, np.nan, 0) == 0
    ordered = [one(share / 100, np.nan, 0) for share in range(101)]
    assert all(low < high for low, high in pairwise(ordered[:99]))
    assert one(0.5, np.nan, 0) > one(0.5, 0.0, 0.0)


def test_the_last_bits_of_a_sum_do_not_decide():
    exact = 1000 / fusion.STEPS
    for wobble in (-1e-12, 0, 1e-12):
        assert one(exact + wobble, exact + wobble, exact + wobble) == exact


def test_cosines_count_by_how_unusual_they_are_for_the_model(space):
    usual, far, near = fusion.semantic(np.array([space.mu, -1.0, space.mu + 6 * space.sigma]), space)
    assert (usual, far, near) == (0.0, 0.0, 1.0)
    assert np.isnan(fusion.semantic(np.array([np.nan]), space))[0]


def test_centred_vectors_are_of_unit_length_and_nothing_stays_nothing(space):
    assert np.allclose(np.linalg.norm(space.passages(rows(5)), axis=1), 1, atol=1e-6)
    assert np.isfinite(space.query(space.mean_query)).all()


def test_a_profile_is_of_whole_shares_and_is_drawn_to_what_is_stated(space):
    profile = fusion.profiles(space.passages(rows(4)), space)
    assert np.allclose(profile.sum(axis=1), 1)
    placed = fusion.placed(profile, [FIELDS[1], "gone.away", None, FIELDS[2]], space)
    assert np.allclose(placed.sum(axis=1), 1)
    assert (placed[[1, 2]] == profile[[1, 2]]).all()
    assert placed[0, 1] >= 0.5 and placed[3, 2] >= 0.5
    voted = fusion.voted(profile[0], {FIELDS[0]: 1.2}, space)
    assert voted.sum() == pytest.approx(1) and voted[0] > profile[0, 0]
    assert (fusion.voted(profile[0], {"gone.away": 1.0}, space) == profile[0]).all()


def test_a_field_of_service_is_itself(space):
    own = fusion.profiles(space.topics, space)
    assert own.argmax(axis=1).tolist() == [0, 1, 2]
    same = fusion.topical(own[0], own)
    assert same[0] == pytest.approx(1) and same[0] > max(same[1:])


def filled(space, vectors):
    index = Index()
    index.use(space)
    for number in range(len(vectors)):
        index.put(f"k{number}", Document(f"第{number}项", "煤质", FIELDS[number % 3]))
    index.learn({f"k{number}": vector for number, vector in enumerate(vectors)})
    return index


def test_what_means_it_is_found_though_no_word_is_shared(space):
    vectors = rows(40)
    index = filled(space, vectors)
    # Where a need lies that means just what k7 does.
    vector = space.passages(vectors[7]) + space.mean_query
    need = Need(index.sought("牛奶"), vector)
    hits = index.search(need, 5)
    assert (hits[0].key, hits[0].lexical) == ("k7", 0.0)
    assert hits[0].semantic == pytest.approx(1, abs=0.05) and hits[0].relevance > 0.4
    assert index.search(Need(need.sought), 5) == []
    assert {hit.key for hit in index.search(need, 5, Scope({FIELDS[0]}))} <= {
        f"k{n}" for n in range(0, 40, 3)
    }
    assert index.judge(need, [hits[0].key]) == [hits[0]]


def test_an_updated_text_loses_its_meaning_until_it_is_read_again(space):
    index = filled(space, rows(3))
    need = Need(index.sought("煤质"), rows(1, 3)[0])
    assert index.read == 3
    index.put("k1", Document("羊绒", "煤质", FIELDS[1]))
    assert index.read == 2
    held = {hit.key: hit.semantic for hit in index.judge(need, ["k0", "k1", "k2"])}
    assert held["k1"] is None and None not in (held["k0"], held["k2"])
    index.learn({"k1": rows(1, 8)[0], "gone": rows(1, 9)[0]})
    assert index.read == 3
    assert index.judge(need, ["k1"])[0].semantic is not None
    index.remove("k1")
    assert index.read == 2 and index.judge(need, ["k1"]) == []


def test_another_space_forgets_the_meanings_of_the_former(space):
    index = filled(space, rows(3))
    index.use(None)
    assert index.read == 0
    index.learn({"k0": rows(1)[0]})
    assert index.judge(Need(index.sought("煤质"), rows(1)[0]), ["k0"])[0].semantic is None
    index.use(space)
    assert index.read == 0 and index.count == 3


def test_meanings_by_a_graph_are_nearly_those_of_a_scan(monkeypatch):
    import matchmaking.matching.meanings as module

    vectors = rows(3000)
    held = Meanings(DIMENSIONS)
    held.put(range(3000), vectors)
    exact = held.nearest(vectors[5], 20)
    monkeypatch.setattr(module, "EXACT", 0)
    assert exact[0] == 5
    assert len(set(held.nearest(vectors[5], 20)) & set(exact)) >= 18
    assert Meanings(DIMENSIONS).nearest(vectors[0], 5) == []
