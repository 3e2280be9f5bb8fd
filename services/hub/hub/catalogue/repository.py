from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVarTuple
from uuid import UUID

from common import copies, db
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.copies import State
from common.mirrors import among
from common.tables import PlatformRow
from sqlalchemy import Select, and_, func, literal, literal_column, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from hub.catalogue import domain
from hub.catalogue.domain import Copy, Item, Key, Registered, Search, Shared
from hub.catalogue.tables import OfferingCopyRow, ProviderCopyRow

Ts = TypeVarTuple("Ts")
# The record that speaks for another; each while both have the same credit code.
_Primary = aliased(ProviderCopyRow)
_CODE = ProviderCopyRow.body["credit_code"].astext
_MERGED = and_(
    _Primary.owner == ProviderCopyRow.primary_owner,
    _Primary.id == ProviderCopyRow.primary_id,
    _Primary.body["credit_code"].astext == _CODE,
    ~_Primary.deleted,
)
_SPOKEN_FOR = and_(_MERGED, _Primary.state == domain.VISIBLE_PROVIDER)


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


async def bodies(
    tx: AsyncSession, noun: str, owner: str, ids: Sequence[UUID]
) -> dict[UUID, tuple[bool, dict[str, Any]]]:
    table: Any = OfferingCopyRow if noun == "offering" else ProviderCopyRow
    query = select(table.id, table.deleted, table.body).where(table.owner == owner, table.id.in_(ids))
    rows = (await tx.execute(query)).all() if ids else ()
    return {row.id: (row.deleted, row.body) for row in rows}


async def newest_epoch(tx: AsyncSession, owner: str) -> int:
    found = [
        (await tx.execute(select(func.max(table.epoch)).where(table.owner == owner))).scalar_one()
        for table in (OfferingCopyRow, ProviderCopyRow)
    ]
    return max(epoch or 0 for epoch in found)


async def as_of(tx: AsyncSession) -> dict[str, datetime]:
    """When each platform that is not being heard was last: what is held of it may be so old."""
    query = select(PlatformRow.node, PlatformRow.as_of).where(PlatformRow.as_of.is_not(None))
    return {node: at for node, at in (await tx.execute(query)).all() if at is not None}


async def owners_of(tx: AsyncSession, noun: str, ids: Collection[UUID]) -> dict[UUID, str]:
    table: Any = OfferingCopyRow if noun == "offering" else ProviderCopyRow
    return await copies.owners(tx, table, ids)


async def holdings(tx: AsyncSession, noun: str, owner: str) -> AsyncIterator[Mapping[str, Any]]:
    table: Any = OfferingCopyRow if noun == "offering" else ProviderCopyRow
    columns = ("id", "epoch", "version", "deleted", "forked", "content_hash", "body")
    query = select(*(getattr(table, name) for name in columns)).where(table.owner == owner)
    async for row in (await tx.stream(query.order_by(table.id))).mappings():
        yield {name: row[name] for name in columns}


async def foreign(tx: AsyncSession, node: str) -> tuple[str, UUID] | None:
    query = (
        select(ProviderCopyRow.id).where(ProviderCopyRow.owner != node).order_by(ProviderCopyRow.id).limit(1)
    )
    id = (await tx.execute(query)).scalar_one_or_none()
    return None if id is None else ("provider", id)


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
    if search.hidden:
        query = query.where(OfferingCopyRow.owner.not_in(search.hidden))
    if search.kind is not None:
        query = query.where(OfferingCopyRow.kind == search.kind)
    if search.categories is not None:
        query = query.where(OfferingCopyRow.category.in_(search.categories))
    if search.platform is not None:
        query = query.where(OfferingCopyRow.owner == search.platform)
    if search.provider is not None:
        speaks = select(_Primary.id).where(_SPOKEN_FOR, _Primary.id == search.provider)
        query = query.where(or_(OfferingCopyRow.provider_id == search.provider, speaks.exists()))
    if search.place is not None:
        # Serves the place, or a part of it: who asks for a city also wants what one of its districts has.
        area = func.unnest(OfferingCopyRow.area).column_valued("served")
        place = literal(search.place)
        serves = select(area).where(or_(place.startswith(area), area.startswith(place))).exists()
        query = query.where(or_(func.cardinality(OfferingCopyRow.area) == 0, serves))
    for word in search.words:
        said = OfferingCopyRow.search_text.like(domain.pattern(word), escape="\\")
        # Each half has an index of its own: the words, and the rows whose words are not in it yet.
        query = query.where(or_(and_(OfferingCopyRow.indexed, said), and_(~OfferingCopyRow.indexed, said)))
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


