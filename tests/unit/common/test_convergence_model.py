"""A model of one owner and one holder on a wire that loses, repeats and reorders, with restores of both.

The owner's side and the holder's are the rules the services run by: what fences a node, how it begins
anew, what a comparison finds and asks for. After one order and one comparison nothing differs.
"""

import os
from datetime import UTC, datetime
from uuid import UUID

from common import digests
from common.digests import Digest, Record
from hub.fences import domain as fences
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

AT = datetime(2026, 11, 23, tzinfo=UTC)
IDS = [UUID(int=n * 257) for n in range(1, 6)]


class Owner:
    """Its records: id -> (epoch, version, alive, content). `feed` is what it has said, by position."""

    def __init__(self):
        self.epoch, self.last, self.confirmed = 1, 0, 0
        self.records, self.feed = {}, {}

    def copy(self):
        other = Owner()
        other.epoch, other.last, other.confirmed = self.epoch, self.last, self.confirmed
        other.records, other.feed = dict(self.records), dict(self.feed)
        return other

    def say(self, id):
        self.last += 1
        self.feed[self.last] = (id, *self.records[id])
        return self.last

    @property
    def live(self):
        return [Record("offering", id, e, v, c) for id, (e, v, alive, c) in self.records.items() if alive]


class Holder:
    """Copies by the same rule as copies.apply: only a newer (epoch, version) counts."""

    def __init__(self):
        self.copies, self.applied, self.ahead, self.heard = {}, 0, set(), set()
        self.position = fences.Position(node="w")

    def copy(self):
        other = Holder()
        other.copies, other.applied, other.position = dict(self.copies), self.applied, self.position
        other.ahead, other.heard = set(self.ahead), set(self.heard)
        return other

    def apply(self, id, state):
        held = self.copies.get(id)
        if held is None or state[:2] > held[:2]:
            self.copies[id] = state

    def advance(self, seq):
        self.ahead.add(seq)
        while self.applied + 1 in self.ahead:
            self.applied += 1
            self.ahead.discard(self.applied)

    def records(self, alive):
        return [Record("offering", id, e, v, c) for id, (e, v, a, c) in self.copies.items() if a == alive]


class Convergence(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.owner, self.hub = Owner(), Holder()
        self.backup, self.hub_backup = self.owner.copy(), self.hub.copy()
        self.wire = []  # (message id, position, message)
        self.count = 0

    def send(self, seq):
        self.count += 1
        self.wire.append((self.count, seq, self.owner.feed[seq]))

    @rule(id=st.sampled_from(IDS), alive=st.booleans(), content=st.sampled_from("abc"))
    def change(self, id, alive, content):
        epoch, version, *_ = self.owner.records.get(id, (self.owner.epoch, 0))
        self.owner.records[id] = (epoch, version + 1, alive, content)
        self.send(self.owner.say(id))

    @rule(data=st.data())
    def deliver(self, data):
        """Any message on the wire, once more or for the last time."""
        if self.wire:
            place = data.draw(st.integers(0, len(self.wire) - 1))
            self.arrive(self.wire[place])
            if data.draw(st.booleans()):
                del self.wire[place]

    @rule(data=st.data())
    def lose(self, data):
        if self.wire:
            del self.wire[data.draw(st.integers(0, len(self.wire) - 1))]

    def arrive(self, sent):
        number, seq, (id, *state) = sent
        hub = self.hub
        if hub.position.fenced_at is not None or number in hub.heard:
            return
        if hub.position.floor < seq <= hub.applied or seq in hub.ahead:
            # A position that was used before, by another message.
            hub.position = fences.fence(hub.position, "message", AT)
            return
        hub.heard.add(number)
        hub.apply(id, tuple(state))
        hub.advance(seq)

    @rule()
    def beat(self):
        self.hub.position = fences.follow(
            self.hub.position,
            fences.Beat(
                node="w", epoch=self.owner.epoch, feed_seq=self.owner.last, applied_seq=0,
                confirmed_seq=self.owner.confirmed,
            ),
            AT,
        )  # fmt: skip
        if self.owner.confirmed > self.hub.applied:
            self.owner.confirmed = self.hub.applied  # the hub lost what it had confirmed: send it again
            for seq in [seq for seq in self.owner.feed if seq > self.hub.applied]:
                self.send(seq)
        else:
            self.owner.confirmed = min(self.hub.applied, self.owner.last)

    @rule()
    def back_up_owner(self):
        self.backup = self.owner.copy()

    @rule()
    def restore_owner(self):
        self.owner = self.backup.copy()

    @rule()
    def back_up_hub(self):
        self.hub_backup = self.hub.copy()

    @rule()
    def restore_hub(self):
        self.hub = self.hub_backup.copy()

    @rule()
    def begin_anew(self):
        """The runbook, for a node that was restored or not."""
        furthest = max([self.hub.applied, *self.hub.ahead])
        newest = max((state[0] for state in self.hub.copies.values()), default=0)
        self.hub.position, order = fences.order(
            self.hub.position, epoch=max(newest, self.owner.epoch), furthest=furthest, who="ops", at=AT
        )
        self.hub.applied, self.hub.ahead = order.feed_seq, set()
        owner = self.owner
        owner.epoch, owner.last = order.epoch, max(owner.last, order.feed_seq)
        owner.confirmed = order.feed_seq
        owner.feed = {}
        self.beat()
        for id, (_, version, alive, content) in list(owner.records.items()):
            owner.records[id] = (owner.epoch, version, alive, content)
            self.send(owner.say(id))

    def compare(self):
        """A comparison on a wire that works, with what it asks for."""
        theirs = self.owner.live
        found = digests.compare(
            theirs, self.hub.records(True), {record.key: record for record in self.hub.records(False)}
        )
        for one in found:
            _, id = one.key
            state = self.owner.records.get(id)
            if state is None:
                epoch, version, _, content = self.hub.copies[id]
                self.hub.copies[id] = (epoch, version + 1, False, content)
                continue
            if (
                one.held is not None
                and one.kind in ("content", "ahead", "extra")
                and state[:2] <= one.held.age
            ):
                state = (one.held.epoch, one.held.version + 1, *state[2:])
                self.owner.records[id] = state
            self.hub.apply(id, state)

    def teardown(self):
        if not hasattr(self, "owner"):
            return
        self.begin_anew()
        for sent in list(self.wire):
            self.arrive(sent)
        self.compare()
        mine, theirs = Digest.of(self.hub.records(True)), Digest.of(self.owner.live)
        assert mine.hex == theirs.hex and mine.differing(theirs) == ()

    @invariant()
    def versions_never_go_back(self):
        """I8, but for a hub that was itself put back."""
        if not hasattr(self, "hub"):
            return
        if self.hub is getattr(self, "_watched", None):
            for id, before in self._versions.items():
                assert self.hub.copies[id][:2] >= before
        self._watched = self.hub
        self._versions = {id: state[:2] for id, state in self.hub.copies.items()}


# A night's run has more: HUBNET_MODEL_EXAMPLES=10000.
EXAMPLES = int(os.environ.get("HUBNET_MODEL_EXAMPLES", "150"))
Convergence.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
TestConvergence = Convergence.TestCase
