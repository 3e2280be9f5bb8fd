"""A disk that can fail: what was written and not brought to it is gone then.

Needs root, a loop device and ext4.
"""

import contextlib
import fcntl
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# linux/ext4.h: EXT4_IOC_SHUTDOWN, and not even the journal in memory is written.
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, struct.pack("I", 2)
DISK_BYTES = 4 * 2**30  # a hole until it is written


@dataclass(frozen=True)
class Disk:
    """An ext4 file system in a file, and where it is mounted."""

    image: Path
    place: Path

    def make(self) -> None:
        with self.image.open("wb") as hole:
            hole.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", "-m", "0", "-E", "root_owner=0:0", str(self.image))
        self.place.mkdir()
        self.mount()

    def mount(self) -> None:
        run("mount", "-o", "loop", str(self.image), str(self.place))

    def unmount(self) -> None:
        run("umount", str(self.place))

    def fail(self) -> None:
        """From now on nothing more of what was written comes to the disk."""
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(folder)


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    """A disk for the data of the servers of a network in this folder, which is still empty."""
    made = Disk(folder / "disk.img", folder / "disk")
    made.make()
    try:
        (folder / "nats").mkdir()
        for name, where in (("postgres", folder), ("store", folder / "nats")):
            (made.place / name).mkdir()
            (where / name).symlink_to(made.place / name)
        yield made
    finally:
        run("umount", "--lazy", str(made.place))  # whoever still has a file open there has lost it


@cache
def available() -> bool:
    """Whether a disk can be made and fail here: that takes root, a loop device and ext4."""
    with tempfile.TemporaryDirectory(prefix="hubnet-test-") as made:
        tried = Disk(Path(made) / "disk.img", Path(made) / "disk")
        try:
            tried.make()
        except (OSError, subprocess.SubprocessError):
            return False
        try:
            tried.fail()
            return True
        except OSError:
            return False
        finally:
            tried.unmount()
