"""Readiness by HTTP without waiting: one small state machine a request, on the supervisor's selector."""

import errno
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

TIMEOUT_S = 3.0
ENOUGH_BYTES = 32


@dataclass
class Probe:
    """One GET in flight. `done` is called once, with whether the answer was 200."""

    port: int
    path: str
    deadline: float
    done: Callable[[bool], None]
    link: socket.socket = field(init=False)
    received: bytes = b""
    sent: bool = False

    def begin(self, selector: selectors.BaseSelector) -> bool:
        """Whether it is under way; otherwise `done` has been called."""
        self.link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.link.setblocking(False)
        if self.link.connect_ex(("127.0.0.1", self.port)) not in (0, errno.EINPROGRESS):
            self.link.close()
            self.done(False)
            return False
        selector.register(self.link, selectors.EVENT_WRITE, self)
        return True

    def step(self, selector: selectors.BaseSelector) -> bool:
        """Go on when the socket is ready; whether it is still under way."""
        try:
            if not self.sent:
                request = (
                    f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n"
                )
                self.link.sendall(request.encode())
                self.sent = True
                selector.modify(self.link, selectors.EVENT_READ, self)
                return True
            chunk = self.link.recv(4096)
            self.received += chunk
            if chunk and len(self.received) < ENOUGH_BYTES:
                return True
            return self.finish(selector, self.received.split(b" ", 2)[1:2] == [b"200"])
        except BlockingIOError:
            return True
        except OSError:
            return self.finish(selector, False)

    def finish(self, selector: selectors.BaseSelector, good: bool) -> bool:
        selector.unregister(self.link)
        self.link.close()
        self.done(good)
        return False
