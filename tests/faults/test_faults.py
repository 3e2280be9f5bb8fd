"""The short form of `make faults`: one seed, the main faults, several at once."""

import io

import pytest
from rich.console import Console

from tests.faults import rounds

SECONDS = 1.5
ROUNDS = (("F7", "F2"), ("F3", "F5"))
LONGER = (("F8", "F13", "F1"), ("F4", "F9"), ("F12",))


@pytest.mark.parametrize(
    "faults", [*ROUNDS, *(pytest.param(each, marks=pytest.mark.long) for each in LONGER)], ids="+".join
)
async def test_nothing_is_lost_and_nothing_comes_back(run, faults):
    done = await run.round(faults, SECONDS)
    said = io.StringIO()
    rounds.explain(Console(file=said, width=200), done)
    assert done.holds, f"seed {run.seed}, {done.name}:\n{said.getvalue()}"
    assert done.acts["ok"] > 0
    assert run.watch.looks > 0
