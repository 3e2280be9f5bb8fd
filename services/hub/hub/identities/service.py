"""Look at the records of one organisation together, merge them, take them apart."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from common import audit
from common.auth import Principal
from common.errors import absent
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service as catalogue
from hub.catalogue.domain import Key, Shared
from hub.identities import domain
from hub.identities.domain import Identity


async def page(
    tx: AsyncSession, *, merged: bool | None, after: str | None, limit: int
) -> tuple[Sequence[Shared], str | None]:
    """Credit codes that more than one record has."""
    return await catalogue.shared(tx, merged=merged, after=after, limit=limit)


async def look(tx: AsyncSession, credit_code: str, primary: Key | None, *, lock: bool = False) -> Identity:
    """An organisation as it is, or as it would be with another primary. Raises: NotFound, Invalid."""
    records = await catalogue.registered(tx, credit_code, lock=lock)
    if not records:
        raise absent("主体", "organisation")
    return domain.identity(credit_code, records, primary)


async def merge(
    tx: AsyncSession, who: Principal, credit_code: str, primary: Key, match: Match, *, at: datetime
) -> Identity:
    """Let one record speak for all; those that are new since an earlier merge are taken in.

    Raises: Stale when the records are not those that were looked at. Conflict for a single record.
    """
    seen = await look(tx, credit_code, None, lock=True)
    match.check_tag(seen.tag)
    wanted = domain.identity(credit_code, seen.records, primary)
    if len(seen.records) == 1:
        raise domain.alone()
    if not wanted.merged:
        await catalogue.merge(tx, [one.key for one in seen.records], primary)
        await _note(tx, who, "identity.merged", wanted, at)
    return await look(tx, credit_code, None)


async def part(tx: AsyncSession, who: Principal, credit_code: str, match: Match, *, at: datetime) -> Identity:
    """Let each record speak for itself again. Raises: Stale."""
    seen = await look(tx, credit_code, None, lock=True)
    match.check_tag(seen.tag)
    if any(one.primary for one in seen.records):
        await catalogue.merge(tx, [one.key for one in seen.records], None)
        await _note(tx, who, "identity.parted", seen, at)
    return await look(tx, credit_code, None)


async def _note(tx: AsyncSession, who: Principal, action: str, identity: Identity, at: datetime) -> None:
    detail: dict[str, Any] = {
        "primary": _told(identity.primary),
        "records": [_told(one.key) for one in identity.records],
    }
    await audit.add(tx, who.subject, action, identity.credit_code, at=at, detail=detail)


def _told(key: Key) -> str:
    return f"{key[0]}/{key[1]}"
