"""The bus is down while 3,000 changes are made; it returns, and changes go on. How long until all have arrived?

Drained: the hub has applied every feed up to where it stood when the bus returned. Converged: after the last
write, the hub's copies are the union of what the windows have.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bench import moving
from bench.moving import COPIES, OWN, Editor
from bench.running import Running, network, say
from bench.synthetic import Region

WINDOWS = ("hohhot", "baotou", "chifeng", "ordos")
EACH, CHANGES = 200, 3_000
RATE, SECONDS = 50.0, 10.0
LIMIT_S, CONVERGED_S = 5.0, 10.0
GIVE_UP_S = 120.0


@dataclass
class Result:
    """Seconds since the bus returned, and since the last write."""

    drained: float
    converged: float
    meanwhile: int


async def outage(running: Running) -> Result:
    await moving.fill(running, Region(), dict.fromkeys(WINDOWS, EACH))
    writers = [(await moving.editors(running, window, 1))[0] for window in WINDOWS]
    await moving.until(GIVE_UP_S, lambda: _same(running))
    await asyncio.to_thread(running.command, "stop", "nats")
    share = CHANGES // len(writers)
    await asyncio.gather(*(writer.write(changes=share) for writer in writers))
    if sum(writer.done for writer in writers) != CHANGES:
        raise RuntimeError("not all changes were made")
    await asyncio.to_thread(running.command, "start", "nats")
    returned = time.perf_counter()
    positions = {window: await _position(running, window) for window in WINDOWS}
    going_on = [asyncio.create_task(_go_on(writer, returned)) for writer in writers]
    await moving.until(GIVE_UP_S, lambda: _reached(running, positions), pause=0.02)
    drained = time.perf_counter() - returned
    await asyncio.gather(*going_on)
    last = time.perf_counter()
    await moving.until(GIVE_UP_S, lambda: _same(running))
    return Result(drained, time.perf_counter() - last, sum(writer.done for writer in writers) - CHANGES)


async def _go_on(writer: Editor, since: float) -> None:
    await writer.write(rate=RATE / len(WINDOWS), until=since + SECONDS)


async def _position(running: Running, window: str) -> Any:
    """How many facts the window has told or owes."""
    async with moving.database(running, window) as connection:
        return await connection.fetchval(
            "SELECT coalesce((SELECT last_seq FROM feeds_out WHERE feed = 'hub'), 0)"
            " + (SELECT count(*) FROM outbox WHERE feed = 'hub' AND feed_seq IS NULL)"
        )


async def _reached(running: Running, positions: dict[str, int]) -> bool:
    async with moving.database(running, "hub") as connection:
        rows = await connection.fetch("SELECT source, applied_seq FROM feeds_in")
    applied = {row["source"]: row["applied_seq"] for row in rows}
    return all(applied.get(window, 0) >= position for window, position in positions.items())


async def _same(running: Running) -> bool:
    """Whether the hub's copies are what the windows have."""
    async with moving.database(running, "hub") as hub:
        for window in WINDOWS:
            async with moving.database(running, window) as own:
                if await moving.states(own, OWN, window) != await moving.states(hub, COPIES["hub"], window):
                    return False
    return True


def main() -> None:
    with network() as running:
        running.up("--only", ",".join(("hub", "matchmaking", *WINDOWS)))
        result = asyncio.run(outage(running))
    say(
        "backlog",
        result.drained,
        "s",
        f"limit of {LIMIT_S:.0f} s to drain {CHANGES} changes under {RATE:.0f} more a second",
        result.drained / LIMIT_S,
        converged_s=round(result.converged, 2),
        converged_limit_s=CONVERGED_S,
        meanwhile=result.meanwhile,
    )
