"""Read the catalogue as a directory."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service as catalogue
from hub.catalogue.domain import Copy, Key, Search
from hub.directory import domain
from hub.directory.domain import Record
from hub.identities import domain as identities


async def services(
    tx: AsyncSession, search: Search | None, *, number: int, per_page: int, full: bool
) -> Record:
    """A page of services; a search that can find nothing is None."""
    if search is None:
        return domain.page([], total=0, number=number, per_page=per_page)
    found, total = await catalogue.numbered(tx, search, skip=(number - 1) * per_page, limit=per_page)
    owners = await _owners(tx, found, search.hidden)
    whole = [domain.service(copy, owners.get(copy.provider)) for copy in found]
    contents = whole if full else [domain.plain(record) for record in whole]
    return domain.page(contents, total=total, number=number, per_page=per_page)


async def service(tx: AsyncSession, id: UUID, hidden: frozenset[str]) -> Record | None:
    copy = await catalogue.anywhere(tx, id, hidden)
    if copy is None:
        return None
    owners = await _owners(tx, [copy], hidden)
    return domain.service(copy, owners.get(copy.provider))


async def organizations(
    tx: AsyncSession, search: Search, *, number: int, per_page: int, full: bool
) -> Record:
    """A page of organizations; records that an operator merged are one."""
    found, total = await catalogue.organisations(tx, search, skip=(number - 1) * per_page, limit=per_page)
    whole = [domain.organization(copy) for copy in await _whole(tx, found, search.hidden)]
    contents = whole if full else [domain.plain(record) for record in whole]
    return domain.page(contents, total=total, number=number, per_page=per_page)


async def organization(tx: AsyncSession, id: UUID, hidden: frozenset[str]) -> Record | None:
    """By the id of any of its records: what was linked to before a merge is still found."""
    found = await catalogue.providers_of(tx, [id], hidden)
    if not found:
        return None
    primaries = await catalogue.primaries(tx, [found[0].key], hidden)
    (whole,) = await _whole(tx, [primaries.get(found[0].key, found[0])], hidden)
    return domain.organization(whole)


async def _owners(tx: AsyncSession, offerings: Sequence[Copy], hidden: frozenset[str]) -> Mapping[Key, Copy]:
    """Who offers each of these: the organization its provider was merged into, or the provider."""
    keys = {copy.provider for copy in offerings}
    providers = await catalogue.providers_of(tx, {id for _, id in keys}, hidden)
    known = {one.key: one for one in providers}
    merged = await catalogue.primaries(tx, keys, hidden)
    whole = {one.key: one for one in await _whole(tx, list(merged.values()), hidden)}
    return known | {key: whole[primary.key] for key, primary in merged.items()}


async def _whole(tx: AsyncSession, found: Sequence[Copy], hidden: frozenset[str]) -> list[Copy]:
    """Providers with what those that they speak for add."""
    members = await catalogue.spoken_for(tx, {one.key for one in found}, hidden)
    return [identities.together(one, members.get(one.key, ())) for one in found]


async def part(
    tx: AsyncSession, noun: str, search: Search, *, every: bool, after: Copy | None, limit: int
) -> list[Copy]:
    """The next part of the whole catalogue."""
    behind = (after.id, after.owner) if after else None
    return list(await catalogue.part(tx, noun, search, every=every, after=behind, limit=limit))
