"""Copies in, bodies out. What providers publish is no one's private row, so nothing here takes a caller."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from common import copies
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.copies import State
from common.mirrors import MIRRORED, XID, Key, Mirror, among
from sqlalchemy import and_, delete, false, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matching.eligibility import SHOWN_OFFERINGS
from matchmaking.offerings.tables import OfferingRow, OfferingVersionRow, ProviderRow, ProviderVersionRow

SHOWN = and_(OfferingRow.deleted == false(), OfferingRow.state.in_(SHOWN_OFFERINGS))


def mirror_offerings() -> Mirror:
    """What is searched."""
    return Mirror(OfferingRow, SHOWN)


def mirror_providers() -> Mirror:
    return Mirror(ProviderRow, true())


async def apply_offerings(tx: AsyncSession, said: Sequence[tuple[Envelope, Offering, bytes]]) -> None:
    """Shape: with the hash of each one's text."""
    states = [
        State(
            envelope,
            deleted=offering.state == "retired",
            searched={
                "provider_id": offering.provider_id,
                "state": offering.state,
                "text_hash": f"\\x{text_hash.hex()}",
            },
        )
        for envelope, offering, text_hash in said
    ]
    await copies.apply_all(tx, OfferingRow, states, MIRRORED, OfferingVersionRow)


async def apply_providers(tx: AsyncSession, said: Sequence[tuple[Envelope, Provider]]) -> None:
    states = [
        State(envelope, deleted=provider.state == "retired", searched={"state": provider.state})
        for envelope, provider in said
    ]
    await copies.apply_all(tx, ProviderRow, states, MIRRORED, ProviderVersionRow)


def _table(noun: str) -> Any:
    return OfferingRow if noun == "offering" else ProviderRow


async def body(tx: AsyncSession, noun: str, owner: str, id: UUID) -> dict[str, Any] | None:
    table = _table(noun)
    query = select(table.body).where(table.owner == owner, table.id == id, table.deleted == false())
    return (await tx.execute(query)).scalar_one_or_none()


async def forget(tx: AsyncSession, noun: str, owner: str, id: UUID) -> None:
    """Its versions stay, for replays. A mirror hears of it when the next state comes."""
    table = _table(noun)
    await tx.execute(delete(table).where(table.owner == owner, table.id == id))


async def touch(tx: AsyncSession, platform: str, provider_id: UUID) -> None:
    """Mark a provider as changed: its standing is read again."""
    await tx.execute(
        update(ProviderRow)
        .where(ProviderRow.owner == platform, ProviderRow.id == provider_id)
        .values(changed_xid=XID)
    )


async def offerings(tx: AsyncSession, keys: Collection[Key]) -> Sequence[tuple[Key, dict[str, Any], bytes]]:
    """Bodies with the hash of their text."""
    statement = select(OfferingRow.owner, OfferingRow.id, OfferingRow.body, OfferingRow.text_hash).where(
        among((OfferingRow.owner, OfferingRow.id), keys)
    )
    return [((row.owner, row.id), row.body, row.text_hash) for row in (await tx.execute(statement)).all()]


async def providers(tx: AsyncSession, keys: Collection[Key]) -> Sequence[tuple[Key, dict[str, Any]]]:
    statement = select(ProviderRow.owner, ProviderRow.id, ProviderRow.body).where(
        among((ProviderRow.owner, ProviderRow.id), keys)
    )
    return [((row.owner, row.id), row.body) for row in (await tx.execute(statement)).all()]


async def unread(tx: AsyncSession, condition: Any, limit: int) -> Sequence[tuple[bytes, dict[str, Any]]]:
    """Hash and body of shown offerings whose text nobody has read: `condition` is on its hash. One a text."""
    statement = (
        select(OfferingRow.text_hash, OfferingRow.body)
        .ext(distinct_on(OfferingRow.text_hash))
        .where(SHOWN, condition)
        .limit(limit)
    )
    return [(row.text_hash, row.body) for row in (await tx.execute(statement)).all()]


TEXT_HASH = OfferingRow.text_hash


async def offering_versions(
    tx: AsyncSession, wanted: Collection[tuple[str, UUID, int, int]]
) -> dict[tuple[str, UUID], dict[str, Any]]:
    """Bodies as they were at these (owner, id, epoch, version)."""
    return await _versions(tx, OfferingVersionRow, wanted)


async def provider_versions(
    tx: AsyncSession, wanted: Collection[tuple[str, UUID, int, int]]
) -> dict[tuple[str, UUID], dict[str, Any]]:
    return await _versions(tx, ProviderVersionRow, wanted)


async def _versions(
    tx: AsyncSession, table: Any, wanted: Collection[tuple[str, UUID, int, int]]
) -> dict[tuple[str, UUID], dict[str, Any]]:
    keys = [(owner, id) for owner, id, _, _ in wanted]
    statement = select(table).where(
        among((table.owner, table.id), keys),
        tuple_(table.owner, table.id, table.epoch, table.version).in_(list(wanted)),
    )
    rows = (await tx.execute(statement)).scalars() if wanted else ()
    return {(row.owner, row.id): row.body for row in rows}
