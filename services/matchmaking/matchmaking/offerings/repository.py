"""Copies in, listings out. What providers publish is no one's private row, so nothing here takes a caller."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common import copies
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering, Price
from common.contracts.providers import Provider
from common.contracts.ratings import Rating
from sqlalchemy import ARRAY, BigInteger, Text, and_, cast, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import UUID as UUIDColumn
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matching.listing import Listing
from matchmaking.offerings.domain import is_shown, key_parts
from matchmaking.offerings.tables import OfferingRow, ProviderRow, RatingRow

STREAMED = 1000
_XID = cast(cast(func.pg_current_xact_id(), Text), BigInteger)


async def apply_offering(tx: AsyncSession, envelope: Envelope, offering: Offering) -> copies.Outcome:
    return await copies.apply(
        tx,
        OfferingRow,
        envelope,
        deleted=offering.state == "retired",
        provider_id=offering.provider_id,
        provider_name=offering.provider_name,
        kind=offering.kind,
        title=offering.title,
        category=offering.category,
        division=offering.division,
        service_area=list(offering.service_area),
        price=offering.price.model_dump(mode="json"),
        lead_days=offering.lead_days,
        state=offering.state,
        changed_xid=_XID,
    )


async def apply_provider(tx: AsyncSession, envelope: Envelope, provider: Provider) -> copies.Outcome:
    return await copies.apply(
        tx, ProviderRow, envelope, deleted=provider.state == "retired", state=provider.state
    )


async def apply_rating(tx: AsyncSession, envelope: Envelope, rating: Rating) -> copies.Outcome:
    return await copies.apply(
        tx,
        RatingRow,
        envelope,
        platform=rating.platform,
        provider_id=rating.provider_id,
        grade=rating.grade,
    )


def _among(columns: tuple[Any, Any], pairs: Iterable[tuple[str, UUID]]) -> Any:
    """Whether a name and an id are among the pairs: two arrays, for any number of them."""
    listed = list(pairs)
    names = literal([name for name, _ in listed], ARRAY(Text))
    uuids = literal([id for _, id in listed], ARRAY(UUIDColumn(as_uuid=True)))
    given = func.unnest(names, uuids).table_valued("name", "id").render_derived()
    return tuple_(*columns).in_(select(given.c.name, given.c.id))


async def touch(tx: AsyncSession, platform: str, provider_id: UUID) -> None:
    """Mark a provider's offerings as changed: whether they may be matched hangs on it."""
    await tx.execute(
        update(OfferingRow)
        .where(OfferingRow.owner == platform, OfferingRow.provider_id == provider_id)
        .values(changed_xid=_XID)
    )


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which writing of a row this is: a transaction may write several versions of it."""

    xid: int
    epoch: int
    version: int


async def horizon(tx: AsyncSession) -> int:
    """The oldest transaction still open: all rows of older ones are settled, and visible from now on."""
    statement = select(cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger))
    return (await tx.execute(statement)).scalar_one()


async def written_since(
    tx: AsyncSession, xid: int, also: Collection[str]
) -> AsyncIterator[tuple[str, Stamp, bool]]:
    """Key, stamp and whether it is shown, of rows written by `xid` or later, and of the keys in `also`."""
    chosen: Any = OfferingRow.changed_xid >= xid
    if also:
        chosen = or_(chosen, _among((OfferingRow.owner, OfferingRow.id), map(key_parts, also)))
    columns = select(
        OfferingRow.owner,
        OfferingRow.id,
        OfferingRow.changed_xid,
        OfferingRow.epoch,
        OfferingRow.version,
        OfferingRow.deleted,
        OfferingRow.state,
    )
    rows = await tx.stream(columns.where(chosen).execution_options(yield_per=STREAMED))
    async for owner, id, changed, epoch, version, deleted, state in rows:
        yield f"{owner}/{id}", Stamp(changed, epoch, version), is_shown(state, deleted)


async def bodies(tx: AsyncSession, keys: Collection[str]) -> Sequence[tuple[str, dict[str, Any]]]:
    statement = select(OfferingRow.owner, OfferingRow.id, OfferingRow.body).where(
        _among((OfferingRow.owner, OfferingRow.id), map(key_parts, keys))
    )
    return [(f"{owner}/{id}", body) for owner, id, body in (await tx.execute(statement)).all()]


async def listings(tx: AsyncSession, keys: Collection[str]) -> dict[str, Listing]:
    """What the engine judges by, as this transaction sees it."""
    if not keys:
        return {}
    of_provider = and_(ProviderRow.owner == OfferingRow.owner, ProviderRow.id == OfferingRow.provider_id)
    statement = (
        select(
            OfferingRow.owner.label("platform"),
            OfferingRow.id.label("offering_id"),
            OfferingRow.version,
            OfferingRow.provider_id,
            OfferingRow.provider_name,
            ProviderRow.state.label("provider_state"),
            OfferingRow.kind,
            OfferingRow.title,
            OfferingRow.category,
            OfferingRow.division,
            OfferingRow.service_area,
            OfferingRow.price,
            OfferingRow.lead_days,
            OfferingRow.state,
        )
        .outerjoin(ProviderRow, of_provider)
        .where(_among((OfferingRow.owner, OfferingRow.id), map(key_parts, keys)))
        .where(OfferingRow.deleted.is_(False))
    )
    rows = (await tx.execute(statement)).all()
    grades = await _grades(tx, {(row.platform, row.provider_id) for row in rows})
    found = [_listing(row, grades.get((row.platform, row.provider_id), (0, 0))) for row in rows]
    return {listing.key: listing for listing in found}


def _listing(row: Any, grades: tuple[int, int]) -> Listing:
    """The body was validated when it came; a price is not validated again for each search."""
    judged: dict[str, Any] = dict(row._mapping)
    judged["service_area"] = tuple(judged["service_area"])
    judged["price"] = Price.model_construct(**judged["price"])
    return Listing(**judged, grade_count=grades[0], grade_sum=grades[1])


async def _grades(
    tx: AsyncSession, providers: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], tuple[int, int]]:
    """How many ratings a provider has, and their sum."""
    statement = (
        select(RatingRow.platform, RatingRow.provider_id, func.count(), func.sum(RatingRow.grade))
        .where(_among((RatingRow.platform, RatingRow.provider_id), providers))
        .where(RatingRow.deleted.is_(False))
        .group_by(RatingRow.platform, RatingRow.provider_id)
    )
    rows = (await tx.execute(statement)).all()
    return {(platform, id): (count, int(total)) for platform, id, count, total in rows}
