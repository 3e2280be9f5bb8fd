"""Which documents are weights, which may follow the present ones, and where the way back leads."""

from datetime import UTC, datetime, timedelta

import pytest
from common.errors import Conflict, Invalid
from matchmaking.matching import weights
from matchmaking.rankings import documents, domain
from matchmaking.rankings.domain import Ranking
from matchmaking.rankings.evaluation import Evaluation

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
RELEASE = weights.current()
DOCUMENT = documents.document(RELEASE)


def moved(**shares):
    return DOCUMENT | {"version": "2026-9", "weights": DOCUMENT["weights"] | shares}


def shifted(giver, taker, by=0.01):
    """The release's weights, a little taken from one component for another."""
    shares = DOCUMENT["weights"]
    return moved(**{giver: shares[giver] - by, taker: shares[taker] + by})


GOOD = shifted("proximity", "reputation")


def evaluation(**changes):
    given = {
        "against": RELEASE.version, "cases": 200, "current": 0.6, "candidate": 0.65, "difference": 0.05,
        "low": 0.02, "high": 0.08, "wins": True,
    } | changes  # fmt: skip
    return Evaluation.model_validate(given)


def ranking(version="v1", **changes):
    return Ranking(version=version, document=GOOD, state="candidate", made_by="op").model_copy(update=changes)


def test_the_release_says_its_own_document():
    assert documents.parsed(DOCUMENT) == RELEASE
    assert documents.readable(GOOD, RELEASE) is not None
    documents.check_guards(documents.parsed(GOOD), RELEASE)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({**DOCUMENT, "speed": 1}, "document"),
        ({k: v for k, v in DOCUMENT.items() if k != "floor"}, "document.floor"),
        (DOCUMENT | {"floor": 2}, "document.floor"),
        (DOCUMENT | {"version": "no spaces"}, "document.version"),
        (DOCUMENT | {"version": "../2026"}, "document.version"),
        (moved(reputation=0.6), "document.weights"),
        (shifted("relevance", "reputation", 0.4), "document.weights"),
        (moved(reputation=-0.1), "document.weights.reputation"),
        (DOCUMENT | {"weights": {"relevance": 1.0}}, "document.weights"),
        (DOCUMENT | {"weights": None}, "document.weights"),
        ({}, "document.version"),
    ],
)
def test_what_is_no_weights_document_is_told_by_its_field(document, field):
    with pytest.raises(Invalid) as refused:
        documents.parsed(document)
    assert (refused.value.code, refused.value.field) == ("weights-document", field)


def test_a_refusal_does_not_repeat_what_was_sent():
    for document in (DOCUMENT | {"hello there": 1}, moved(**{"hello there": 0.1})):
        with pytest.raises(Invalid) as refused:
            documents.parsed(document)
        assert "hello" not in f"{refused.value.field} {refused.value.zh} {refused.value.en}"


@pytest.mark.parametrize(
    "document",
    [
        GOOD | {"floor": 0.05},
        GOOD | {"newcomer_chance": 0.0},
        GOOD | {"prior_grade": 4.5},
        shifted("relevance", "newcomer"),
    ],
)
def test_what_cannot_be_measured_may_not_ride_along(document):
    with pytest.raises(Invalid):
        documents.check_guards(documents.parsed(document), RELEASE)


def test_a_version_made_for_other_components_is_not_read():
    assert documents.readable(DOCUMENT | {"weights": {"relevance": 1.0}}, RELEASE) is None


def test_the_same_weights_have_the_same_name():
    one, same = (documents.successor(DOCUMENT, GOOD["weights"]) for _ in range(2))
    other = documents.successor(DOCUMENT, DOCUMENT["weights"])
    again = documents.successor(one, DOCUMENT["weights"])
    assert one == same and one["version"] != other["version"]
    assert again["version"].count(".l") == 1


@pytest.mark.parametrize("changes", [{"wins": False}, {"wins": False, "cases": 3}])
def test_what_does_not_win_is_not_activated(changes):
    with pytest.raises(Conflict) as refused:
        domain.activate(ranking(), evaluation(**changes), by="op", at=NOW)
    assert refused.value.code == "weights-not-better"
    assert refused.value.members["evaluation"]["cases"] == changes.get("cases", 200)


def test_activation_wipes_an_earlier_retirement():
    again = domain.activate(
        ranking(state="retired", retired_at=NOW, retired_by="x"), evaluation(), by="op", at=NOW
    )
    assert (again.state, again.retired_at, again.activated_by) == ("active", None, "op")
    with pytest.raises(Conflict):
        domain.check_activatable(again)


def test_the_way_back_passes_over_what_was_retired():
    first = ranking("first", state="retired", activated_at=NOW)
    second = ranking("second", state="retired", activated_at=NOW + timedelta(1), retired_at=NOW)
    never = ranking("never", state="retired")
    assert domain.previous([first, second, never]) == first
    assert domain.previous([second, never, ranking("candidate")]) is None


def test_the_releases_own_weights_are_what_remains():
    alone, beside = domain.shipped(RELEASE, []), domain.shipped(RELEASE, [ranking(state="active")])
    assert (alone.state, beside.state) == ("active", "retired")
    for refused in (lambda: domain.retire(alone, by="op", at=NOW), lambda: domain.check_activatable(beside)):
        with pytest.raises(Conflict) as told:
            refused()
        assert told.value.code == "weights-shipped"


def test_a_version_is_retired_once():
    retired = domain.retire(ranking(), by="op", at=NOW)
    with pytest.raises(Conflict) as refused:
        domain.retire(retired, by="op", at=NOW)
    assert refused.value.code == "weights-state"
