"""What the supervisor knows of one child, and when it does what with it."""

from dataclasses import dataclass, field
from typing import Literal

from localnet.backoff import Backoff

State = Literal["stopped", "waiting", "starting", "ready", "unready", "backoff", "stopping"]
GRACE_S = 10.0
PROBE_STARTING_S = 0.1
PROBE_READY_S = 2.0


@dataclass
class Member:
    """One child process: a server, a service, or all services together.

    Shape: `probes` maps each name that must answer to its port; times are monotonic seconds.
    """

    name: str
    kind: str
    probes: dict[str, int]
    wanted: bool = True
    pid: int | None = None
    started: float = 0.0
    ready_since: float | None = None
    once_ready: bool = False
    answers: dict[str, bool] = field(default_factory=dict)
    backoff: Backoff = field(default_factory=Backoff)
    due: float = 0.0
    restarts: int = 0
    kill_at: float | None = None
    next_probe: float = 0.0
    again: bool = False
    why: str = ""

    @property
    def healthy(self) -> bool:
        return self.pid is not None and all(self.answers.get(name) for name in self.probes)

    @property
    def state(self) -> State:
        if self.pid is not None:
            if self.kill_at is not None:
                return "stopping"
            if self.healthy:
                return "ready"
            return "unready" if self.ready_since is not None else "starting"
        if not self.wanted:
            return "stopped"
        return "backoff" if self.backoff.deaths else "waiting"

    def state_of(self, name: str) -> State:
        """The state of one of several services in this process."""
        if self.state in ("starting", "unready") and self.answers.get(name):
            return "ready"
        return self.state

    def may_start(self, now: float) -> bool:
        return self.wanted and self.pid is None and now >= self.due

    def born(self, pid: int, now: float) -> None:
        self.pid, self.started, self.ready_since, self.kill_at = pid, now, None, None
        self.answers, self.next_probe = {}, now

    def answered(self, name: str, good: bool, now: float) -> None:
        self.answers[name] = good
        if self.healthy and self.ready_since is None:
            self.ready_since, self.once_ready = now, True

    def stop(self, now: float) -> None:
        """It is asked to end, and killed after the grace."""
        self.wanted = False
        if self.pid is not None:
            self.kill_at = now + GRACE_S

    def start(self) -> None:
        """Now, whatever the backoff says; a child that is still stopping starts when it has ended."""
        self.wanted, self.due, self.backoff = True, 0.0, Backoff()

    def died(self, how: str, now: float) -> None:
        asked = self.kill_at is not None
        healthy_s = now - self.ready_since if self.ready_since is not None else 0.0
        self.pid, self.kill_at, self.ready_since, self.answers = None, None, None, {}
        if asked:
            self.why, self.backoff, self.due = "", Backoff(), 0.0
            return
        self.why = how
        self.backoff = self.backoff.after(healthy_s)
        self.due = now + self.backoff.delay_s
        self.restarts += 1
