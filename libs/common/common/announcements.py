"""What this node has told the network of its own records: the last state of each, whole.

The outbox forgets what was confirmed long ago; this does not. It is what a digest is taken of, and what
is said again to whoever lost it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from common.contracts.envelope import Fact
from common.copies import content_hash
from common.tables import AnnouncementRow

# Things that happened and are no state: said once, and never again.
EVENTS = frozenset({"progress"})
RETIRED = "retired"
# The records a digest counts, as digests.buckets_of wants them.
LIVE = (
    "SELECT noun, id, epoch, version, content_hash FROM announcements"
    " WHERE noun IN ('provider', 'offering') AND NOT deleted"
)
_COLUMNS = "noun, id, epoch, version, deleted, content_hash, type, recipients, body"
_NOTE = text(
    f"INSERT INTO announcements AS held ({_COLUMNS})"
    f" SELECT {_COLUMNS} FROM json_populate_recordset(NULL::announcements, CAST(:rows AS json))"
    " ON CONFLICT (noun, id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version,"
    " deleted = excluded.deleted, content_hash = excluded.content_hash, type = excluded.type,"
    " body = excluded.body, recipients = CASE WHEN excluded.version > held.version OR excluded.epoch > held.epoch"
    " THEN excluded.recipients ELSE"
    " (SELECT jsonb_agg(DISTINCT one) FROM jsonb_array_elements(held.recipients || excluded.recipients) one) END"
    " WHERE (excluded.epoch, excluded.version) >= (held.epoch, held.version)"
)


def row(type: str, body: dict[str, Any], recipient: str | None) -> dict[str, Any]:
    return {
        "noun": type.split(".", 1)[0],
        "id": body["id"],
        "epoch": body["epoch"],
        "version": body["version"],
        "deleted": body.get("state") == RETIRED,
        "content_hash": content_hash(body),
        "type": type,
        "recipients": [recipient],
        "body": body,
    }


async def note(tx: AsyncSession, facts: Sequence[tuple[Fact, str | None]]) -> None:
    """Keep the last state of what is said now, each fact with its recipient.

    To come before the outbox rows: whoever holds this table still then knows that what is noted later is
    also numbered later.
    """
    rows = [row(fact.type, fact.model_dump(mode="json"), recipient) for fact, recipient in facts]
    await keep(tx, rows)


async def keep(tx: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Store rows in one statement; of several of one record the newest."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for one in rows:
        held = newest.get((one["noun"], one["id"]))
        if one["noun"] not in EVENTS and (
            held is None or (one["epoch"], one["version"]) >= (held["epoch"], held["version"])
        ):
            newest[one["noun"], one["id"]] = one
    if newest:
        # In one order everywhere: two transactions that keep the same records do not lock each other out.
        await tx.execute(_NOTE, {"rows": to_json([newest[key] for key in sorted(newest)]).decode()})


async def said(tx: AsyncSession, keys: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], AnnouncementRow]:
    """What was said last of these records; those never said are left out."""
    if not keys:
        return {}
    query = select(AnnouncementRow).where(tuple_(AnnouncementRow.noun, AnnouncementRow.id).in_(list(keys)))
    return {(held.noun, held.id): held for held in (await tx.execute(query)).scalars()}


async def still(tx: AsyncSession) -> None:
    """Wait for whoever is noting now, and hold up whoever wants to, until the commit."""
    await tx.execute(text("LOCK TABLE announcements IN SHARE ROW EXCLUSIVE MODE"))
