"""The fault suite: `python -m tests.faults --seed 7 --minutes 10 --only F1,F5`."""

import argparse
import asyncio
import secrets
import sys
import time
from random import Random

from localnet.network import load
from rich.console import Console

from tests import servers
from tests.faults import disks, network, rounds
from tests.faults.restores import FAULTS
from tests.faults.rounds import Round, Run

WIDTH = 140
POWER = "F10"
# They stop the servers that others want to act upon.
ALONE = frozenset({POWER, "F2", "F12", "F11w", "F11h", "F11b"})


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="the same seed draws the same acts and faults; default: a fresh one"
    )
    parser.add_argument(
        "--minutes", type=float, default=0, help="go on with further seeds until so long have passed"
    )
    parser.add_argument("--only", default="", help=f"of {','.join(FAULTS)}; F1+F8 at once")
    parser.add_argument(
        "--mix", type=int, default=0, help="so many at once, drawn from the seed, in rounds until each was"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="of each fault")
    parser.add_argument("--full", action="store_true", help="all nodes of deploy/topology.yaml")
    parser.add_argument("--offerings", type=int, default=0, help="at each platform from the start")
    return parser.parse_args()


def mixed(seed: int, at_once: int) -> list[tuple[str, ...]]:
    """Every fault that can go on beside others, in some order; what is restored or loses its disk goes alone."""
    together = [code for code in FAULTS if code not in ALONE]
    Random(f"mix-{seed}").shuffle(together)
    return [tuple(together[start : start + at_once]) for start in range(0, len(together), at_once)]


async def main() -> int:
    told = asked()
    console = Console()
    console.width = max(console.width, WIDTH)  # a pipe is as wide as the table
    seed = told.seed if told.seed is not None else secrets.randbelow(10**6)
    several = [tuple(codes.split("+")) for codes in told.only.split(",") if codes] or [
        (code,) for code in FAULTS if code != POWER or disks.available()
    ]
    power = any(POWER in codes for codes in several)
    if unknown := {code for codes in several for code in codes} - set(FAULTS):
        console.print(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
        return 2
    if not disks.available():
        console.print(f"{POWER} needs root, a loop device and ext4: it cannot be played here")
        if power:
            return 2
    nodes = [node.id for node in load(servers.TOPOLOGY).nodes] if told.full else network.NODES
    deadline = time.monotonic() + 60 * told.minutes
    held = True

    def say(one: Round) -> None:
        console.print(f"{one.name} {'holds' if one.holds else 'BROKEN'} after {one.quiet_after_s:.1f} s")
        rounds.explain(console, one)

    while True:
        if told.mix:
            several = mixed(seed, told.mix)
        console.print(f"seed {seed}: {' '.join('+'.join(codes) for codes in several)}")
        async with network.started(nodes, seed=seed, disk=power) as running, Run(running, seed) as run:
            if told.offerings:
                await run.fill(told.offerings)
            await rounds.play(run, several, told.seconds, say)
            console.print(rounds.table(run.rounds, f"seed {seed}"))
            held = held and all(one.holds for one in run.rounds)
        seed += 1
        if not held or time.monotonic() >= deadline:
            return 0 if held else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
