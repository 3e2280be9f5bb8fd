"""What others own, as far as we have heard. `(epoch, version)` decides; deletions are rows."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import ARRAY, TextClause, any_, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as UUIDColumn
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from common import db
from common.contracts.envelope import Envelope
from common.mirrors import among

Key: TypeAlias = tuple[str, UUID]
Version: TypeAlias = tuple[int, int]
_KEY = ("owner", "id")
_KEPT = (*_KEY, "epoch", "version", "body")
_NOTHING: Version = (-1, -1)


class CopyColumns:
    """Columns of a copy. A table of copies adds what it searches by."""

    owner: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    version: Mapped[int]
    deleted: Mapped[bool] = mapped_column(default=False)
    content_hash: Mapped[str]
    forked: Mapped[bool] = mapped_column(default=False)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Outcome(StrEnum):
    """What became of an incoming state."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    FORK = "fork"


def content_hash(body: dict[str, Any]) -> str:
    """Equal for equal content, whatever the order of keys."""
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class State:
    """An owner's state as it came.

    Shape: `searched` are the table's own columns, the same ones for all states of a table; bytes are given
    as the text that PostgreSQL reads, a backslash, an x and hex digits.
    """

    envelope: Envelope
    deleted: bool = False
    searched: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.envelope.source, self.envelope.subject

    @property
    def at(self) -> Version:
        return self.envelope.entityepoch, self.envelope.entityversion


@dataclass
class _Held:
    """What is known of a copy while states are laid upon it."""

    at: Version
    hash: str

    def judge(self, state: State, hash_: str) -> Outcome:
        if state.at > self.at:
            self.at, self.hash = state.at, hash_
            return Outcome.APPLIED
        if state.at < self.at:
            return Outcome.STALE
        return Outcome.UNCHANGED if hash_ == self.hash else Outcome.FORK


async def apply(
    tx: AsyncSession, table: Any, envelope: Envelope, *, deleted: bool = False, **searched: Any
) -> Outcome:
    """Follow an owner's state if it is newer than what we hold: `apply_all` of one."""
    (outcome,) = await apply_all(tx, table, [State(envelope, deleted, searched)])
    return outcome


async def apply_all(
    tx: AsyncSession,
    table: Any,
    states: Sequence[State],
    computed: Mapping[str, str] = MappingProxyType({}),
    kept_in: Any = None,
) -> list[Outcome]:
    """Follow owners' states that are newer than what we hold; what became of each, as if one by one.

    An equal version with other content is a fork: what we hold stays, and the row is flagged.
    Shape: `computed` are columns that the database fills by an expression, for every row that is written;
    `kept_in` is a table that keeps each version which was ever the newest: owner, id, epoch, version, body.
    """
    if not states:
        return []
    held = await _held(tx, table, {state.key for state in states})
    outcomes: list[Outcome] = []
    last: dict[Key, dict[str, Any]] = {}
    passed: list[dict[str, Any]] = []
    forked: dict[Key, Version] = {}
    for state in states:
        hash_ = content_hash(state.envelope.data)
        outcome = held.setdefault(state.key, _Held(_NOTHING, "")).judge(state, hash_)
        outcomes.append(outcome)
        if outcome is Outcome.APPLIED:
            if state.key in last:
                passed.append(last[state.key])
            last[state.key] = _row(state, hash_)
            forked.pop(state.key, None)
        elif outcome is Outcome.FORK:
            forked[state.key] = state.at
    for key in forked.keys() & last.keys():
        last[key]["forked"] = True
        del forked[key]
    if kept_in is not None:
        await db.add_all(tx, kept_in, [_version(row) for row in passed], known=True)
    written = await _write(tx, table, [last[key] for key in sorted(last)], computed, kept_in)
    await _flag(tx, table, forked)
    # Where somebody else wrote between our look and our writing, theirs is there now: look again.
    missed = last.keys() - written
    overtaken = [number for number, state in enumerate(states) if state.key in missed]
    again = await apply_all(tx, table, [states[number] for number in overtaken], computed, kept_in)
    for number, outcome in zip(overtaken, again, strict=True):
        outcomes[number] = outcome
    return outcomes


async def _held(tx: AsyncSession, table: Any, keys: Collection[Key]) -> dict[Key, _Held]:
    query = select(table.owner, table.id, table.epoch, table.version, table.content_hash)
    return {
        (row.owner, row.id): _Held((row.epoch, row.version), row.content_hash)
        for row in (await tx.execute(query.where(among((table.owner, table.id), keys)))).all()
    }


def _row(state: State, hash_: str) -> dict[str, Any]:
    envelope = state.envelope
    return {
        "owner": envelope.source,
        "id": envelope.subject,
        "epoch": envelope.entityepoch,
        "version": envelope.entityversion,
        "deleted": state.deleted,
        "content_hash": hash_,
        "forked": False,
        "body": envelope.data,
        **state.searched,
    }


def _version(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _KEPT}


async def _write(
    tx: AsyncSession,
    table: Any,
    rows: Sequence[Mapping[str, Any]],
    computed: Mapping[str, str],
    kept_in: Any,
) -> set[Key]:
    """Write what is newer than what is there by now; which were."""
    if not rows:
        return set()
    statement = _upsert(table, tuple(rows[0]), tuple(computed.items()), kept_in)
    written = await tx.execute(statement, {"rows": to_json(rows).decode()})
    return {(owner, id) for owner, id in written.all()}


@cache
def _upsert(
    table: Any, told: tuple[str, ...], computed: tuple[tuple[str, str], ...], kept_in: Any
) -> TextClause:
    name = table.__tablename__
    columns = (*told, *(column for column, _ in computed))
    values = (*(f'"{column}"' for column in told), *(expression for _, expression in computed))
    set_ = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column not in _KEY)
    into = ", ".join(f'"{column}"' for column in columns)
    write = (
        f"INSERT INTO {name} AS held ({into}) SELECT {', '.join(values)}"
        f" FROM json_populate_recordset(NULL::{name}, CAST(:rows AS json))"
        f" ON CONFLICT (owner, id) DO UPDATE SET {set_}"
        " WHERE (excluded.epoch, excluded.version) > (held.epoch, held.version) RETURNING "
    )
    if kept_in is None:
        return text(write + "owner, id")
    kept = ", ".join(_KEPT)
    return text(
        f"WITH written AS ({write}{kept}), kept AS ("
        f"INSERT INTO {kept_in.__tablename__} ({kept}) SELECT {kept} FROM written ON CONFLICT DO NOTHING"
        ") SELECT owner, id FROM written"
    )


async def _flag(tx: AsyncSession, table: Any, forked: Mapping[Key, Version]) -> None:
    for (owner, id), (epoch, version) in forked.items():
        await tx.execute(
            update(table)
            .where(table.owner == owner, table.id == id, table.epoch == epoch, table.version == version)
            .values(forked=True)
        )


async def owners(tx: AsyncSession, table: Any, ids: Collection[UUID]) -> dict[UUID, str]:
    """Whose each of these records is, as far as there is a copy."""
    if not ids:
        return {}
    query = select(table.id, table.owner).where(table.id == any_(literal(list(ids), ARRAY(UUIDColumn()))))
    return {row.id: row.owner for row in (await tx.execute(query)).all()}
