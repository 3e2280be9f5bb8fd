"""Serve one service, or all of them on one loop, until SIGTERM."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from common.settings import Settings

from localnet.application import application

GRACEFUL_S = 5
# Apps built before the fork, by node. A child serves its own; the parent never serves any.
_built: dict[str, Any] = {}


def build(settings: Settings) -> Any:
    """The app of a service, made once in this process."""
    if settings.node not in _built:
        _built[settings.node] = application(settings.me.kind)(settings)
    return _built[settings.node]


def server(settings: Settings) -> uvicorn.Server:
    """One service on its port."""
    return Quiet(
        uvicorn.Config(
            build(settings),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACEFUL_S,
        )
    )


def sockets(settings: Settings) -> list[socket.socket] | None:
    """Where to listen: beside others of the same node on one port, and on one of this process alone."""
    if settings.own_port is None:
        return None
    return [listen(settings.host, settings.port, shared=True), listen(settings.host, settings.own_port)]


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:  # the kernel deals out the connections among those that listen
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    made.set_inheritable(True)
    return made


class Quiet(uvicorn.Server):
    """A server that leaves signals to `serve`, so that many share one loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Open event streams are ended first: they would be waited for."""
        streams = getattr(getattr(self.config.app, "state", None), "streams", None)
        if streams is not None:
            streams.close()
        await super().shutdown(sockets)


def serve(several: Sequence[Settings]) -> int:
    """Run the services to their end; answers the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    servers = [server(settings) for settings in several]
    listening = [sockets(settings) for settings in several]

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        await asyncio.gather(
            *(one.serve(sockets=given) for one, given in zip(servers, listening, strict=True))
        )

    def stop() -> None:
        for one in servers:
            one.should_exit = True

    with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
        runner.run(run())
    return 0
