"""Whether two databases hold the same records, found out with few bytes.

A record counts while it is alive. Its mark is the first 8 bytes of SHA-256 of
`noun:id:epoch:version:content_hash`, big-endian; its bucket the last byte of its id, which is random in
every kind of UUID (a time-ordered one begins with the time). A bucket has the count, the xor and the sum
(modulo 2^64) of its marks. The database computes the same: see `BUCKETS`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

SIZE = 256
SHORT = 16
_WORD = 2**64

Noun = Literal["provider", "offering"]
Key = tuple[Noun, UUID]
NOUNS: tuple[Noun, ...] = ("provider", "offering")
Kind = Literal["missing", "stale", "extra", "content", "ahead"]
KINDS: tuple[Kind, ...] = ("missing", "stale", "extra", "content", "ahead")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as a digest sees it. `content` is its content hash, or the first 16 digits of it."""

    noun: Noun
    id: UUID
    epoch: int
    version: int
    content: str

    @property
    def key(self) -> Key:
        return self.noun, self.id

    @property
    def age(self) -> tuple[int, int]:
        return self.epoch, self.version


def bucket(id: UUID) -> int:
    return id.bytes[-1]


def mark(record: Record) -> int:
    text = f"{record.noun}:{record.id}:{record.epoch}:{record.version}:{record.content}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


@dataclass(frozen=True, slots=True)
class Bucket:
    """Count, xor and sum of the marks."""

    count: int = 0
    xor: int = 0
    sum: int = 0

    @property
    def text(self) -> str:
        return f"{self.count:08x}{self.xor:016x}{self.sum:016x}" if self.count else ""

    @classmethod
    def parse(cls, text: str) -> "Bucket":
        return cls(int(text[:8], 16), int(text[8:24], 16), int(text[24:], 16)) if text else EMPTY


EMPTY = Bucket()


@dataclass(frozen=True, slots=True)
class Digest:
    """All buckets, in order."""

    buckets: tuple[Bucket, ...]

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Digest":
        marks: dict[int, list[int]] = {}
        for record in records:
            marks.setdefault(bucket(record.id), []).append(mark(record))
        found: dict[int, Bucket] = {}
        for number, those in marks.items():
            xor = 0
            for one in those:
                xor ^= one
            found[number] = Bucket(len(those), xor, sum(those) % _WORD)
        return cls.filled(found)

    @classmethod
    def filled(cls, found: Mapping[int, Bucket]) -> "Digest":
        return cls(tuple(found.get(number, EMPTY) for number in range(SIZE)))

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Digest":
        return cls(tuple(map(Bucket.parse, texts)))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(one.text for one in self.buckets)

    @property
    def count(self) -> int:
        return sum(one.count for one in self.buckets)

    @property
    def hex(self) -> str:
        """SHA-256 over every bucket's count, xor and sum, 8 bytes each."""
        whole = hashlib.sha256()
        for one in self.buckets:
            for number in (one.count, one.xor, one.sum):
                whole.update(number.to_bytes(8))
        return whole.hexdigest()

    def differing(self, other: "Digest") -> tuple[int, ...]:
        pairs = enumerate(zip(self.buckets, other.buckets, strict=True))
        return tuple(number for number, (mine, theirs) in pairs if mine != theirs)


@dataclass(frozen=True, slots=True)
class Difference:
    """What is wrong with a record held here: `theirs` is the owner's, `held` what there is of it here."""

    kind: Kind
    theirs: Record | None
    held: Record | None

    @property
    def key(self) -> Key:
        record = self.theirs or self.held
        assert record is not None
        return record.key


def compare(
    theirs: Iterable[Record], held: Iterable[Record], ended: Mapping[Key, Record] | None = None
) -> list[Difference]:
    """What to mend so that `held` becomes the owner's `theirs`; `ended` are the tombstones held here."""
    ended = ended or {}
    mine = {record.key: record for record in held}
    found: list[Difference] = []
    for record in theirs:
        one = mine.pop(record.key, None)
        buried = ended.get(record.key)
        if one is None and buried is not None and buried.age >= record.age:
            found.append(Difference("ahead", record, buried))
        elif one is None:
            found.append(Difference("missing", record, buried))
        elif record.age > one.age:
            found.append(Difference("stale", record, one))
        elif record.age < one.age:
            found.append(Difference("ahead", record, one))
        elif record.content[:SHORT] != one.content[:SHORT]:
            found.append(Difference("content", record, one))
    found += [Difference("extra", None, record) for record in mine.values()]
    return found


def buckets_of(relation: str) -> str:
    """SQL for the buckets of a relation with the columns noun, id, epoch, version, content_hash."""
    text = "convert_to(noun || ':' || id || ':' || epoch || ':' || version || ':' || content_hash, 'UTF8')"
    return (
        "SELECT bucket, count(*) AS count, bit_xor(mark) AS xor, sum(mark) AS sum FROM ("
        f"SELECT get_byte(uuid_send(id), 15) AS bucket, substr(sha256({text}), 1, 8)::bigint AS mark"
        f" FROM ({relation}) records) marks GROUP BY bucket"
    )


def read(rows: Iterable[tuple[int, int, int, int]]) -> Digest:
    """The digest from what that SQL answers: signed numbers, as the database has them."""
    return Digest.filled(
        {number: Bucket(count, xor % _WORD, int(total) % _WORD) for number, count, xor, total in rows}
    )
