"""The one process that starts, watches and restarts the others. One thread, no event loop, no engine.

It imports the services once and forks them; a thread or a loop before the fork would be copied broken.
"""

import gc
import json
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.settings import Settings

from localnet import preflight, processes, stale
from localnet.broker import HEALTH, HEALTH_IN_CLUSTER, EmbeddedBroker
from localnet.control import Client, Listener
from localnet.diagnosis import explained, last_lines
from localnet.health import Health
from localnet.members import Member
from localnet.network import MONITORS, NATS, POSTGRES, SERVERS, Network
from localnet.orders import Orders
from localnet.postgres import EmbeddedPostgres, ExternalPostgres, FollowingPostgres
from localnet.preload import preload
from localnet.probe import Probe
from localnet.provisioning import Provisioning
from localnet.settings import settings_for
from localnet.trouble import Trouble, unexpected

TICK_S = 0.05
IDLE_S = 0.25
SNAPSHOT_S = 0.1
MOST_FAILURES = 20
START_LIMIT_S = 120.0
HOLDER_S = 15.0  # the command that started us takes hold by then, or has been killed
DEATHS_AT_START = 5  # a service that never comes up ends the start instead of looping for ever
ALL = "services"  # the member's name when every service shares one process


class Supervisor:
    """Phases: servers → provision → services → up → stopping."""

    def __init__(self, network: Network, mended: list[str], on_open: Callable[[], None]):
        self.network = network
        self.on_open = on_open
        self.selector = selectors.DefaultSelector()
        self.orders = Orders(self)
        self.listener = Listener(network.folder, self.selector, self.orders.obey, self.client_gone)
        self.postgres = self.embedded_postgres()
        self.follower = self.following_postgres()
        self.brokers = {name: EmbeddedBroker(network, name=name) for name in network.brokers}
        self.members = self.servers() + self.services()
        self.provisioning = Provisioning(self.network, self.selector)
        self.told: dict[str, Settings] = {}
        self.phase = "servers"
        self.trouble: Trouble | None = None
        self.told_to_stop = self.held = False
        self.mended = mended
        path = HEALTH_IN_CLUSTER if network.scale_out else HEALTH
        self.health = Health(self.selector, self.postgres_ready, path)
        self.next_snapshot = 0.0
        self.said: str = ""
        self.began = self.serving_since = time.monotonic()

    def embedded_postgres(self) -> EmbeddedPostgres | None:
        network = self.network
        if network.postgres_url:
            ExternalPostgres(network.postgres_url).start()
            return None
        return EmbeddedPostgres(
            network.folder.postgres,
            network.port(POSTGRES),
            network.secrets.postgres_file,
            network.folder.log(POSTGRES),
        )

    def following_postgres(self) -> FollowingPostgres | None:
        network, name = self.network, self.network.follower
        if name is None:
            return None
        return FollowingPostgres(
            network.folder.postgres.with_name(name),
            network.port(name),
            network.secrets.postgres_file,
            network.folder.log(name),
            leader_port=network.port(POSTGRES),
        )

    def postgres_ready(self, name: str) -> bool:
        server = self.postgres if name == POSTGRES else self.follower
        return server is not None and server.ready

    def servers(self) -> list[Member]:
        network = self.network
        found: list[Member] = []
        if self.postgres:
            found.append(Member(POSTGRES, POSTGRES, {POSTGRES: network.port(POSTGRES)}))
        if network.follower:
            found.append(
                Member(network.follower, POSTGRES, {network.follower: network.port(network.follower)})
            )
        for name in self.brokers:
            found.append(Member(name, NATS, {name: network.port_base + MONITORS[name]}))
        return found

    def services(self) -> list[Member]:
        network = self.network
        if network.single_process:
            return [Member(ALL, ALL, {node.id: network.port(node.id) for node in network.nodes})]
        return [
            Member(name, node.kind, {name: network.own_port(name)}, wanted=node in network.nodes)
            for node in network.topology.nodes
            for name in network.processes(node)
        ]

    def run(self) -> int:
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.heard)
        signal.set_wakeup_fd(wake_write)
        self.selector.register(wake_read, selectors.EVENT_READ, "woken")
        self.listener.open()
        self.on_open()
        failures = 0
        while not self.finished and failures < MOST_FAILURES:
            try:
                self.turn()
            except Exception as error:  # the children must not be left alone, whatever went wrong here
                failures += 1
                traceback.print_exc()
                self.fail(error if isinstance(error, Trouble) else unexpected("supervisor", error))
        for member in self.members:
            processes.tell(member.pid, signal.SIGKILL)
        self.snapshot(force=True)
        self.listener.close()
        self.network.folder.children.unlink(missing_ok=True)
        return 1 if self.trouble else 0

    @property
    def finished(self) -> bool:
        """Nothing runs any more, and whoever started us knows why."""
        idle = self.phase == "stopping" and not any(m.pid for m in self.members) and not self.provisioning.pid
        return idle and (self.trouble is None or self.held or time.monotonic() - self.began > HOLDER_S)

    def heard(self, number: int, _frame: Any) -> None:
        self.told_to_stop |= number != signal.SIGCHLD

    def turn(self) -> None:
        busy = self.phase != "up" or any(m.wanted and m.state != "ready" for m in self.members)
        self.wait_for_events(TICK_S if busy else IDLE_S)
        self.reap()
        now = time.monotonic()
        if self.told_to_stop or (not self.held and now - self.began > HOLDER_S):
            self.shut_down()
        self.end_slow_ones(now)
        self.go_on(now)
        self.health.look(self.members, now)
        if now >= self.next_snapshot:
            self.snapshot()
            self.next_snapshot = now + SNAPSHOT_S

    def wait_for_events(self, timeout_s: float) -> None:
        for key, _ in self.selector.select(timeout_s):
            whose = key.data
            if isinstance(whose, Probe):
                whose.step(self.selector)
            elif isinstance(whose, Listener):
                whose.accept()
            elif isinstance(whose, Client):
                self.listener.read(whose)
            elif isinstance(whose, Provisioning):
                whose.read()
            else:
                os.read(key.fd, 4096)

    def go_on(self, now: float) -> None:
        """Start what the phase allows."""
        if self.phase == "stopping":
            # Servers go last: what a service still commits on its way out has somewhere to go.
            if not any(m.pid for m in self.members if m.kind not in SERVERS):
                for member in self.members:
                    if member.pid and member.kill_at is None:
                        self.end(member)
            return
        for member in self.members:
            if member.may_start(now) and self.may_run(member):
                self.start(member, now)
        if self.phase == "up":
            self.drop_unprovided()
            return
        hopeless = [
            m for m in self.members if m.wanted and not m.once_ready and m.backoff.deaths >= DEATHS_AT_START
        ]
        if hopeless:
            self.fail(self.never_came_up(hopeless[0]))
            return
        if self.phase == "servers" and all(m.state == "ready" for m in self.members if m.kind in SERVERS):
            self.phase = "provision"
            self.snapshot()
            self.provisioning.begin(self.network.nodes)
            self.told = preload(self.network)
            gc.collect()
            gc.freeze()  # pages shared with the children stay shared: no collection touches them
        elif self.phase == "provision" and self.provisioning.over:
            if self.provisioning.trouble:
                self.fail(self.provisioning.trouble)
            else:
                self.phase, self.serving_since = "services", now
        elif self.phase == "services" and all(m.state == "ready" for m in self.members if m.wanted):
            self.phase = "up"
            print(f"up after {now - self.began:.2f} s", flush=True)

        elif self.phase == "services" and now - self.serving_since > START_LIMIT_S:
            self.fail(self.not_ready([m.name for m in self.members if m.wanted and m.state != "ready"]))

    def drop_unprovided(self) -> None:
        """A node started later whose database could not be made stays stopped, with the reason."""
        trouble = self.provisioning.trouble
        if self.provisioning.over and trouble:
            for member in self.members:
                if member.wanted and not self.may_run(member):
                    member.wanted, member.why = False, str(trouble)
            self.provisioning.trouble = None

    def may_run(self, member: Member) -> bool:
        if member.name == self.network.follower:
            return self.postgres_ready(POSTGRES)
        if member.kind in SERVERS:
            return True
        homes = {self.network.node_of(name).id for name in member.probes}
        return self.phase in ("services", "up") and homes <= self.provisioning.done

    def start(self, member: Member, now: float) -> None:
        try:
            if member.name == POSTGRES and self.postgres:
                pid = self.postgres.spawn()
            elif member.name == self.network.follower and self.follower:
                pid = self.follower.spawn()
            elif member.name in self.brokers:
                pid = self.brokers[member.name].spawn()
            else:
                pid = processes.fork(lambda: self.serve(member), self.network.folder.log(member.name))
        except Trouble as trouble:
            if not member.once_ready:
                raise
            member.died(str(trouble), now)  # a full disk, say: tried again later
            return
        member.born(pid, now)
        self.note_children()

    def serve(self, member: Member) -> int:
        from localnet.fleet import serve  # uvicorn is loaded by the services' import, in the parent

        network, told = self.network, self.told
        return serve(
            [told.get(name) or settings_for(network, network.node_of(name), name) for name in member.probes]
        )

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.provisioning.pid:
                self.provisioning.ended(status)
                continue
            for member in self.members:
                if member.pid == pid:
                    if member.kill_at is None:
                        print(f"{member.name} (pid {pid}) ended: {processes.ended(status)}", flush=True)
                    member.died(processes.ended(status), time.monotonic())
                    if member.again:
                        member.again = False
                        member.start()
                    self.note_children()

    def end(self, member: Member) -> None:
        member.stop(time.monotonic())
        processes.tell(member.pid, signal.SIGINT if member.kind == POSTGRES else signal.SIGTERM)

    def end_slow_ones(self, now: float) -> None:
        for member in self.members:
            if member.pid and member.kill_at is not None and now >= member.kill_at:
                # Immediate shutdown for PostgreSQL: its children go with it, its log is replayed at the next start.
                processes.tell(member.pid, signal.SIGQUIT if member.kind == POSTGRES else signal.SIGKILL)
                member.kill_at = now + 2.0

    def shut_down(self) -> None:
        if self.phase == "stopping":
            return
        self.phase = "stopping"
        self.provisioning.cancel()
        for member in self.members:
            member.wanted = member.again = False
            if member.kind not in SERVERS and member.pid:
                self.end(member)

    def fail(self, trouble: Trouble) -> None:
        self.trouble = self.trouble or trouble
        print(f"giving up: {trouble}", flush=True)
        self.shut_down()

    def not_ready(self, names: list[str]) -> Trouble:
        listed = ", ".join(names)
        return Trouble(
            (f"未就绪：{listed}", f"not ready: {listed}"),
            (f"服务须在 {START_LIMIT_S:.0f} 秒内就绪", f"a service is ready within {START_LIMIT_S:.0f} s"),
            (f"查看 hubnet logs {names[0]}", f"see hubnet logs {names[0]}"),
        )

    def never_came_up(self, member: Member) -> Trouble:
        if member.kind in SERVERS:
            return explained(self.network.folder.log(member.name), member.name)
        said = "\n".join(last_lines(self.network.folder.log(member.name)))
        return Trouble(
            (
                f"{member.name} 启动后立即退出（{member.why}）",
                f"{member.name} ends as soon as it starts ({member.why}):\n{said}",
            ),
            ("每个服务须在启动时就绪", "every service must become ready at the start"),
            (f"查看 hubnet logs {member.name}", f"see hubnet logs {member.name}"),
        )

    def client_gone(self, client: Client) -> None:
        if client.holding:
            self.shut_down()

    def note_children(self) -> None:
        stale.record(self.network.folder, {m.name: m.pid for m in self.members if m.pid})

    def snapshot(self, force: bool = False) -> None:
        """Tell the watchers, when something has changed."""
        told = self.orders.state()
        said = json.dumps({k: v for k, v in told.items() if k != "clock"})
        if said == self.said and not force:
            return
        self.said = said
        for client in [c for c in self.listener.clients if c.watching]:
            self.listener.send(client, told)


def ensure_certificates(network: Network) -> None:
    from localnet.certificates import Authority  # the library takes 60 ms that others need not pay

    Authority(network.folder.certificates).ensure(node.id for node in network.topology.nodes)


def main() -> int:
    """Run the network described by the file argv[1]; the one line on descriptor argv[2] says how it began."""
    report = int(sys.argv[2])
    os.set_inheritable(report, False)

    def say(**line: Any) -> None:
        os.write(report, (json.dumps(line) + "\n").encode())
        os.close(report)

    try:
        network = Network.from_json(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
        preflight.take_lock(network.folder)  # held to the end of this process, whatever ends it
        mended = stale.mend(network.folder)
        network.secrets.make(node.id for node in network.topology.nodes)
        if network.tls:
            ensure_certificates(network)
        network = network.limited()
        preflight.ports_free(network)
        network.remember()
        supervisor = Supervisor(network, mended, lambda: say(pid=os.getpid()))
    except Trouble as trouble:
        say(trouble=trouble.as_json())
        return trouble.code
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
