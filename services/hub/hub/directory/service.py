"""Read the catalogue as a directory."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service as catalogue
from hub.catalogue.domain import Copy, Search
from hub.directory import domain
from hub.directory.domain import Record


async def services(
    tx: AsyncSession, search: Search | None, *, number: int, per_page: int, full: bool
) -> Record:
    """A page of services; a search that can find nothing is None."""
    if search is None:
        return domain.page([], total=0, number=number, per_page=per_page)
    found, total = await catalogue.numbered(tx, search, skip=(number - 1) * per_page, limit=per_page)
    keys = {domain.owner_key(copy) for copy in found}
    known, _ = await catalogue.providers(tx, Search(hidden=search.hidden), ids={id for _, id in keys})
    owners = domain.owners(known)
    whole = [domain.service(copy, owners.get(domain.owner_key(copy))) for copy in found]
    contents = whole if full else [domain.plain(record) for record in whole]
    return domain.page(contents, total=total, number=number, per_page=per_page)


async def service(tx: AsyncSession, id: UUID, hidden: frozenset[str]) -> Record | None:
    copy = await catalogue.anywhere(tx, id, hidden)
    if copy is None:
        return None
    owner, provider = domain.owner_key(copy)
    known, _ = await catalogue.providers(tx, Search(hidden=hidden), ids=[provider])
    return domain.service(copy, domain.owners(known).get((owner, provider)))


async def organizations(
    tx: AsyncSession, search: Search, *, number: int, per_page: int, full: bool
) -> Record:
    """A page of organizations."""
    found, total = await catalogue.providers(tx, search, skip=(number - 1) * per_page, limit=per_page)
    whole = [domain.organization(copy) for copy in found]
    contents = whole if full else [domain.plain(record) for record in whole]
    return domain.page(contents, total=total, number=number, per_page=per_page)


async def organization(tx: AsyncSession, id: UUID, hidden: frozenset[str]) -> Record | None:
    found, _ = await catalogue.providers(tx, Search(hidden=hidden), ids=[id], limit=1)
    return domain.organization(found[0]) if found else None


async def part(
    tx: AsyncSession, noun: str, search: Search, *, every: bool, after: Copy | None, limit: int
) -> list[Copy]:
    """The next part of the whole catalogue."""
    behind = (after.id, after.owner) if after else None
    return list(await catalogue.part(tx, noun, search, every=every, after=behind, limit=limit))
