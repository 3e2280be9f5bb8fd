"""The supervisor's view of a provisioning child: progress by a pipe, then done or in trouble."""

import json
import os
import selectors
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from common.node import Node

from localnet import processes
from localnet.network import Network
from localnet.trouble import Trouble, unexpected


@dataclass
class Provisioning:
    """One child at a time; `done` are the node ids it has provided for."""

    network: Network
    selector: selectors.BaseSelector
    pid: int | None = None
    done: set[str] = field(default_factory=set)
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)
    operator: str | None = None
    trouble: Trouble | None = None
    asked: tuple[str, ...] = ()
    pipe: int = -1
    rest: bytes = b""
    over: bool = False

    def begin(self, nodes: Sequence[Node]) -> None:
        """Fork the child. It imports what it needs itself, while the parent imports the services."""
        self.asked, self.over, self.trouble = tuple(node.id for node in nodes), False, None
        self.pipe, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(write_end, True)

        log = self.network.folder.log("provision")

        def body() -> int:
            from localnet import provision

            def report(line: dict[str, Any]) -> None:
                os.write(write_end, (json.dumps(line, ensure_ascii=False) + "\n").encode())

            work = provision.Work(self.network, nodes, report, log, keep=(write_end,))
            return provision.attempt(lambda: provision.provision(work), report)

        self.pid = processes.fork(body, log, keep=[write_end])
        os.close(write_end)
        self.selector.register(self.pipe, selectors.EVENT_READ, self)

    def read(self) -> bool:
        """Take in what the child has reported; whether there may be more."""
        try:
            chunk = os.read(self.pipe, 65536)
        except BlockingIOError:
            return False
        if not chunk:
            self.close()
            return False
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in map(json.loads, lines):
            if "part" in line:
                self.parts[line["part"]] = (line["done"], line["total"])
            elif "operator" in line:
                self.operator = line["operator"]
            elif "trouble" in line:
                self.trouble = self.trouble or Trouble.from_json(line["trouble"])
        return True

    def close(self) -> None:
        self.selector.unregister(self.pipe)
        os.close(self.pipe)
        self.pipe = -1

    def ended(self, status: int) -> None:
        """The child is gone; what it still said is in the pipe."""
        while self.pipe >= 0 and self.read():
            pass
        if self.pipe >= 0:
            self.close()
        self.pid, self.over = None, True
        if os.waitstatus_to_exitcode(status) == 0 and not self.trouble:
            self.done |= set(self.asked)
        elif not self.trouble:
            self.trouble = unexpected("provision", RuntimeError(processes.ended(status)))

    def cancel(self) -> None:
        """Every step may be repeated, so it may be interrupted."""
        processes.tell(self.pid, 15)
