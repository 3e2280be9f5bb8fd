"""Two small networks: one for the rounds of faults, one for the harness's own trial."""

import pytest

from tests.faults import network, scenes
from tests.faults.rounds import Run

SEED = 20261128


@pytest.fixture(scope="package")
async def run():
    async with network.started(seed=SEED) as running, Run(running, SEED) as run:
        yield run


@pytest.fixture(scope="package")
async def trial():
    """Without what mends a loss by and by, so that a bug shows at once."""
    async with (
        network.started(scenes.NODES, seed=SEED, plan=scenes.PLAIN) as running,
        Run(running, SEED) as run,
    ):
        yield run
