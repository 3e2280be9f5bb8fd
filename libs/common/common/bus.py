"""The connection to NATS.

The reconnecting of nats-py is not used: a connection that ends is made anew with the key and certificate
of that moment, and what was in flight on it fails at once.
"""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoServersError

from common import clock, credentials, log, outages
from common.credentials import Credentials
from common.errors import Unavailable
from common.outages import OUTAGES, Outage
from common.settings import Settings

CONNECT_S = 5.0  # a step of connecting takes two ways of up to 0.8 s on the worst line we are made for
PAUSE_S = 0.25
LOOK_S = 1.0
FAREWELL_S = 1.0
# What may be on its way to the broker. At 64 kbit/s it takes 8 s, less than pings allow.
WINDOW_BYTES = 64 * 1024
SLOWEST_BYTES_S = 4096
PUBLISH_S = 3.0

Heard = Callable[[Msg], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """A request that is on its way. It fails when its connection ends."""

    token: str
    size: int
    patience_s: float
    answer: asyncio.Future[Msg]


class Bus:
    """One connection of one node at a time, made anew for ever."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._node = settings.node
        self._urls = settings.nats_url.split(",")
        random.shuffle(self._urls)  # many nodes share out the servers of a cluster
        self.violations = 0
        self.connections = 0
        self.outage: Outage | None = OUTAGES["no-answer"]
        self.certificate: outages.Validity | None = None
        self._said = ""
        self._client: Client | None = None
        self._ready = asyncio.Event()
        self._standing: dict[tuple[str, str], Heard] = {}
        self._asked: dict[str, asyncio.Future[Msg]] = {}
        self._answers = ""
        self._tokens = itertools.count()
        self._turn = asyncio.Lock()
        self._in_flight = 0
        self._doubted = False
        self._freed = asyncio.Event()
        self._log = log.get("bus")

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """Raises: Unavailable while there is no connection."""
        if not self.connected or self._client is None:
            raise _away()
        return self._client

    async def run(self) -> None:
        """Keep a connection for ever. New credentials get a new one before the old one goes."""
        if self._settings.nkey_seed_file is None:
            return
        while True:
            used = credentials.stamp(self._settings)
            client, ended = await self._connect()
            await self._use(client)
            # Closing may hang on a line that swallows everything; it is over when it has begun.
            while not ended.is_set() and not client.is_closed:
                await _at_most(LOOK_S, ended)
                if self._doubted and not await self._answers_pings(client):
                    break
                found = credentials.stamp(self._settings)
                if found != used and (opened := await self._attempt()):
                    used = found
                    client, ended = await self._replace(client, *opened)
            self._lose(client)

    async def _answers_pings(self, client: Client) -> bool:
        """A request was not answered: is it the other side that is slow, or has the line gone without a word?"""
        self._doubted = False
        patience_s = PUBLISH_S + self._in_flight / SLOWEST_BYTES_S
        try:
            await client.flush(timeout=patience_s)  # pyright: ignore[reportArgumentType]
            return True
        except (NatsError, OSError):
            self.outage = OUTAGES["no-answer"]
            await _closed(client)
            return False

    async def _connect(self) -> tuple[Client, asyncio.Event]:
        while True:
            if opened := await self._attempt():
                return opened
            await asyncio.sleep(PAUSE_S)

    async def _attempt(self) -> tuple[Client, asyncio.Event] | None:
        """Try the next server once; what fails is named in `outage`, unless we are connected already."""
        url = self._urls.pop(0)
        self._urls.append(url)
        validity = None
        heard: list[Exception] = []
        try:
            found = credentials.read(self._settings)
            validity = found.certificate
            opened = await self._open(url, found, heard)
        except (OSError, ValueError, NatsError, TimeoutError, asyncio.TimeoutError) as error:
            self._name(heard[-1] if heard and isinstance(error, NoServersError) else error, validity)
            return None
        self.certificate = validity
        return opened

    def _name(self, error: Exception, certificate: outages.Validity | None) -> None:
        outage = outages.why(error, certificate, clock.system())
        if not self.connected:
            self.outage = outage
        self._tell("bus-not-yet", f"{outage.code}: {error!r}"[:300])

    async def _open(
        self, url: str, found: Credentials, heard: list[Exception]
    ) -> tuple[Client, asyncio.Event]:
        client, ended = Client(), asyncio.Event()

        async def on_error(error: Exception) -> None:
            heard.append(error)
            if "permissions violation" in str(error).lower():
                # A misconfiguration, not a passing fault: publishing would only time out, silently.
                self.violations += 1
            if client.is_connected:
                self._tell("bus-error", str(error)[:300])
            else:
                self._name(error, found.certificate)

        async def on_closed() -> None:
            if client is self._client and not self.outage:
                reason = client.last_error or (heard[-1] if heard else ConnectionResetError())
                self.outage = outages.why(reason, self.certificate, clock.system())
            ended.set()

        try:
            await client.connect(
                url,
                name=self._node,
                nkeys_seed_str=found.seed,
                inbox_prefix=f"_INBOX_{self._node}".encode(),
                tls=found.context,
                # Without it a server in between could ask for a connection in the clear, and get it.
                tls_handshake_first=found.context is not None,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=PAUSE_S,  # pyright: ignore[reportArgumentType]
                connect_timeout=CONNECT_S,  # pyright: ignore[reportArgumentType]
                ping_interval=10,
                max_outstanding_pings=2,
                error_cb=on_error,
                closed_cb=on_closed,
                pending_size=16 * 2**20,
            )
        except BaseException:
            await _closed(client)
            raise
        return client, ended

    async def _use(self, client: Client) -> None:
        """Everything goes over this connection from now on."""
        try:
            answers = client.new_inbox()
            await client.subscribe(f"{answers}.*", cb=self._answered)
            for subject, queue in self._standing:
                await self._stand(client, subject, queue)
        except (NatsError, OSError):
            return  # it has ended again
        self._client, self._answers = client, answers
        self.connections += 1
        self.outage, self._said = None, ""
        self._ready.set()

    async def _replace(
        self, old: Client, client: Client, ended: asyncio.Event
    ) -> tuple[Client, asyncio.Event]:
        await self._use(client)
        self._log.info("bus-credentials-renewed")
        self._forget()
        await _closed(old)
        return client, ended

    def _lose(self, client: Client) -> None:
        if client is self._client:
            self._client = None
            self._ready.clear()
            self._tell("bus-lost", self.outage.code if self.outage else "")
            self._forget()

    def _forget(self) -> None:
        """What was in flight on the connection that goes will not be answered."""
        asked, self._asked = self._asked, {}
        for future in asked.values():
            if not future.done():
                future.set_exception(_away())

    def _tell(self, event: str, said: str) -> None:
        if said != self._said:  # while the server is away the same is reported again and again
            self._said = said
            self._log.warning(event, error=said)

    async def ready(self) -> None:
        await self._ready.wait()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def subscribe(self, subject: str, heard: Heard, *, queue: str = "") -> None:
        """Hear a subject on this connection and all that follow it.

        Shape: of processes with the same `queue` one hears each message.
        """
        known = (subject, queue) in self._standing
        self._standing[subject, queue] = heard
        if self.connected and not known:
            await self._stand(self.client, subject, queue)

    async def _stand(self, client: Client, subject: str, queue: str) -> None:
        async def hear(message: Msg) -> None:
            await self._standing[subject, queue](message)

        await client.subscribe(subject, queue=queue, cb=hear)

    async def publish(self, subject: str, payload: bytes, message_id: str) -> None:
        """Store a message in JetStream; returns when it is on the broker's disk.

        Calls are written in the order they were made, and wait while the line is full.
        Raises: Unavailable, or an error of NATS, when that is not certain.
        """
        size = len(payload)
        async with self._turn:
            while self._in_flight and self._in_flight + size > WINDOW_BYTES:
                self._freed.clear()
                await self._freed.wait()
            asked = await self._write(subject, payload, PUBLISH_S, {"Nats-Msg-Id": message_id})
        answer = await self._hear(asked)
        problem = json.loads(answer).get("error") if answer else "nobody stores it"
        if problem:
            raise Unavailable("bus-refused", zh="消息总线拒收", en=f"the bus refused a message: {problem}")

    async def ask(self, subject: str, payload: bytes, patience_s: float) -> bytes:
        """The answer to a request that waits for nothing but the line; empty when nobody listens.

        Raises: Unavailable, TimeoutError, or an error of NATS.
        """
        return await self._hear(await self._write(subject, payload, patience_s))

    async def _write(
        self, subject: str, payload: bytes, patience_s: float, headers: dict[str, str] | None = None
    ) -> Asked:
        client, token, size = self.client, str(next(self._tokens)), len(payload)
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        asked = Asked(token, size, patience_s + (self._in_flight + size) / SLOWEST_BYTES_S, answer)
        self._asked[token] = answer
        self._in_flight += size
        try:
            await client.publish(subject, payload, reply=f"{self._answers}.{token}", headers=headers)
        except BaseException:
            self._settled(asked)
            raise
        return asked

    async def _hear(self, asked: Asked) -> bytes:
        try:
            async with asyncio.timeout(asked.patience_s):
                return (await asked.answer).data
        except TimeoutError:
            self._doubted = True
            raise
        finally:
            self._settled(asked)

    def _settled(self, asked: Asked) -> None:
        self._asked.pop(asked.token, None)
        self._in_flight -= asked.size
        self._freed.set()

    async def _answered(self, message: Msg) -> None:
        future = self._asked.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(message)


def _away() -> Unavailable:
    return Unavailable("bus-away", zh="消息总线暂时不可用", en="the bus is away")


async def _closed(client: Client) -> None:
    """Say farewell, which a line that swallows everything may hold up for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await client.close()


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
