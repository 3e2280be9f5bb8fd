"""The supervisor's socket: JSON lines, for the owner only."""

import json
import os
import selectors
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from localnet.paths import Folder
from localnet.trouble import Trouble

Answer = dict[str, Any]
MAX_REQUEST_BYTES = 4096


@dataclass
class Client:
    """One connection, as the supervisor sees it."""

    link: socket.socket
    received: bytes = b""
    watching: bool = False
    holding: bool = False  # when it goes away, the network stops


@dataclass
class Listener:
    """Accepts clients on the supervisor's selector; a client that does not read is dropped."""

    folder: Folder
    selector: selectors.BaseSelector
    answer: Callable[[Client, dict[str, Any]], Answer]
    gone: Callable[[Client], None]
    clients: list[Client] = field(default_factory=list)

    def open(self) -> None:
        path = self.folder.control
        path.unlink(missing_ok=True)  # the lock is ours, so is a socket that was left behind
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self.socket.bind(str(path))
        finally:
            os.umask(before)
        self.socket.listen(16)
        self.socket.setblocking(False)
        self.selector.register(self.socket, selectors.EVENT_READ, self)

    def close(self) -> None:
        for client in list(self.clients):
            client.link.close()
        self.socket.close()
        self.folder.control.unlink(missing_ok=True)

    def accept(self) -> None:
        try:
            link, _ = self.socket.accept()
        except OSError:
            return
        link.setblocking(False)
        client = Client(link)
        self.clients.append(client)
        self.selector.register(link, selectors.EVENT_READ, client)

    def read(self, client: Client) -> None:
        try:
            chunk = client.link.recv(MAX_REQUEST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        client.received += chunk
        if not chunk or len(client.received) > MAX_REQUEST_BYTES:
            self.drop(client)
            return
        while b"\n" in client.received:
            line, client.received = client.received.split(b"\n", 1)
            try:
                asked = json.loads(line)
                answer = self.answer(client, asked)
            except Trouble as trouble:
                answer = {"trouble": trouble.as_json()}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                answer = {"error": f"not understood: {error}"}
            self.send(client, answer)

    def send(self, client: Client, answer: Answer) -> None:
        try:
            client.link.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
        except OSError:  # gone, or its buffer is full: it has not read for many snapshots
            self.drop(client)

    def drop(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)
            self.selector.unregister(client.link)
            client.link.close()
            self.gone(client)


class Connection:
    """The other end, in the command.

    Raises: Trouble when no supervisor answers.
    """

    def __init__(self, folder: Folder):
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.link.connect(str(folder.control))
        except OSError as error:
            self.link.close()
            raise not_running(folder) from error
        self.lines = self.link.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        self.link.close()

    def send(self, **request: Any) -> None:
        self.link.sendall(json.dumps(request).encode() + b"\n")

    def receive(self) -> Answer | None:
        """The next line, or None when the supervisor has ended."""
        try:
            line = self.lines.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        answer = json.loads(line)
        if answer.get("trouble") and not answer.get("phase"):
            raise Trouble.from_json(answer["trouble"])
        return answer

    def ask(self, **request: Any) -> Answer:
        self.send(**request)
        return self.receive() or {}

    def watch(self, **request: Any) -> Iterator[Answer]:
        """Snapshots, as they change, until the supervisor ends."""
        self.send(do="watch", **request)
        while (snapshot := self.receive()) is not None:
            yield snapshot


def not_running(folder: Folder) -> Trouble:
    return Trouble(
        ("网络没有运行", "the network is not running"),
        (f"该命令需要运行中的网络：{folder.root}", f"this command needs a running network in {folder.root}"),
        ("先运行 hubnet up，或指定 --data-dir", "start it first: hubnet up, or name another --data-dir"),
    )
