"""The ways into the network and out of it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from common.errors import Conflict
from common.node import Node, Topology
from hub.members import domain
from hub.members.domain import Member, Membership
from hub.nodes.domain import standing

AT = datetime(2026, 11, 23, tzinfo=UTC)
STATES = ("registered", "keyed", "conformance", "probation", "active", "quarantined", "retired")
REFUSED = None
# act -> the state it leads to, from each state in the order above; None: refused.
MOVES = {
    "key": ("keyed", "keyed", "conformance", "probation", "active", "quarantined", REFUSED),
    "test": (REFUSED, "conformance", "conformance", "probation", "active", REFUSED, REFUSED),
    "activate": (REFUSED, REFUSED, REFUSED, "active", REFUSED, REFUSED, REFUSED),
    "quarantine": ("quarantined",) * 5 + (REFUSED, REFUSED),
    "release": (REFUSED,) * 5 + ("active", REFUSED),
    "retire": ("retired",) * 6 + (REFUSED,),
}
ACTS = {
    "key": domain.key, "test": domain.test, "activate": domain.activate, "release": domain.release,
    "quarantine": partial(domain.quarantine, reason="示例"), "retire": partial(domain.retire, reason="示例"),
}  # fmt: skip


def member(state="active", **other):
    known = {
        "id": "example", "kind": "window", "zh": "示例", "en": "Example", "divisions": ("150123",), "via": "http",
        "state": state, "since": AT, "created_at": AT,
    }  # fmt: skip
    return Member(**known | other)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", MOVES)
def test_an_act_leads_where_it_must_or_is_refused(act, state):
    goal = MOVES[act][STATES.index(state)]
    if goal is REFUSED:
        with pytest.raises(Conflict) as refused:
            ACTS[act](member(state), AT)
        assert refused.value.code == "member-state"
    else:
        moved = ACTS[act](member(state), AT)
        assert (moved.state, moved.version) == (goal, 2)


@pytest.mark.parametrize("state", ["keyed", "probation", "active"])
def test_a_release_leads_back_to_where_it_was(state):
    held = domain.quarantine(member(state), AT, reason="示例")
    assert (held.reason, held.searchable, held.applies) == ("示例", False, False)
    back = domain.release(held, AT)
    assert (back.state, back.reason, back.held_from) == (state, None, None)


def test_a_run_decides_only_on_whom_it_is_to_decide():
    assert domain.tested(member("conformance"), AT, passed=True).state == "probation"
    assert domain.tested(member("conformance"), AT, passed=False).state == "keyed"
    assert domain.tested(member("active"), AT, passed=False) is None


def test_a_probation_ends_by_itself_only_where_it_is_set_to():
    waiting = member("probation")
    assert not domain.due(waiting, AT + timedelta(days=99), None)
    assert not domain.due(waiting, AT + timedelta(days=6.9), 7)
    assert domain.due(waiting, AT + timedelta(days=7), 7)
    assert not domain.due(member("active"), AT + timedelta(days=99), 7)


def test_the_network_is_widened_by_who_joined():
    topology = Topology(
        (Node("hub", "hub", "", "", ("15",), 0), Node("baotou", "window", "包头", "Baotou", ("1502",), 2))
    )
    bus = domain.settled(topology.node("baotou"), AT)
    joined = [member(state, id=state) for state in STATES]
    known = Membership(topology, [domain.quarantine(bus, AT, reason="示例"), *joined])
    assert [node.id for node in known.network.nodes] == [
        "hub", "baotou", "keyed", "conformance", "probation", "active", "quarantined",
    ]  # fmt: skip
    assert known.hidden == {"baotou", *STATES} - {"active"}
    assert known.silenced == {"baotou", "registered", "quarantined", "retired"}
    assert (known.feed("baotou"), known.feed("active")) == ("baotou", "pull:active")


@pytest.mark.parametrize("state", STATES)
def test_who_may_not_speak_is_told_what_to_do(state):
    now = standing(member(state), epoch=1, fenced=False)
    assert now.searchable is (state == "active")
    if state in ("registered", "quarantined", "retired"):
        with pytest.raises(Conflict, match=f"member-{state}"):
            now.admit()
    else:
        now.admit()
    with pytest.raises(Conflict, match="member-fenced"):
        standing(member(state), epoch=1, fenced=True).admit()
