"""F10: what was acknowledged is on the disk, at the broker and in PostgreSQL; and this would show if it were not."""

import io
from contextlib import asynccontextmanager

import pytest
from localnet.network import NATS
from rich.console import Console

from tests.faults import disks, network, rounds
from tests.faults.rounds import Run

SEED = 20261129
SECONDS = 1.5

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not disks.available(), reason="needs root, a loop device and ext4"),
]


@asynccontextmanager
async def started():
    async with network.started(seed=SEED, disk=True) as running, Run(running, SEED) as run:
        yield run


def told(done):
    said = io.StringIO()
    rounds.explain(Console(file=said, width=200), done)
    return said.getvalue()


async def test_what_was_acknowledged_outlives_a_power_cut():
    async with started() as run:
        done = await run.round(["F10"], SECONDS)
        assert done.holds, f"seed {run.seed}:\n{told(done)}"
        assert done.acts["ok"] > 0


async def test_a_broker_that_does_not_sync_is_found_out():
    async with started() as run:
        run.running.misconfigure({"sync_interval: always": "sync_interval: 2m"})
        await run.running.restart(NATS)
        done = await run.round(["F10"], SECONDS)
        assert any(
            "had acknowledged" in sentence for broken in done.broken.values() for sentence in broken
        ), told(done)
