"""A TCP proxy with toxics: what stands between two processes can be slow, thin, cut, or silent."""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK = 16 * 1024


@dataclass(eq=False)
class Link:
    """One way in (`port`) to one server. Toxics are set and cleared while connections run.

    Shape: `latency_s` ± `jitter_s` each way, never reordering; `bytes_s` is the width each way; `slice_bytes`
    cuts what passes into small pieces.
    """

    host: str
    port_there: int
    seed: int = 0
    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_s: float = 0.0
    slice_bytes: int = 0
    port: int = 0
    accepted: int = 0
    passed: int = 0
    _silent: bool = False
    _refusing: bool = False
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _free_at: dict[str, float] = field(default_factory=dict)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self):
        self._random = random.Random(self.seed)
        self._heard.set()

    async def open(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._refusing = False
        return self

    async def close(self):
        self.hear()
        await self._refuse()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, scheme="nats"):
        return f"{scheme}://127.0.0.1:{self.port}"

    def clear(self):
        """No toxic any more; a link that was taken down stays down."""
        self.latency_s = self.jitter_s = self.bytes_s = 0.0
        self.slice_bytes = 0
        self.hear()

    def hang(self):
        """A cut cable: connections stay, nothing passes and nothing is said; new ones get no answer."""
        self._silent = True
        self._heard.clear()

    def hear(self):
        self._silent = False
        self._heard.set()

    def reset(self):
        """Every connection ends with a TCP reset; new ones are accepted."""
        for writer in tuple(self._writers):
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            writer.transport.abort()

    async def down(self):
        """Nobody listens: connections are reset, new ones refused."""
        await self._refuse()
        self.reset()

    async def up(self):
        if self._refusing:
            await self.open()

    async def _refuse(self):
        self._refusing = True
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _accept(self, reader, writer):
        self.accepted += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        self._tasks.add(task)
        there = None
        try:
            await self._heard.wait()
            onward, there = await asyncio.open_connection(self.host, self.port_there)
            self._writers.add(there)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass("up", reader, there))
                ways.create_task(self._pass("down", onward, writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            for end in (writer, there):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _pass(self, way, reader, writer):
        """One direction: what is read now is due later; reading goes on meanwhile, as on a long line."""
        line = asyncio.Queue(maxsize=64)

        async def deliver():
            loop = asyncio.get_running_loop()
            while True:
                due, chunk = await line.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._heard.wait()
                if chunk is None:
                    raise ConnectionResetError("the other end has closed")
                writer.write(chunk)
                await writer.drain()
                self.passed += len(chunk)

        async def receive():
            loop = asyncio.get_running_loop()
            last = 0.0
            while True:
                size = self.slice_bytes or (min(CHUNK, int(self.bytes_s / 8) or 1) if self.bytes_s else CHUNK)
                chunk = await reader.read(size)
                late = max(0.0, self.latency_s + self._random.uniform(-1, 1) * self.jitter_s)
                last = max(last, loop.time() + late)
                if not chunk:
                    await line.put((last, None))
                    return
                if self.bytes_s:  # all connections share the width
                    start = max(self._free_at.get(way, 0.0), loop.time())
                    self._free_at[way] = start + len(chunk) / self.bytes_s
                    await asyncio.sleep(self._free_at[way] - loop.time())
                    last = max(last, loop.time() + late)
                await line.put((last, chunk))

        async with asyncio.TaskGroup() as both:
            both.create_task(deliver())
            both.create_task(receive())


@contextlib.asynccontextmanager
async def link(url, *, seed=0):
    """A proxy in front of the server of a URL."""
    parts = urlsplit(url)
    proxy = await Link(parts.hostname or "127.0.0.1", parts.port or 0, seed=seed).open()
    try:
        yield proxy
    finally:
        await proxy.close()
