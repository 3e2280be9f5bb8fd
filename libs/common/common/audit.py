"""Who did what. Rows are written with the act and sealed into a hash chain by the sequencer.

Numbering and chaining happen after the commit, under the sequencer's lock: a chain extended inside
the transaction would make every writer wait for the one before it to reach the disk.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from common import db
from common.tables import AuditRow

INSERT = db.into(AuditRow)
GENESIS = bytes(32)
SEAL_BATCH = 1000


def row(
    actor: str,
    action: str,
    object_id: UUID | str,
    correlation: UUID | str,
    at: datetime,
    detail: dict[str, Any],
):
    return {
        "at": at,
        "actor": actor,
        "action": action,
        "object_id": str(object_id),
        "correlation": str(correlation),
        "detail": detail,
    }


async def add(
    tx: AsyncSession, actor: str, action: str, object_id: UUID | str, *, at: datetime, detail: dict[str, Any]
) -> None:
    """Note an act that no fact travels for."""
    await tx.execute(INSERT, row(actor, action, object_id, object_id, at, detail))


def link(previous: bytes, seq: int, entry: Mapping[str, Any]) -> bytes:
    """The hash of one entry on top of the one before it."""
    content = [
        seq, entry["id"], entry["at"].isoformat(), entry["actor"], entry["action"], entry["object_id"],
        entry["correlation"], json.loads(entry["detail"]),
    ]  # fmt: skip
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()


_COLUMNS = "id, at AT TIME ZONE 'UTC' AS at, actor, action, object_id, correlation, detail::text AS detail, seq, hash"


async def seal(connection: asyncpg.Connection) -> int:
    """Chain what has been committed since; only the holder of the sequencer's lock may call this."""
    fresh = await connection.fetch(
        f"SELECT {_COLUMNS} FROM audit WHERE seq IS NULL ORDER BY id LIMIT {SEAL_BATCH}"
    )
    if not fresh:
        return 0
    last = await connection.fetchrow(
        "SELECT seq, hash FROM audit WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1"
    )
    seq, digest = (last["seq"], last["hash"]) if last else (0, GENESIS)
    sealed: list[tuple[int, int, bytes]] = []
    for entry in fresh:
        seq += 1
        digest = link(digest, seq, entry)
        sealed.append((entry["id"], seq, digest))
    await connection.execute(
        "UPDATE audit a SET seq = s.seq, hash = s.hash FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])"
        " AS s(id, seq, hash) WHERE a.id = s.id",
        *map(list, zip(*sealed, strict=True)),
    )
    return len(sealed)


async def verify(connection: asyncpg.Connection) -> AsyncIterator[str]:
    """Recompute the chain and yield each thing that is wrong with it, in order."""
    expected, digest = 1, GENESIS
    async with connection.transaction(readonly=True):
        async for entry in connection.cursor(
            f"SELECT {_COLUMNS} FROM audit WHERE seq IS NOT NULL ORDER BY seq"
        ):
            if entry["seq"] != expected:
                yield f"entries {expected} to {entry['seq'] - 1} are missing"
                expected = entry["seq"]
            digest = link(digest, expected, entry)
            if digest != entry["hash"]:
                yield f"entry {expected} ({entry['action']} {entry['object_id']}) was changed or moved"
                digest = entry["hash"]
            expected += 1
