"""The harness is tried itself: each deliberate bug must show, and the same scene must hold without it."""

import pytest

from tests.faults import scenes

pytestmark = pytest.mark.long


@pytest.mark.parametrize("bug", scenes.TRIALS)
async def test_a_deliberate_bug_shows_and_only_the_bug(trial, bug):
    tried = scenes.TRIALS[bug]
    sound = await scenes.play(trial, tried, None)
    assert not any(sound.values()), f"{bug}: the scene does not hold without it: {sound}"
    broken = await scenes.play(trial, tried, bug)
    assert {name for name, several in broken.items() if several} >= tried.breaks, (
        f"{bug} is not seen: {broken}"
    )