async def numbered(tx: AsyncSession, search: Search, *, skip: int, limit: int) -> tuple[Sequence[Copy], int]:
    """A page by its number, oldest first, and how many there are in all."""
    total = (await tx.execute(_found(select(func.count(OfferingCopyRow.id)), search))).scalar_one()
    query = _found(select(OfferingCopyRow), search).order_by(OfferingCopyRow.id, OfferingCopyRow.owner)
    rows = (await tx.execute(query.offset(skip).limit(limit))).scalars()
    return [db.value(row, Copy) for row in rows], total


async def anywhere(tx: AsyncSession, id: UUID, hidden: frozenset[str]) -> Copy | None:
    """A visible offering by its id alone."""
    query = _visible(select(OfferingCopyRow)).where(
        OfferingCopyRow.id == id, OfferingCopyRow.owner.not_in(hidden)
    )
    return await db.one(tx, query.order_by(OfferingCopyRow.owner).limit(1), Copy)


def _open_providers(search: Search) -> Select[ProviderCopyRow]:
    query = select(ProviderCopyRow).where(
        ProviderCopyRow.state == domain.VISIBLE_PROVIDER,
        ~ProviderCopyRow.deleted,
        ProviderCopyRow.owner.not_in(search.hidden),
    )
    for word in search.words:
        name = func.lower(func.normalize(ProviderCopyRow.body["name"].astext, literal_column("NFKC")))
        query = query.where(name.like(domain.pattern(word), escape="\\"))
    return query


async def providers_of(tx: AsyncSession, ids: Collection[UUID], hidden: frozenset[str]) -> Sequence[Copy]:
    query = _open_providers(Search(hidden=hidden)).where(ProviderCopyRow.id.in_(ids))
    rows = (await tx.execute(query.order_by(ProviderCopyRow.id, ProviderCopyRow.owner))).scalars()
    return [db.value(row, Copy) for row in rows]


