"""Subscriptions, what was told, and the queue of searches. People read none of it here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import copies, db
from common.contracts.demands import Demand
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.opportunities import Opportunity
from common.contracts.subscriptions import Subscription
from common.mirrors import among
from pydantic_core import to_json
from sqlalchemy import and_, exists, not_, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.opportunities.domain import Key
from matchmaking.opportunities.tables import OpportunityRow, SearchRow, SubscriptionRow, ToldDemandRow


async def follow(tx: AsyncSession, envelope: Envelope, subscription: Subscription) -> copies.Outcome:
    return await copies.apply(
        tx,
        SubscriptionRow,
        envelope,
        deleted=subscription.state == "ended",
        provider_id=subscription.provider_id,
        state=subscription.state,
    )


async def wishes(tx: AsyncSession, providers: Collection[Key]) -> dict[Key, Subscription]:
    """The active subscriptions of these providers."""
    if not providers:
        return {}
    query = select(SubscriptionRow.owner, SubscriptionRow.body).where(
        SubscriptionRow.state == "active",
        among((SubscriptionRow.owner, SubscriptionRow.provider_id), providers),
    )
    found = [(owner, Subscription.model_validate(body)) for owner, body in (await tx.execute(query)).all()]
    return {(owner, wish.provider_id): wish for owner, wish in found}


async def told(
    tx: AsyncSession, window: str, demand_id: UUID, *, lock: bool = False
) -> dict[Key, Opportunity]:
    """What was told of a demand, by provider."""
    query = select(OpportunityRow).where(
        OpportunityRow.demand_window == window, OpportunityRow.demand_id == demand_id
    )
    rows = (
        await tx.execute(query.order_by(OpportunityRow.id).with_for_update() if lock else query)
    ).scalars()
    return {(row.platform, row.provider_id): db.value(row, Opportunity) for row in rows}


async def hold(tx: AsyncSession, window: str, demand: Demand, *, over: bool) -> bool:
    """Hold a demand to the commit. False when a later version of it, or its end, has been told already."""
    values = {
        "demand_window": window,
        "demand_id": demand.id,
        "epoch": demand.epoch,
        "version": demand.version,
        "over": over,
    }
    statement = insert(ToldDemandRow).values(values)
    said = tuple_(statement.excluded.epoch, statement.excluded.version)
    known = tuple_(ToldDemandRow.epoch, ToldDemandRow.version)
    same = and_(said == known, or_(statement.excluded.over, not_(ToldDemandRow.over)))
    statement = statement.on_conflict_do_update(
        index_elements=["demand_window", "demand_id"],
        set_={name: statement.excluded[name] for name in ("epoch", "version", "over")},
        where=or_(said > known, same),
    )
    return (await tx.execute(statement.returning(ToldDemandRow.version))).first() is not None


async def put(tx: AsyncSession, opportunity: Opportunity) -> None:
    """Store a version of one whose demand is held."""
    if opportunity.version == 1:
        await db.add(tx, OpportunityRow, opportunity)
    else:
        await db.save(tx, OpportunityRow, opportunity)


_NOTED = ("platform", "offering_id", "epoch", "version", "provider_id", "published", "due_at")
_NOTE = text(
    f"INSERT INTO opportunity_searches AS held ({', '.join(_NOTED)}) SELECT {', '.join(_NOTED)}"
    " FROM json_populate_recordset(NULL::opportunity_searches, CAST(:rows AS json))"
    " ON CONFLICT (platform, offering_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NOTED[2:])
    + " WHERE (excluded.epoch, excluded.version) > (held.epoch, held.version)"
)


async def offered(tx: AsyncSession, said: Sequence[tuple[str, Offering]], at: datetime) -> None:
    """Note offerings that are news; one that is published for a subscribed provider is due."""
    last: dict[Key, Offering] = {}
    for platform, offering in said:
        held = last.setdefault((platform, offering.id), offering)
        if (offering.epoch, offering.version) > (held.epoch, held.version):
            last[platform, offering.id] = offering
    published = {key for key, offering in last.items() if offering.state == "published"}
    subscribed = await wishes(tx, {(platform, last[platform, id].provider_id) for platform, id in published})
    rows = [
        {
            "platform": platform,
            "offering_id": id,
            "epoch": offering.epoch,
            "version": offering.version,
            "provider_id": offering.provider_id,
            "published": (platform, id) in published,
            "due_at": at
            if (platform, id) in published and (platform, offering.provider_id) in subscribed
            else None,
        }
        for (platform, id), offering in sorted(last.items(), key=lambda item: item[0])
    ]
    if rows:
        await tx.execute(_NOTE, {"rows": to_json(rows).decode()})


async def make_due(tx: AsyncSession, providers: Collection[Key], at: datetime) -> None:
    """Look again for all that subscribed ones among these providers have published."""
    if not providers:
        return
    subscribed = exists().where(
        SubscriptionRow.owner == SearchRow.platform,
        SubscriptionRow.provider_id == SearchRow.provider_id,
        SubscriptionRow.state == "active",
    )
    await tx.execute(
        update(SearchRow)
        .where(among((SearchRow.platform, SearchRow.provider_id), providers), SearchRow.published, subscribed)
        .values(due_at=at)
    )


@dataclass(frozen=True, slots=True)
class Search:
    """An offering that is due since a moment; a later moment is another search."""

    platform: str
    offering_id: UUID
    due_at: datetime


async def next_due(tx: AsyncSession, at: datetime) -> Search | None:
    query = select(SearchRow.platform, SearchRow.offering_id, SearchRow.due_at).where(SearchRow.due_at <= at)
    row = (await tx.execute(query.order_by(SearchRow.due_at, SearchRow.offering_id).limit(1))).first()
    return None if row is None else Search(*row)


async def settle(tx: AsyncSession, search: Search, due_at: datetime | None) -> None:
    """Make it due later or not at all, unless it was made due anew meanwhile."""
    await tx.execute(
        update(SearchRow)
        .where(
            SearchRow.platform == search.platform,
            SearchRow.offering_id == search.offering_id,
            SearchRow.due_at == search.due_at,
        )
        .values(due_at=due_at)
    )


async def is_known(tx: AsyncSession, platform: str, offering_id: UUID) -> bool:
    query = select(SearchRow.version).where(
        SearchRow.platform == platform, SearchRow.offering_id == offering_id
    )
    return (await tx.execute(query)).first() is not None
