from collections.abc import Collection, Sequence
from typing import Any, TypeVarTuple
from uuid import UUID

from common import copies, db
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.copies import State
from sqlalchemy import Select, and_, func, literal, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import domain
from hub.catalogue.domain import Item, Search
from hub.catalogue.tables import OfferingCopyRow, ProviderCopyRow

Ts = TypeVarTuple("Ts")


async def follow_offerings(
    tx: AsyncSession, said: Sequence[tuple[Envelope, Offering]]
) -> list[copies.Outcome]:
    return await copies.apply_all(
        tx,
        OfferingCopyRow,
        [
            State(
                envelope,
                deleted=offering.state == domain.RETIRED,
                searched={
                    "provider_id": offering.provider_id,
                    "kind": offering.kind,
                    "category": offering.category,
                    "area": [domain.prefix(code) for code in offering.service_area],
                    "state": offering.state,
                    "search_text": domain.searched(offering),
                },
            )
            for envelope, offering in said
        ],
    )


async def follow_providers(
    tx: AsyncSession, said: Sequence[tuple[Envelope, Provider]]
) -> list[copies.Outcome]:
    return await copies.apply_all(
        tx,
        ProviderCopyRow,
        [
            State(envelope, deleted=provider.state == domain.RETIRED, searched={"state": provider.state})
            for envelope, provider in said
        ],
    )


async def owners_of(tx: AsyncSession, noun: str, ids: Collection[UUID]) -> dict[UUID, str]:
    table: Any = OfferingCopyRow if noun == "offering" else ProviderCopyRow
    return await copies.owners(tx, table, ids)


def _visible(query: Select[*Ts]) -> Select[*Ts]:
    """Published offerings of active providers; everybody may see them, nobody anything else."""
    return query.join(
        ProviderCopyRow,
        and_(
            ProviderCopyRow.owner == OfferingCopyRow.owner,
            ProviderCopyRow.id == OfferingCopyRow.provider_id,
        ),
    ).where(
        OfferingCopyRow.state == domain.VISIBLE_OFFERING,
        ~OfferingCopyRow.deleted,
        ProviderCopyRow.state == domain.VISIBLE_PROVIDER,
        ~ProviderCopyRow.deleted,
    )


def _found(query: Select[*Ts], search: Search) -> Select[*Ts]:
    query = _visible(query)
    if search.kind is not None:
        query = query.where(OfferingCopyRow.kind == search.kind)
    if search.categories is not None:
        query = query.where(OfferingCopyRow.category.in_(search.categories))
    if search.platform is not None:
        query = query.where(OfferingCopyRow.owner == search.platform)
    if search.place is not None:
        # Serves the place, or a part of it: who asks for a city also wants what one of its districts has.
        area = func.unnest(OfferingCopyRow.area).column_valued("served")
        place = literal(search.place)
        serves = select(area).where(or_(place.startswith(area), area.startswith(place))).exists()
        query = query.where(or_(func.cardinality(OfferingCopyRow.area) == 0, serves))
    for word in search.words:
        query = query.where(OfferingCopyRow.search_text.like(domain.pattern(word), escape="\\"))
    achievement, wanted = OfferingCopyRow.body["achievement"], search.technology
    if wanted.field is not None:
        field = func.lower(func.normalize(achievement["field"].astext, literal_column("NFKC")))
        query = query.where(field.like(domain.pattern(domain.folded(wanted.field)), escape="\\"))
    if wanted.least_maturity is not None:
        query = query.where(achievement["maturity"].as_integer() >= wanted.least_maturity)
    if wanted.cooperation is not None:
        query = query.where(achievement["cooperation"].contains([wanted.cooperation]))
    return query


async def page(
    tx: AsyncSession, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Item], UUID | None]:
    query = _found(select(OfferingCopyRow), search)
    return await db.page(tx, query, OfferingCopyRow.id, Item, after=after, limit=limit)


async def get(tx: AsyncSession, owner: str, id: UUID) -> Item | None:
    query = _visible(select(OfferingCopyRow)).where(OfferingCopyRow.owner == owner, OfferingCopyRow.id == id)
    return await db.one(tx, query, Item)


async def counts(tx: AsyncSession, search: Search) -> dict[str, dict[str, int]]:
    """How many are found by kind, category and platform."""
    columns = {
        "kind": OfferingCopyRow.kind,
        "category": OfferingCopyRow.category,
        "platform": OfferingCopyRow.owner,
    }
    found: dict[str, dict[str, int]] = {}
    for name, column in columns.items():
        rows = await tx.execute(
            _found(select(column, func.count()), search).group_by(column).order_by(column)
        )
        found[name] = dict(rows.all())
    return found
