"""How a platform and a holder of its records find out what differs (目录比对). Never passed on to a third.

The owner says what it has (`taken`), is asked about the buckets that differ (`questioned`), lists them
(`listed`), and is asked to say some records again (`wanted`). All facts of one exchange share its id; the
version is the step. What a bucket and a mark are, `common.digests` says.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts.envelope import Contract, Fact, State
from common.digests import Noun
from common.fields import Count, NodeId, Version

BucketNumber = Annotated[int, Field(ge=0, le=255)]
# Hexadecimal: count (8 digits), xor (16), sum (16); empty for no record.
BucketText = Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")]
# The first 16 digits of a content hash.
ShortHash = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
ROWS = 2000


class Exchange(State):
    """What all steps share.

    Shape: `owner` is whose records are compared; `round` is 2 for the look after a repair; `repair` says
    that somebody ordered it, so that also what is not mended by itself is asked for.
    """

    owner: NodeId
    round: Annotated[int, Field(ge=1, le=9)] = 1
    repair: bool = False


class DigestRequested(Exchange, Fact):
    """The owner is asked for a digest now."""

    type = "digest.requested.v1"


class DigestTaken(Exchange, Fact):
    """What the owner has, in 256 buckets. `restored`: all of it was said again before this, in that epoch."""

    buckets: Annotated[tuple[BucketText, ...], Field(min_length=256, max_length=256)]
    restored: Version | None = None
    type = "digest.taken.v1"


class DigestQuestioned(Exchange, Fact):
    """The buckets that differ."""

    buckets: Annotated[tuple[BucketNumber, ...], Field(min_length=1, max_length=256)]
    type = "digest.questioned.v1"


class DigestListed(Exchange, Fact):
    """Every record of a bucket with `after` < id <= `upto`; None has no bound. `rest` parts follow."""

    bucket: BucketNumber
    after: UUID | None = None
    upto: UUID | None = None
    rows: Annotated[tuple[tuple[Noun, UUID, Version, Version, ShortHash], ...], Field(max_length=ROWS)]
    rest: Count
    type = "digest.listed.v1"


class Wanted(Contract):
    """A record to be said again, or disowned. `above` is the (epoch, version) it must exceed to count."""

    noun: Noun
    id: UUID
    above: tuple[int, int] | None = None


class DigestWanted(Exchange, Fact):
    """Records the owner is to say again; after the last of them it takes its digest once more."""

    records: Annotated[tuple[Wanted, ...], Field(max_length=ROWS)]
    last: bool
    type = "digest.wanted.v1"


class DigestDisowned(Exchange, Fact):
    """Records the owner does not have: whoever holds them ends them."""

    records: Annotated[tuple[tuple[Noun, UUID], ...], Field(max_length=ROWS)]
    type = "digest.disowned.v1"


class DigestCompared(Exchange, Fact):
    """What a holder found, told to the hub. All zero: it holds what the owner has."""

    missing: Count
    stale: Count
    extra: Count
    content: Count
    ahead: Count
    type = "digest.compared.v1"
