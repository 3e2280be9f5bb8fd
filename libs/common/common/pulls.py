"""A pull loop that neither waits for a full batch nor loses one.

nats-py's own `fetch(n)` waits out its timeout unless n messages come; this loop keeps one pull open
and hands over whatever has arrived.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout

from common import log
from common.bus import Bus
from common.errors import Unavailable
from common.messages import Raw, Verdict

BATCH = 100
# A message may carry some hundred envelopes: so much is held at once, whatever waits.
PULL_BYTES = 2 * 2**20
PULL_EXPIRES_S = 5
# A broker that reads its configuration anew forgets open pulls without a word.
PULL_FORGOTTEN_S = PULL_EXPIRES_S + 2
AGAIN_AFTER_S = 5.0
# Well below the consumers' ack wait.
WORKING_S = 2.0
# How a pull ends that ran its time without filling up, and one whose bytes are full.
EXPIRED = "408"
FULL = "Message Size Exceeds MaxBytes"
COMPLETED = "Batch Completed"

_log = log.get("bus")


async def pull(
    bus: Bus, stream: str, consumer: str, deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]
) -> None:
    """Consume for ever: batches in order, each acknowledged only after it was handled."""
    while True:
        await bus.ready()
        try:
            await _pull(bus, stream, consumer, deliver)
        except (NatsError, Unavailable, OSError) as error:
            _log.info("pull-interrupted", stream=stream, error=str(error)[:200])
            await asyncio.sleep(0.5)


async def _pull(
    bus: Bus, stream: str, consumer: str, deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]
) -> None:
    client, loop = bus.client, asyncio.get_running_loop()
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    request = json.dumps(
        {"batch": BATCH, "max_bytes": PULL_BYTES, "expires": PULL_EXPIRES_S * 10**9}
    ).encode()
    try:
        while True:
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", request, reply=inbox)
            received, heard_at = 0, loop.time()
            while received < BATCH and loop.time() < heard_at + PULL_FORGOTTEN_S:
                try:
                    first = await subscription.next_msg(timeout=1)
                except NatsTimeout:
                    continue
                batch, heard_at = [first], loop.time()
                while subscription.pending_msgs and len(batch) < BATCH:
                    batch.append(await subscription.next_msg(timeout=1))
                data = [m for m in batch if "Status" not in (m.headers or {})]
                received += len(data)
                if data:
                    await _settle(data, deliver)
                told = [m.headers for m in batch if m.headers and "Status" in m.headers]
                # A pull that was filled says so when the next one is already open.
                ended = [headers for headers in told if headers.get("Description") != COMPLETED]
                if ended:
                    if not any(map(_ran_out, ended)):
                        # The consumer is gone or refuses: provisioning mends it; do not spin meanwhile.
                        why = {"status": ended[-1]["Status"], "why": ended[-1].get("Description")}
                        _log.warning("pull-refused", stream=stream, **why)
                        await asyncio.sleep(1)
                    break
    finally:
        if client.is_connected:
            await subscription.unsubscribe()


async def _settle(batch: Sequence[Msg], deliver: Callable[[Sequence[Msg]], Awaitable[list[Verdict]]]) -> None:
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
