"""Two cables between a network namespace and this one: what is lost on them is lost in the kernel, without a word.

Needs root and iproute2; where these are missing, tests/toxics.py stands in for the cable.
"""

import contextlib
import os
import shutil
import subprocess
from functools import cache

# Where the broker is reached inside: the first cable stays whole, the second is the one that fails.
NEAR, FAR = "10.213.77", "10.213.78"


def run(*words):
    subprocess.run(words, check=True, capture_output=True, timeout=20)


def name():
    return f"hn{os.getpid() % 100_000}"


@cache
def available():
    """Whether a namespace with a cable to it can be made here."""
    if os.geteuid() != 0:
        return False
    try:
        with cabled():
            return True
    except (OSError, subprocess.SubprocessError):
        return False


class Cable:
    """The failing one, with the words of a toxic link."""

    def __init__(self, inside):
        self.inside = inside

    @property
    def inside_command(self):
        """What makes a command run inside."""
        return [shutil.which("ip") or "ip", "netns", "exec", self.inside]

    def _end(self, *words):
        run("ip", "netns", "exec", self.inside, "ip", "link", "set", "far", *words)

    def hang(self):
        self._end("down")

    def hear(self):
        self._end("up")

    def clear(self):
        self.hear()

    async def up(self):
        self.hear()


@contextlib.contextmanager
def cabled():
    """A namespace with both cables; answers the failing one."""
    inside = name()
    run("ip", "netns", "add", inside)
    try:
        for end, net in (("near", NEAR), ("far", FAR)):
            outside = f"{inside}{end[0]}"
            run("ip", "link", "add", outside, "type", "veth", "peer", "name", end, "netns", inside)
            run("ip", "addr", "add", f"{net}.1/24", "dev", outside)
            run("ip", "link", "set", outside, "up")
            run("ip", "netns", "exec", inside, "ip", "addr", "add", f"{net}.2/24", "dev", end)
            run("ip", "netns", "exec", inside, "ip", "link", "set", end, "up")
        run("ip", "netns", "exec", inside, "ip", "link", "set", "lo", "up")
        yield Cable(inside)
    finally:
        run("ip", "netns", "del", inside)  # the cables' other ends go with it
