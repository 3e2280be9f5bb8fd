"""The connection to NATS, and a pull loop that neither waits for a full batch nor loses one.

nats-py's own `fetch(n)` waits out its timeout unless n messages come; this loop keeps one pull open
and hands over whatever has arrived.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout

from common import log
from common.errors import Unavailable
from common.messages import Raw, Verdict
from common.settings import Settings

BATCH = 100
# A message may carry some hundred envelopes: so much is held at once, whatever waits.
PULL_BYTES = 2 * 2**20
PULL_EXPIRES_S = 20
AGAIN_AFTER_S = 5.0
# Well below the consumers' ack wait.
WORKING_S = 2.0
# How a pull ends that ran its time without filling up, and one whose bytes are full.
EXPIRED = "408"
FULL = "Message Size Exceeds MaxBytes"


def tls(settings: Settings) -> ssl.SSLContext | None:
    """How this node proves itself to the broker, and the broker to it; None without certificates."""
    if settings.nats_ca_file is None:
        return None
    context = ssl.create_default_context(cafile=str(settings.nats_ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if settings.nats_cert_file and settings.nats_key_file:
        context.load_cert_chain(settings.nats_cert_file, settings.nats_key_file)
    return context


class Bus:
    """One connection of one node, reconnecting for ever."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._node = settings.node
        self.violations = 0
        self._said = ""
        self._client: Client | None = None
        self._ready = asyncio.Event()
        self._log = log.get("bus")

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """Raises: Unavailable while there is no connection."""
        if not self.connected or self._client is None:
            raise Unavailable("bus-away", zh="消息总线暂时不可用", en="the bus is away")
        return self._client

    async def _on_error(self, error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            # A misconfiguration, not a passing fault: publishing would only time out, silently.
            self.violations += 1
        said = str(error)[:300]
        if said != self._said:  # while the server is away the same is reported four times a second
            self._said = said
            self._log.warning("bus-error", error=said)

    async def connect(self) -> None:
        """Keep trying until the first connection stands; later ones are the client's own work."""
        seed = self._settings.nkey_seed_file
        if seed is None:
            return
        while True:
            try:
                self._client = await nats.connect(
                    self._settings.nats_url,
                    name=self._node,
                    nkeys_seed_str=seed.read_text().strip(),
                    inbox_prefix=f"_INBOX_{self._node}".encode(),
                    tls=tls(self._settings),
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.25,
                    connect_timeout=2,
                    ping_interval=10,
                    max_outstanding_pings=2,
                    error_cb=self._on_error,
                    pending_size=16 * 2**20,
                )
                self._ready.set()
                return
            except (OSError, NatsError, TimeoutError, asyncio.TimeoutError) as error:
                self._log.info("bus-not-yet", error=str(error)[:200])
                await asyncio.sleep(0.5)

    async def ready(self) -> None:
        await self._ready.wait()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def publish(self, subject: str, payload: bytes, message_id: str) -> None:
        """Store a message in JetStream; returns when it is on the broker's disk.

        Raises: Unavailable, or an error of NATS, when that is not certain.
        """
        # A request and not `publish_async`: its pending futures outlive a broken connection.
        answer = await self.client.request(subject, payload, timeout=3, headers={"Nats-Msg-Id": message_id})
        problem = json.loads(answer.data).get("error")
        if problem:
            raise Unavailable("bus-refused", zh="消息总线拒收", en=f"the bus refused a message: {problem}")

    async def pull(
        self, stream: str, consumer: str, deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]
    ) -> None:
        """Consume for ever: batches in order, each acknowledged only after it was handled."""
        await self.ready()
        while True:
            try:
                await self._pull(stream, consumer, deliver)
            except (NatsError, Unavailable, OSError) as error:
                self._log.info("pull-interrupted", stream=stream, error=str(error)[:200])
                await asyncio.sleep(0.5)

    async def _pull(
        self, stream: str, consumer: str, deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]
    ) -> None:
        client = self.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        request = json.dumps(
            {"batch": BATCH, "max_bytes": PULL_BYTES, "expires": PULL_EXPIRES_S * 10**9}
        ).encode()
        reconnects = client.stats["reconnects"]
        try:
            while True:
                await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", request, reply=inbox)
                await client.flush()
                received = 0
                while received < BATCH:
                    try:
                        first = await subscription.next_msg(timeout=1)
                    except NatsTimeout:
                        if client.stats["reconnects"] != reconnects:
                            reconnects = client.stats["reconnects"]
                            break  # the server forgot our pull when the connection broke
                        continue
                    batch = [first]
                    while subscription.pending_msgs and len(batch) < BATCH:
                        batch.append(await subscription.next_msg(timeout=1))
                    data = [m for m in batch if "Status" not in (m.headers or {})]
                    received += len(data)
                    if data:
                        await self._settle(data, deliver)
                    ended = [m.headers for m in batch if m.headers and "Status" in m.headers]
                    if ended:
                        if not any(map(_ran_out, ended)):
                            # The consumer is gone or refuses: provisioning mends it; do not spin meanwhile.
                            self._log.warning("pull-refused", stream=stream, status=ended[-1]["Status"])
                            await asyncio.sleep(1)
                        break
        finally:
            if client.is_connected:
                await subscription.unsubscribe()

    async def _settle(
        self, batch: Sequence[Msg], deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]
    ) -> None:
        verdicts: list[Verdict] | None = None
        pause = 0.2
        working = asyncio.create_task(_still_working(batch))
        try:
            while verdicts is None:
                try:
                    verdicts = await deliver(batch)
                except Unavailable:
                    # Hold what we have and fetch nothing more until the database is back. A redelivery
                    # meanwhile is harmless: the inbox knows.
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
        finally:
            working.cancel()
        for message, verdict in zip(batch, verdicts, strict=True):
            if verdict is Verdict.DONE:
                await message.ack()
            elif verdict is Verdict.PARKED:
                await message.term()
            else:
                # A plain nak comes back at once and ignores the consumer's backoff.
                await message.nak(delay=AGAIN_AFTER_S)


def _ran_out(headers: dict[str, str]) -> bool:
    """Whether a pull ended because its time or its bytes were used up."""
    return headers["Status"] == EXPIRED or headers.get("Description") == FULL


async def _still_working(batch: Sequence[Msg]) -> None:
    """Tell the broker so, else it delivers a long batch again while it is at work."""
    while True:
        await asyncio.sleep(WORKING_S)
        for message in batch:
            with contextlib.suppress(NatsError, OSError):
                await message.in_progress()


def raw(message: Msg, sender: str, *, trusted: bool) -> Raw:
    """A bus message as the inbox takes it; its key is its place in the stream when it has no id."""
    key = (message.headers or {}).get("Nats-Msg-Id")
    if key is None:
        metadata = message.metadata
        key = f"{metadata.stream}:{metadata.sequence.stream}"
    return Raw(message.data, sender, key, trusted)
