"""Follow what the owners say."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from common import log
from common.contracts.envelope import Envelope
from common.contracts.offerings import Offering
from common.contracts.providers import Provider
from common.copies import Outcome
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import repository
from hub.catalogue.domain import Copy, Item, Key, Registered, Search, Shared


async def follow(tx: AsyncSession, envelope: Envelope, state: object) -> Outcome:
    """Take over an owner's state if it is newer than what we hold."""
    (outcome,) = await follow_all(tx, [(envelope, state)])
    return outcome


def holdings(tx: AsyncSession, noun: str, owner: str) -> AsyncIterator[Mapping[str, Any]]:
    """Every copy of a platform's records: id, epoch, version, deleted, forked, content_hash, body."""
    return repository.holdings(tx, noun, owner)


async def foreign(tx: AsyncSession, node: str) -> tuple[str, UUID] | None:
    """Some record that is not the platform's own: its noun and id."""
    return await repository.foreign(tx, node)


async def follow_all(tx: AsyncSession, states: Sequence[tuple[Envelope, object]]) -> list[Outcome]:
    """Take over owners' states that are newer than what we hold; what became of each, in order."""
    providers = [(envelope, state) for envelope, state in states if isinstance(state, Provider)]
    offerings = [(envelope, state) for envelope, state in states if isinstance(state, Offering)]
    assert len(providers) + len(offerings) == len(states)
    # Providers first: nobody sees an offering before its provider.
    followed = {
        envelope.id: outcome
        for said, outcomes in (
            (providers, await repository.follow_providers(tx, providers)),
            (offerings, await repository.follow_offerings(tx, offerings)),
        )
        for (envelope, _), outcome in zip(said, outcomes, strict=True)
    }
    for envelope, _ in states:
        if followed[envelope.id] is Outcome.FORK:
            log.get("catalogue").error(
                "fork", owner=envelope.source, id=str(envelope.subject), type=envelope.type
            )
    return [followed[envelope.id] for envelope, _ in states]


async def page(
    tx: AsyncSession, search: Search, *, after: UUID | None, limit: int
) -> tuple[Sequence[Item], UUID | None]:
    """Published offerings of active providers, for the slices above."""
    return await repository.page(tx, search, after=after, limit=limit)


async def bodies(
    tx: AsyncSession, noun: str, owner: str, ids: Sequence[UUID]
) -> dict[UUID, tuple[bool, dict[str, Any]]]:
    """Whether each of an owner's records has ended, and what is held of it; those not held are left out."""
    return await repository.bodies(tx, noun, owner, ids)


async def numbered(tx: AsyncSession, search: Search, *, skip: int, limit: int) -> tuple[Sequence[Copy], int]:
    """Published offerings of active providers, a page by its number, and how many there are."""
    return await repository.numbered(tx, search, skip=skip, limit=limit)


async def anywhere(tx: AsyncSession, id: UUID, hidden: frozenset[str]) -> Copy | None:
    """A published offering of an active provider by its id alone."""
    return await repository.anywhere(tx, id, hidden)


async def organisations(
    tx: AsyncSession, search: Search, *, skip: int, limit: int
) -> tuple[Sequence[Copy], int]:
    """Active providers, those that were merged once, and how many there are."""
    return await repository.organisations(tx, search, skip=skip, limit=limit)


async def providers_of(tx: AsyncSession, ids: Collection[UUID], hidden: frozenset[str]) -> Sequence[Copy]:
    """Active providers by their ids alone."""
    return await repository.providers_of(tx, ids, hidden)


async def primaries(tx: AsyncSession, keys: Collection[Key], hidden: frozenset[str]) -> dict[Key, Copy]:
    """The records that speak for some providers; those that nobody speaks for are left out."""
    return await repository.primaries(tx, keys, hidden)


async def spoken_for(
    tx: AsyncSession, keys: Collection[Key], hidden: frozenset[str]
) -> dict[Key, list[Copy]]:
    """All active providers that some records speak for, themselves among them, by the one who speaks."""
    members = await repository.spoken_for(tx, keys, hidden)
    speakers = await repository.primaries(tx, [one.key for one in members], hidden)
    found: dict[Key, list[Copy]] = {}
    for one in members:
        found.setdefault(speakers[one.key].key, []).append(one)
    return found


async def shared(
    tx: AsyncSession, *, merged: bool | None, after: str | None, limit: int
) -> tuple[Sequence[Shared], str | None]:
    """Credit codes that more than one living record of a provider has."""
    return await repository.shared(tx, merged=merged, after=after, limit=limit)


async def registered(tx: AsyncSession, credit_code: str, *, lock: bool = False) -> Sequence[Registered]:
    """The living records of a credit code, on whatever platform."""
    return await repository.registered(tx, credit_code, lock=lock)


async def merge(tx: AsyncSession, keys: Collection[Key], primary: Key | None) -> None:
    """Let one record speak for all of these, or each for itself again."""
    await repository.merge(tx, keys, primary)


async def part(
    tx: AsyncSession, noun: str, search: Search, *, every: bool, after: tuple[UUID, str] | None, limit: int
) -> Sequence[Copy]:
    """A part of the whole catalogue in the order of ids, from behind `after`."""
    return await repository.part(tx, noun, search, every=every, after=after, limit=limit)


async def newest_epoch(tx: AsyncSession, owner: str) -> int:
    """The highest epoch that a record of an owner has; 0 without records."""
    return await repository.newest_epoch(tx, owner)


async def owners_of(tx: AsyncSession, noun: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """The platforms that made some offerings or providers, as far as they are known."""
    return await repository.owners_of(tx, noun, ids)


async def by_platform(tx: AsyncSession) -> dict[str, int]:
    """How many published offerings each platform has."""
    return (await repository.counts(tx, Search()))["platform"]
