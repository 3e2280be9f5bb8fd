"""Subscriptions, what was told, and the queue of searches. People read none of it here."""

from collections.abc import Collection
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
from sqlalchemy import and_, exists, not_, or_, select, tuple_, update
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


async def offered(tx: AsyncSession, envelope: Envelope, offering: Offering, at: datetime) -> None:
    """Note an offering if it is news; one that is published for a subscribed provider is due."""
    published = offering.state == "published"
    subscribed = bool(await wishes(tx, [(envelope.source, offering.provider_id)])) if published else False
    values = {
        "platform": envelope.source,
        "offering_id": offering.id,
        "epoch": offering.epoch,
        "version": offering.version,
        "provider_id": offering.provider_id,
        "published": published,
        "due_at": at if subscribed else None,
    }
    statement = insert(SearchRow).values(values)
    later = tuple_(statement.excluded.epoch, statement.excluded.version) > tuple_(
        SearchRow.epoch, SearchRow.version
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["platform", "offering_id"],
            set_={name: statement.excluded[name] for name in list(values)[2:]},
            where=later,
        )
    )


async def make_due(tx: AsyncSession, platform: str, provider_id: UUID, at: datetime) -> None:
    """Look again for all that a subscribed provider has published."""
    subscribed = exists().where(
        SubscriptionRow.owner == platform,
        SubscriptionRow.provider_id == provider_id,
        SubscriptionRow.state == "active",
    )
    await tx.execute(
        update(SearchRow)
        .where(
            SearchRow.platform == platform,
            SearchRow.provider_id == provider_id,
            SearchRow.published,
            subscribed,
        )
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
