"""Many envelopes in one message of the bus: a line each, in the order of the feed.

What a message costs is mostly the broker's write to the disk and a turn of each side. A single envelope
stays a message as it is, so a platform of another make may leave batches alone when it speaks.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from common.messages import Raw, Verdict

# The last two words of the subject, where a single message has its type.
TYPE = "batch.v1"
# Below the bus's limit, with room for headers; a larger single envelope goes alone.
MAX_BYTES = 240_000
# More lines than fit, were each an envelope: such a message is parked as one.
MAX_LINES = 1_000
# Envelopes in one transaction.
AT_ONCE = 500
# As the outbox writes them. Another platform's line is known by its place in its message.
_OWN = re.compile(rb'\{"specversion":"1\.0","id":"([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Owed:
    """One envelope as it goes on the wire, and its row in the outbox."""

    row: int
    message_id: str
    type: str
    data: bytes


@dataclass(frozen=True)
class Parcel:
    """One message of the bus. The same envelopes make the same id, so that the broker knows it again."""

    type: str
    id: str
    data: bytes
    rows: tuple[int, ...]


def parcels(owed: Iterable[Owed]) -> Iterator[Parcel]:
    """Envelopes of one feed in as few messages as hold them, in order."""
    together: list[Owed] = []
    size = 0
    for one in owed:
        if together and (size + len(one.data) >= MAX_BYTES or len(together) == MAX_LINES):
            yield _parcel(together)
            together, size = [], 0
        together.append(one)
        size += len(one.data) + 1
    if together:
        yield _parcel(together)


def _parcel(together: Sequence[Owed]) -> Parcel:
    first, rows = together[0], tuple(one.row for one in together)
    if len(together) == 1:
        return Parcel(first.type, first.message_id, first.data, rows)
    id = hashlib.sha256("".join(one.message_id for one in together).encode()).hexdigest()
    return Parcel(TYPE, id, b"\n".join(one.data for one in together), rows)


def opened(subject: str, raw: Raw) -> list[Raw]:
    """The single messages inside one of the bus; each is handled, and if need be parked, for itself."""
    if not subject.endswith(f".{TYPE}"):
        return [raw]
    lines = [line for line in raw.data.split(b"\n") if line]
    if not 0 < len(lines) <= MAX_LINES:
        return [raw]  # no envelope, and parked as that
    return [replace(raw, data=line, key=_key(raw, n, line)) for n, line in enumerate(lines)]


def _key(raw: Raw, number: int, line: bytes) -> str:
    own = _OWN.match(line)
    return own[1].decode() if own else f"{raw.key}.{number}"


def portions(messages: Sequence[list[Raw]]) -> Iterator[list[list[Raw]]]:
    """Messages of the bus in parts of a size for one transaction."""
    together: list[list[Raw]] = []
    count = 0
    for inside in messages:
        if together and count + len(inside) > AT_ONCE:
            yield together
            together, count = [], 0
        together.append(inside)
        count += len(inside)
    if together:
        yield together


def verdict(each: Sequence[Verdict]) -> Verdict:
    """What becomes of a message when this became of what was in it."""
    if Verdict.AGAIN in each:
        return Verdict.AGAIN  # whatever was done is known, and is not done again
    return Verdict.PARKED if set(each) == {Verdict.PARKED} else Verdict.DONE
