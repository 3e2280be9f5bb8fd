"""From a change at its window to the hub: 100 changes a second, at four windows.

The time runs from the window's answer to the change, until the hub's catalogue has that version or a later one.
"""

import asyncio
import time

import asyncpg

from bench import moving
from bench.moving import Editor
from bench.running import Running, network, say
from bench.synthetic import Region

WINDOWS = ("hohhot", "baotou", "chifeng", "ordos")
EACH, RATE, SECONDS = 200, 100.0, 30.0
LIMIT_MS = 1000.0
LOOK_S, GIVE_UP_S = 0.01, 60.0


class Watch:
    """When each version was seen at the hub."""

    def __init__(self, writers: list[Editor]) -> None:
        self._writers = writers
        self.waiting: dict[tuple[str, int], float] = {}
        self.times: list[float] = []

    async def look(self, hub: asyncpg.Connection) -> None:
        """Read the versions that are there, over and over."""
        while True:
            for writer in self._writers:
                self.waiting |= writer.written
                writer.written.clear()
            rows = await hub.fetch("SELECT id, version FROM catalogue_offerings")
            seen, held = time.perf_counter(), {str(row["id"]): row["version"] for row in rows}
            for (id, version), since in list(self.waiting.items()):
                if held.get(id, 0) >= version:
                    self.times.append((seen - since) * 1000)
                    del self.waiting[id, version]
            await asyncio.sleep(LOOK_S)


async def steady(running: Running) -> tuple[list[float], float]:
    """Milliseconds of each change, and changes a second."""
    await moving.fill(running, Region(), dict.fromkeys(WINDOWS, EACH))
    writers = [(await moving.editors(running, window, 1))[0] for window in WINDOWS]
    async with moving.database(running, "hub") as hub:
        watch = Watch(writers)
        looking = asyncio.create_task(watch.look(hub))
        until = time.perf_counter() + SECONDS
        await asyncio.gather(*(writer.write(rate=RATE / len(writers), until=until) for writer in writers))
        done = sum(writer.done for writer in writers)

        async def all_seen() -> bool:
            return len(watch.times) == done

        await moving.until(GIVE_UP_S, all_seen)
        looking.cancel()
    return sorted(watch.times), done / SECONDS


def main() -> None:
    with network() as running:
        running.up("--only", ",".join(("hub", *WINDOWS)))
        times, rate = asyncio.run(steady(running))
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    say(
        "sync_steady",
        p99,
        "ms",
        "limit of 1 s for the p99 from a change to the hub, at 100 changes/s",
        p99 / LIMIT_MS,
        changes_per_s=round(rate),
        p50_ms=round(p50),
    )
