"""Check a message against what the hub knows, and owe it to whom it concerns."""

from collections.abc import Sequence

from common import outbox
from common.contracts.envelope import Envelope, Fact
from sqlalchemy.ext.asyncio import AsyncSession

from hub.cases import service as cases
from hub.catalogue import service as catalogue
from hub.members.domain import Membership
from hub.routing import domain
from hub.routing.domain import Register, Said


async def route(tx: AsyncSession, envelope: Envelope, fact: Fact, membership: Membership) -> None:
    """Raises: Forbidden or Invalid: the message becomes a dead letter; Unavailable: it waits in its stream."""
    await route_all(tx, [(envelope, fact)], membership)


async def route_all(tx: AsyncSession, said: Sequence[Said], membership: Membership) -> None:
    """Check messages in order, each by what is known when it is its turn, and owe them to whom they concern.

    Raises: Forbidden or Invalid for the first that may not be said; Unavailable for one that waits in its
    stream; nothing is owed then.
    """
    network = membership.network
    register = await _register(tx, said)
    going: list[tuple[Envelope, str]] = []
    for envelope, fact in said:
        searchable = domain.heard(envelope, membership)
        domain.check(envelope, fact, register.known(envelope, fact), network)
        register.learn(envelope, fact)
        going += [
            (envelope, membership.feed(to))
            for to in domain.destinations(envelope, network, searchable=searchable)
        ]
    await outbox.forward_all(tx, going)


async def _register(tx: AsyncSession, said: Sequence[Said]) -> Register:
    """What the register knows of all that these speak of."""
    asked = domain.asked(said)
    return Register(
        owners={noun: await catalogue.owners_of(tx, noun, ids) for noun, ids in asked.owned.items()},
        windows=await cases.owners_of(tx, asked.demands),
        platforms=await cases.platforms_of(tx, asked.engagements),
    )
