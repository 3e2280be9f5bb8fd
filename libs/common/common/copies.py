"""What others own, as far as we have heard. `(epoch, version)` decides; deletions are rows."""

import hashlib
import json
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from common.contracts.envelope import Envelope


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


async def apply(
    tx: AsyncSession, table: Any, envelope: Envelope, *, deleted: bool = False, **searched: Any
) -> Outcome:
    """Follow an owner's state if it is newer than what we hold.

    Shape: `searched` are the table's own columns. An equal version with other content is a fork: what
    we hold stays, and the row is flagged.
    """
    hash_ = content_hash(envelope.data)
    values = {
        "owner": envelope.source,
        "id": envelope.subject,
        "epoch": envelope.entityepoch,
        "version": envelope.entityversion,
        "deleted": deleted,
        "content_hash": hash_,
        "forked": False,
        "body": envelope.data,
        **searched,
    }
    statement = insert(table).values(values)
    statement = statement.on_conflict_do_update(
        index_elements=["owner", "id"],
        set_={name: statement.excluded[name] for name in values if name not in ("owner", "id")},
        where=tuple_(statement.excluded.epoch, statement.excluded.version)
        > tuple_(table.epoch, table.version),
    ).returning(table.id)
    if (await tx.execute(statement)).first() is not None:
        return Outcome.APPLIED
    held = (
        await tx.execute(
            select(table).where(table.owner == envelope.source, table.id == envelope.subject),
            execution_options={"populate_existing": True},
        )
    ).scalar_one()
    if (held.epoch, held.version) != (envelope.entityepoch, envelope.entityversion):
        return Outcome.STALE
    if held.content_hash == hash_:
        return Outcome.UNCHANGED
    held.forked = True
    await tx.flush()
    return Outcome.FORK
