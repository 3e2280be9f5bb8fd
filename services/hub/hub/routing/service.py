"""Check a message against what the hub knows, and owe it to whom it concerns."""

from common import outbox
from common.contracts.envelope import Envelope, Fact
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import service as cases
from hub.catalogue import service as catalogue
from hub.members.domain import Membership
from hub.routing import domain
from hub.routing.domain import Known


async def route(tx: AsyncSession, envelope: Envelope, fact: Fact, membership: Membership) -> None:
    """Raises: Forbidden or Invalid: the message becomes a dead letter; Unavailable: it waits in its stream."""
    searchable = domain.heard(envelope, membership)
    network = membership.network
    domain.check(envelope, fact, await _known(tx, envelope, fact), network)
    for to in domain.destinations(envelope, network, searchable=searchable):
        await outbox.forward(tx, envelope, membership.feed(to))


async def _known(tx: AsyncSession, envelope: Envelope, fact: Fact) -> Known:
    noun = envelope.noun
    if noun in domain.OWNED:
        return Known(owner=await catalogue.owner_of(tx, noun, fact.id))
    demand = domain.demand_of(fact, noun)
    engagement = domain.engagement_of(fact) if noun == "progress" else None
    return Known(
        demand_window=await cases.owner_of(tx, demand) if demand else None,
        platform=await cases.platform_of(tx, engagement) if engagement else None,
    )
