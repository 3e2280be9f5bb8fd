"""A file in chunks of finished rows; in processes beside the hub's where it is large.

`python -m hub.snapshots.reading FILE FORMAT NODE EPOCH PART PARTS` writes those chunks of a file whose turn is
`PART`, each as its length and its pickle. Only the hub's own processes speak so with each other.
"""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from hub.changes import lines
from hub.changes.lines import Item, Read, Rejected
from hub.snapshots import files
from hub.uploads.domain import Broken, Format

CHUNK = 1000
# Below this the start of a process costs more than it saves.
LARGE_BYTES = 4 * 1024 * 1024
# Reading is what takes longest; the database needs the rest of a small machine.
PARTS = 2
LENGTH = 8


def chunks(
    file: BinaryIO, form: Format, node: str, epoch: int, part: int = 0, parts: int = 1
) -> Iterator[list[Item]]:
    """The rows of a file, finished as far as they are by themselves: every `parts`-th chunk of them.

    Raises: Broken.
    """

    def mine(place: int) -> bool:
        return place // CHUNK % parts == part

    chunk: list[Item] = []
    place = -1
    for place, read in enumerate(files.read(file, form, node, mine)):
        if read is not None:
            chunk.append(_finished(read, epoch))
        if (place + 1) % CHUNK == 0 and mine(place):
            yield chunk
            chunk = []
    if (place + 1) % CHUNK and mine(place):
        yield chunk


def _finished(read: Read | Rejected, epoch: int) -> Item:
    if isinstance(read, Rejected) or read.needs_held:
        return read
    return lines.completed(read, None, epoch)


def main(path: str, form: str, node: str, epoch: str, part: str, parts: str) -> None:
    out = sys.stdout.buffer
    try:
        with Path(path).open("rb") as file:
            for chunk in chunks(file, cast(Format, form), node, int(epoch), int(part), int(parts)):
                _write(out, chunk)
    except Broken as error:
        _write(out, (error.code, error.zh, error.en, error.field))
    out.flush()


def _write(out: BinaryIO, value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    out.write(len(data).to_bytes(LENGTH))
    out.write(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
