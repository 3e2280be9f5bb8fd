"""Compare with the owners, mend what differs in both directions, and let matchmaking compare with us."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from common import convergence, drift, ids
from common.auth import Principal
from common.contracts.digests import (
    DigestCompared,
    DigestDisowned,
    DigestListed,
    DigestQuestioned,
    DigestRequested,
    DigestTaken,
    DigestWanted,
)
from common.contracts.envelope import FACTS, Envelope
from common.convergence import Line
from common.digests import NOUNS, Key
from common.errors import absent
from common.outbox import HUB
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service as catalogue
from hub.drift import repository
from hub.drift.domain import Comparison
from hub.drift.repository import HELD
from hub.fences import service as fences
from hub.members.domain import Membership
from hub.routing import service as routing


def line(membership: Membership, node: str) -> Line:
    return Line(HUB, membership.feed(node))


def owners(membership: Membership, node: str) -> list[str]:
    """Who is to be compared: a platform, or all of them for matchmaking. Raises: NotFound."""
    matchmaking = membership.network.of_kind("matchmaking")[0].id
    platforms = [one.id for one in membership.network.of_kind("window", "cluster")]
    if node == matchmaking:
        return platforms
    if node not in platforms:
        raise absent("平台", "platform")
    return [node]


async def total(tx: AsyncSession, owner: str) -> int | None:
    """How many of an owner's records differ here and at matchmaking; None when they were never compared."""
    compared = [
        one for one in await repository.comparisons(tx, owner) if one.owner == owner and one.compared_at
    ]
    return sum(one.total for one in compared) if compared else None


def own(membership: Membership, who: Principal, node: str) -> None:
    """Raises: NotFound for who neither works for the platform nor for the network."""
    if not who.staff_of(node) or node not in {one.id for one in membership.network.spokes}:
        raise absent("平台", "platform")


async def ask(
    tx: AsyncSession, membership: Membership, owners: Iterable[str], *, repair: bool, at: datetime
) -> UUID:
    """Let owners take a digest now. Returns the exchange. Emits: DigestRequested."""
    exchange = ids.new()
    for owner in owners:
        fact = DigestRequested(id=exchange, version=1, owner=owner, repair=repair)
        await line(membership, owner).say(tx, fact, at=at, recipient=owner)
        await drift.note(tx, HUB, fact, "asked", at=at)
    return exchange


async def on_taken(tx: AsyncSession, membership: Membership, fact: DigestTaken, *, at: datetime) -> None:
    """An owner's digest came. What is equal here, matchmaking compares with us. After a restore it is also the
    owner's last word on what it has.

    Emits: DigestQuestioned to the owner, or DigestTaken to matchmaking.
    """
    if fact.restored is not None:
        await fences.end(tx, fact.owner, at=at)
    equal = await drift.on_taken(tx, HELD, line(membership, fact.owner), fact, at=at)
    if equal and fact.owner not in membership.hidden:
        to = membership.network.of_kind("matchmaking")[0].id
        if to != fact.owner:
            await convergence.take(tx, line(membership, to), HELD.live, fact.owner, at=at, of=fact)


async def on_listed(tx: AsyncSession, membership: Membership, fact: DigestListed, *, at: datetime) -> None:
    await drift.on_listed(tx, HELD, line(membership, fact.owner), fact, at=at)


async def on_disowned(
    tx: AsyncSession, membership: Membership, fact: DigestDisowned, envelope: Envelope
) -> None:
    """End the copies of what its owner does not have; matchmaking hears of it as of any retirement."""
    for noun, id in fact.records:
        held = (await catalogue.bodies(tx, noun, fact.owner, [id])).get(id)
        if held is None or held[0]:
            continue
        body = drift.ended(held[1])
        ending = convergence.announced(f"{noun}.retired.v1", body, source=fact.owner, at=envelope.time)
        state = FACTS[ending.type].model_validate(body)
        await catalogue.follow(tx, ending, state)
        await routing.route(tx, ending, state, membership)


async def on_questioned(
    tx: AsyncSession, membership: Membership, fact: DigestQuestioned, *, by: str, at: datetime
) -> None:
    """Matchmaking asks which copies we have. Emits: DigestListed."""
    await convergence.enumerate(tx, line(membership, by), HELD.live, fact, at=at)


async def on_wanted(
    tx: AsyncSession, membership: Membership, fact: DigestWanted, *, by: str, at: datetime
) -> None:
    """Matchmaking lacks something. Emits: *Announced in the owner's name, DigestDisowned, DigestTaken."""
    to = line(membership, by)
    envelopes: list[Envelope] = []
    unknown: list[Key] = []
    for noun in NOUNS:
        asked = [one.id for one in fact.records if one.noun == noun]
        held = await catalogue.bodies(tx, noun, fact.owner, asked)
        for id in asked:
            _, body = held.get(id, (True, {}))
            if not body:  # a tombstone is told as it is: made anew there, it would contradict the owner's
                unknown.append((noun, id))
            else:
                envelopes.append(
                    convergence.announced(f"{noun}.announced.v1", body, source=fact.owner, at=at)
                )
    await to.send(tx, envelopes)
    if unknown:
        await to.say(tx, DigestDisowned(**convergence.follows(fact), records=tuple(unknown)), at=at)
    if fact.last:
        await convergence.take(tx, to, HELD.live, fact.owner, at=at, of=fact, round=fact.round + 1)


async def comparisons(tx: AsyncSession) -> Sequence[Comparison]:
    """Every comparison there was, as it stands."""
    return await repository.comparisons(tx)


async def fenced(tx: AsyncSession) -> dict[str, bool]:
    """Whether what each node says is held."""
    return {node: one.fenced_at is not None for node, one in (await fences.positions(tx)).items()}


async def on_compared(tx: AsyncSession, fact: DigestCompared, *, by: str, at: datetime) -> None:
    """How an observer's copies stand, as it told us."""
    found = {kind: count for kind in drift.KINDS if (count := getattr(fact, kind))}
    more = {} if found else {"equal_at": at}
    await drift.note(
        tx, by, fact, "questioned" if found else "equal", at=at, drift=found, compared_at=at, **more
    )