async def organisations(
    tx: AsyncSession, search: Search, *, skip: int, limit: int
) -> tuple[Sequence[Copy], int]:
    """Active providers, each organisation once, and how many there are in all."""
    spoken_for = select(_Primary.id).where(
        _SPOKEN_FOR,
        _Primary.owner.not_in(search.hidden),
        tuple_(_Primary.owner, _Primary.id) != tuple_(ProviderCopyRow.owner, ProviderCopyRow.id),
    )
    query = _open_providers(search).where(~spoken_for.exists())
    total = (await tx.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    query = query.order_by(ProviderCopyRow.id, ProviderCopyRow.owner).offset(skip).limit(limit)
    return [db.value(row, Copy) for row in (await tx.execute(query)).scalars()], total


async def part(
    tx: AsyncSession, noun: str, search: Search, *, every: bool, after: tuple[UUID, str] | None, limit: int
) -> Sequence[Copy]:
    """A part of the whole catalogue in the order of ids; `every` has also what nobody sees and tombstones."""
    table: Any = OfferingCopyRow if noun == "offering" else ProviderCopyRow
    if every:
        query = select(table)
        if search.platform is not None:
            query = query.where(table.owner == search.platform)
    elif noun == "offering":
        query = _found(select(OfferingCopyRow), search)
    else:
        query = _open_providers(search)
        if search.platform is not None:
            query = query.where(ProviderCopyRow.owner == search.platform)
    if after is not None:
        query = query.where(tuple_(table.id, table.owner) > tuple_(literal(after[0]), literal(after[1])))
    rows = (await tx.execute(query.order_by(table.id, table.owner).limit(limit))).scalars()
    return [db.value(row, Copy) for row in rows]


async def primaries(tx: AsyncSession, keys: Collection[Key], hidden: frozenset[str]) -> dict[Key, Copy]:
    """The records that speak for some providers, as far as everybody may see them."""
    row = ProviderCopyRow
    query = (
        select(row.owner, row.id, _Primary)
        .join(_Primary, _SPOKEN_FOR)
        .where(among((row.owner, row.id), keys), _Primary.owner.not_in(hidden))
    )
    found = (await tx.execute(query)).all() if keys else ()
    return {(owner, id): db.value(primary, Copy) for owner, id, primary in found}


async def spoken_for(tx: AsyncSession, keys: Collection[Key], hidden: frozenset[str]) -> Sequence[Copy]:
    """All active providers that some records speak for, themselves among them."""
    if not keys:
        return []
    primary = (ProviderCopyRow.primary_owner, ProviderCopyRow.primary_id)
    query = _open_providers(Search(hidden=hidden)).join(_Primary, _SPOKEN_FOR).where(among(primary, keys))
    rows = (await tx.execute(query.order_by(ProviderCopyRow.id, ProviderCopyRow.owner))).scalars()
    return [db.value(row, Copy) for row in rows]


async def shared(
    tx: AsyncSession, *, merged: bool | None, after: str | None, limit: int
) -> tuple[Sequence[Shared], str | None]:
    """Credit codes of more than one living record, in their order."""
    joined = func.count(_Primary.id)
    query = (
        select(
            _CODE.label("credit_code"),
            func.min(ProviderCopyRow.body["name"].astext).label("name"),
            func.array_agg(ProviderCopyRow.owner.distinct()).label("platforms"),
            func.count().label("records"),
            joined.label("merged"),
        )
        .outerjoin(_Primary, _MERGED)
        .where(~ProviderCopyRow.deleted, (after or "") < _CODE)
        .group_by(_CODE)
        .having(func.count() > 1)
    )
    if merged is not None:
        query = query.having(joined == func.count() if merged else joined < func.count())
    rows = (await tx.execute(query.order_by(_CODE).limit(limit + 1))).mappings().all()
    found = [Shared.model_validate(dict(row)) for row in rows[:limit]]
    return found, found[-1].credit_code if len(rows) > limit else None


async def registered(tx: AsyncSession, credit_code: str, *, lock: bool = False) -> Sequence[Registered]:
    """The living records of a credit code."""
    row = ProviderCopyRow
    published = (
        select(func.count())
        .where(
            OfferingCopyRow.owner == row.owner,
            OfferingCopyRow.provider_id == row.id,
            OfferingCopyRow.state == domain.VISIBLE_OFFERING,
            ~OfferingCopyRow.deleted,
        )
        .scalar_subquery()
    )
    query = (
        select(row, published, _Primary.owner, _Primary.id)
        .outerjoin(_Primary, _MERGED)
        .where(~row.deleted, credit_code == _CODE)
        .order_by(row.owner, row.id)
    )
    if lock:
        query = query.with_for_update(of=row)
    return [
        Registered(
            **db.value(found, Copy).model_dump(),
            offerings=count,
            primary=(owner, id) if owner else None,
        )
        for found, count, owner, id in (await tx.execute(query)).all()
    ]


async def merge(tx: AsyncSession, keys: Collection[Key], primary: Key | None) -> None:
    owner, id = primary or (None, None)
    of = among((ProviderCopyRow.owner, ProviderCopyRow.id), keys)
    await tx.execute(update(ProviderCopyRow).where(of).values(primary_owner=owner, primary_id=id))


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
