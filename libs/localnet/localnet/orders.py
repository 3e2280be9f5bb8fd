"""What the supervisor does when asked through its socket."""

import signal
import time
from typing import TYPE_CHECKING, Any

from localnet import processes
from localnet.control import Client
from localnet.members import Member
from localnet.network import SERVERS, check_names
from localnet.trouble import Trouble

if TYPE_CHECKING:
    from localnet.supervisor import Supervisor


class Orders:
    """Requests are {"do": verb, …}; a verb about one member names it in "node"."""

    def __init__(self, supervisor: "Supervisor"):
        self.supervisor = supervisor

    def obey(self, client: Client, asked: dict[str, Any]) -> dict[str, Any]:
        """Raises: Trouble for what is not possible; ValueError for what is no request."""
        verb = asked["do"]
        if verb == "status":
            return self.state()
        if verb == "watch":
            client.watching, client.holding = True, bool(asked.get("hold"))
            self.supervisor.held |= client.holding
            return self.state()
        if verb == "release":
            client.holding = False
            return {"ok": True}
        if verb == "operator":
            told, self.supervisor.provisioning.operator = self.supervisor.provisioning.operator, None
            return {"operator": told}
        if verb == "down":
            client.watching = True
            self.supervisor.shut_down()
            return self.state()
        if verb in ("start", "stop", "restart", "kill"):
            member = self.member(asked["node"])
            getattr(self, verb)(member)
            return {"ok": True}
        raise ValueError(f"unknown verb {verb!r}")

    def member(self, name: str) -> Member:
        supervisor = self.supervisor
        for member in supervisor.members:
            if member.name == name:
                if supervisor.phase not in ("services", "up"):
                    raise Trouble(
                        (
                            "网络正在启动或停止",
                            f"the network is not up yet or is stopping ({supervisor.phase})",
                        ),
                        ("节点操作须在运行时进行", "members are steered while the network runs"),
                        ("稍后再试", "try again in a moment"),
                    )
                return member
        check_names(supervisor.network.topology, [name], SERVERS)
        if name in SERVERS:
            raise Trouble(
                (f"{name} 是外部服务器", f"{name} is a server from elsewhere"),
                ("只能操作本命令启动的进程", "only what this network has started can be steered"),
                ("在它运行的地方操作", "steer it where it runs"),
            )
        raise Trouble(
            (f"{name} 与其他服务同在一个进程", f"{name} shares one process with the others"),
            ("--single-process 下不能单独操作", "with --single-process no node can be steered alone"),
            ("hubnet down 后不带该选项再启动", "hubnet down, then start without that option"),
        )

    def start(self, member: Member) -> None:
        member.again = member.pid is not None and member.kill_at is not None
        if member.pid is None:
            member.start()
        network = self.supervisor.network
        homes = set() if member.kind in SERVERS else {network.node_of(name).id for name in member.probes}
        missing = homes - self.supervisor.provisioning.done
        if missing and not self.supervisor.provisioning.pid:
            self.supervisor.provisioning.begin([network.topology.node(id) for id in missing])

    def stop(self, member: Member) -> None:
        member.again = False
        if member.pid is None:
            member.stop(time.monotonic())
        else:
            self.supervisor.end(member)

    def restart(self, member: Member) -> None:
        if member.pid is None:
            self.start(member)
        else:
            self.supervisor.end(member)
            member.again = True

    def kill(self, member: Member) -> None:
        """As a crash would: it is restarted."""
        if member.pid is None:
            raise Trouble(
                (f"{member.name} 没有运行", f"{member.name} is not running"),
                ("只能结束运行中的进程", "only a running process can be killed"),
                (f"hubnet start {member.name}", f"hubnet start {member.name}"),
            )
        processes.tell(member.pid, signal.SIGKILL)

    def state(self) -> dict[str, Any]:
        """Everything a person may want to see; figures of memory are the command's to read."""
        supervisor, now = self.supervisor, time.monotonic()
        network, provisioning = supervisor.network, supervisor.provisioning
        return {
            "phase": supervisor.phase,
            "parts": provisioning.parts,
            "members": [row for member in supervisor.members for row in self.rows(member, now)],
            "trouble": supervisor.trouble.as_json() if supervisor.trouble else None,
            "mended": supervisor.mended,
            "single_process": network.single_process,
            "operator_waiting": provisioning.operator is not None,
            "clock": now,
        }

    def rows(self, member: Member, now: float) -> list[dict[str, Any]]:
        network = self.supervisor.network
        return [
            {
                "node": name,
                "kind": member.kind if member.name == name else network.topology.node(name).kind,
                "state": member.state_of(name),
                "pid": member.pid,
                "port": network.port(name),
                "restarts": member.restarts,
                "started": member.started if member.pid else None,
                "ready_after_s": round(member.ready_since - member.started, 2)
                if member.ready_since
                else None,
                "why": member.why,
            }
            for name in member.probes
        ]
