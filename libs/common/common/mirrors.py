"""A table of copies seen from memory: which rows changed since one last looked, in any order of commits.

A row carries the transaction that wrote it last (`changed_xid`). All transactions below a snapshot's
oldest open one are settled and visible; rows of later ones may come or vanish and are looked at again.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import UUID as UUIDColumn
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

STREAMED = 1000
# So many rows are taken over before others get a turn.
TURN = 200
T = TypeVar("T")
# The transaction that writes: a value for `changed_xid`.
XID = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
# The same for a statement written out: see `copies.apply_all`.
MIRRORED = MappingProxyType({"changed_xid": "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"})
Key: TypeAlias = tuple[str, UUID]


class MirroredColumns:
    """What a table of copies adds to be mirrored. Its index begins with `changed_xid`."""

    changed_xid: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which writing of a row this is: a transaction may write several versions of it."""

    xid: int
    epoch: int
    version: int


@dataclass
class Look:
    """What differs from what was held. `kept` tells the mirror what one took over of it."""

    changed: dict[Key, Stamp]
    gone: set[Key]
    _mirror: "Mirror"
    _horizon: int
    _unsettled: set[Key]
    _taken: set[Key] = field(default_factory=set)

    def took(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._mirror.stamps[key] = self.changed[key]
            self._taken.add(key)

    def done(self) -> None:
        """A row that was not taken over, and one whose transaction is open, is looked at again."""
        for key in self.gone:
            self._mirror.stamps.pop(key, None)
        self._mirror.unsettled = self._unsettled | (self.changed.keys() - self._taken)
        self._mirror.horizon = self._horizon


class Mirror:
    """What is held of a table.

    Shape: `shown` is the condition for a row to be held at all.
    """

    def __init__(self, table: Any, shown: ColumnElement[bool]) -> None:
        self._table, self._shown = table, shown
        self.stamps: dict[Key, Stamp] = {}
        self.unsettled: set[Key] = set()
        self.horizon = 0

    async def look(self, tx: AsyncSession) -> Look:
        """What this transaction sees that is not held."""
        horizon = await _horizon(tx)
        if horizon < self.horizon:
            # The database was replaced by an older one: nothing remembered of it holds.
            self.horizon, self.unsettled = 0, set(self.stamps)
        changed: dict[Key, Stamp] = {}
        gone = set(self.unsettled)
        unsettled: set[Key] = set()
        async for key, stamp, shown in self._written(tx):
            if stamp.xid >= horizon:
                unsettled.add(key)
            if not shown:
                gone.add(key)
                continue
            gone.discard(key)
            if self.stamps.get(key) != stamp:
                changed[key] = stamp
        return Look(changed, gone & self.stamps.keys(), self, horizon, unsettled)

    async def _written(self, tx: AsyncSession) -> AsyncIterator[tuple[Key, Stamp, bool]]:
        table = self._table
        chosen: Any = table.changed_xid >= self.horizon
        if self.unsettled:
            chosen = or_(chosen, among((table.owner, table.id), self.unsettled))
        columns = select(
            table.owner, table.id, table.changed_xid, table.epoch, table.version, self._shown.label("shown")
        )
        rows = await tx.stream(columns.where(chosen).execution_options(yield_per=STREAMED))
        async for owner, id, xid, epoch, version, shown in rows:
            yield (owner, id), Stamp(xid, epoch, version), shown


def turns(keys: Iterable[T]) -> Iterator[list[T]]:
    """The keys in parts of a size that is soon done."""
    listed = list(keys)
    return (listed[at : at + TURN] for at in range(0, len(listed), TURN))


def among(columns: tuple[Any, Any], keys: Collection[Key]) -> ColumnElement[bool]:
    """Whether a name and an id are among the keys: two arrays, for any number of them."""
    names = literal([name for name, _ in keys], ARRAY(Text))
    uuids = literal([id for _, id in keys], ARRAY(UUIDColumn(as_uuid=True)))
    given = func.unnest(names, uuids).table_valued("name", "id").render_derived()
    return tuple_(*columns).in_(select(given.c.name, given.c.id))


async def _horizon(tx: AsyncSession) -> int:
    """The oldest transaction still open: all rows of older ones are settled, and visible from now on."""
    statement = select(cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger))
    return (await tx.execute(statement)).scalar_one()
