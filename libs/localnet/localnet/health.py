"""Asks the running children whether they are ready, a few at a time and never waiting."""

import selectors
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from localnet.broker import HEALTH
from localnet.members import PROBE_READY_S, PROBE_STARTING_S, Member
from localnet.network import NATS, POSTGRES
from localnet.probe import TIMEOUT_S, Probe


@dataclass
class Health:
    """The probes in flight. PostgreSQL tells by its pid file, the others by HTTP."""

    selector: selectors.BaseSelector
    postgres_ready: Callable[[str], bool]
    nats_path: str = HEALTH
    probes: dict[tuple[str, str], Probe] = field(default_factory=dict)

    def look(self, members: Iterable[Member], now: float) -> None:
        """Ask those whose turn it is, and give up on answers that do not come."""
        for probe in list(self.probes.values()):
            if now >= probe.deadline:
                probe.finish(self.selector, False)
        for member in members:
            if member.pid is None or member.kill_at is not None or now < member.next_probe:
                continue
            member.next_probe = now + (PROBE_READY_S if member.state == "ready" else PROBE_STARTING_S)
            if member.kind == POSTGRES:
                member.answered(member.name, self.postgres_ready(member.name), now)
                continue
            for name, port in member.probes.items():
                if (member.name, name) not in self.probes:
                    self.ask(member, name, port, now)

    def ask(self, member: Member, name: str, port: int, now: float) -> None:
        pid = member.pid

        def done(good: bool) -> None:
            self.probes.pop((member.name, name), None)
            if member.pid == pid:  # not the answer of a child that has died since
                member.answered(name, good, time.monotonic())

        probe = Probe(port, self.nats_path if member.kind == NATS else "/readyz", now + TIMEOUT_S, done)
        if probe.begin(self.selector):
            self.probes[(member.name, name)] = probe
