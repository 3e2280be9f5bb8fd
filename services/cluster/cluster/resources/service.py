"""Resources: what laboratory and staff may do; published ones are offerings of kind instrument."""

from datetime import datetime
from uuid import UUID

from agency.offerings import service as offerings
from agency.offerings.domain import Review
from agency.providers import service as providers
from common import audit, ids
from common.auth import Principal
from common.errors import absent
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from cluster.resources import domain, repository
from cluster.resources.domain import Changes, Form, Resource


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Resource:
    """Raises: NotFound for none, and for one that is neither published nor the caller's."""
    resource = await repository.find(tx, who, id)
    if resource is None:
        raise absent("共享资源", "resource")
    return resource


async def own(tx: AsyncSession, who: Principal, id: UUID) -> Resource:
    """One the caller may change, locked.

    Raises: NotFound.
    """
    resource = await repository.find_own(tx, who, id)
    if resource is None:
        raise absent("共享资源", "resource")
    return resource


async def submit(
    tx: AsyncSession, who: Principal, provider_id: UUID, form: Form, *, at: datetime
) -> Resource:
    """Raises: NotFound for another's provider; Conflict unless it is active; Invalid."""
    provider = await providers.pinned(tx, who, provider_id)
    resource = domain.submit(form, provider, id=ids.new(), at=at)
    await repository.add(tx, resource)
    await _note(tx, who, "resource.submitted", resource, at)
    return resource


async def change(
    tx: AsyncSession, who: Principal, id: UUID, changes: Changes, match: Match, *, at: datetime
) -> Resource:
    """Emits: OfferingChanged when it is published and the catalogue shows what changed."""
    resource = await own(tx, who, id)
    match.check(resource)
    changed = domain.change(resource, changes, at=at)
    await repository.save(tx, changed)
    await _note(tx, who, "resource.changed", changed, at)
    if changed.state == "published":
        await _mirror(tx, who, changed, at)
    return changed


async def review(
    tx: AsyncSession, who: Principal, id: UUID, decision: Review, reason: str | None, *, at: datetime
) -> Resource:
    """Emits: OfferingPublished."""
    reviewed = domain.review(await own(tx, who, id), decision, reason, at=at)
    await repository.save(tx, reviewed)
    await _note(tx, who, f"resource.{reviewed.state}", reviewed, at)
    if reviewed.state == "published":
        await _mirror(tx, who, reviewed, at)
    return reviewed


async def retire(tx: AsyncSession, who: Principal, id: UUID, reason: str | None, *, at: datetime) -> Resource:
    """Emits: OfferingRetired."""
    retired = domain.retire(await own(tx, who, id), reason, at=at)
    await repository.save(tx, retired)
    await _note(tx, who, "resource.retired", retired, at)
    await offerings.unmirror(tx, who, id, reason, at=at)
    return retired


async def bookable(tx: AsyncSession, who: Principal, id: UUID) -> Resource:
    """One that may be booked now.

    Raises: NotFound; Conflict when it, or its laboratory, takes no bookings.
    """
    resource = await get(tx, who, id)
    system = Principal.system(who.node)
    domain.bookable(resource, await providers.pinned(tx, system, resource.provider_id))
    return resource


async def _mirror(tx: AsyncSession, who: Principal, resource: Resource, at: datetime) -> None:
    provider = await providers.pinned(tx, who, resource.provider_id)
    await offerings.mirror(tx, who, resource.id, provider, domain.offered(resource), at=at)


async def _note(tx: AsyncSession, who: Principal, action: str, resource: Resource, at: datetime) -> None:
    detail = {"version": resource.version, "epoch": resource.epoch}
    await audit.add(tx, who.subject, action, resource.id, at=at, detail=detail)
