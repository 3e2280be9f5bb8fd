from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import audit, ids
from common.auth import Principal
from common.errors import NotFound, absent
from common.node import Topology
from common.preconditions import Match
from sqlalchemy.ext.asyncio import AsyncSession

from window.enterprises import domain, repository
from window.enterprises.domain import Enterprise, Profile


async def register(
    tx: AsyncSession, who: Principal, profile: Profile, *, network: Topology, at: datetime
) -> Enterprise:
    """Raises: Invalid; Conflict when the credit code is registered already."""
    enterprise = domain.register(
        profile, id=ids.new(), owner=who.subject, staff=who.staff, window=who.node, network=network, at=at
    )
    if not await repository.add(tx, enterprise):
        raise domain.known(await repository.own_id(tx, who, enterprise.credit_code))
    await audit.add(
        tx, who.subject, "enterprise.registered", enterprise.id, at=at, detail={"version": enterprise.version}
    )
    return enterprise


async def change(
    tx: AsyncSession,
    who: Principal,
    id: UUID,
    changes: Mapping[str, Any],
    match: Match,
    *,
    network: Topology,
    at: datetime,
) -> Enterprise:
    """Raises: NotFound; Stale; Invalid."""
    enterprise = await repository.own(tx, who, id)
    match.check(enterprise)
    enterprise = domain.change(enterprise, changes, window=who.node, network=network, at=at)
    await repository.save(tx, enterprise)
    # Which fields, never their values: the contact is personal.
    detail = {"version": enterprise.version, "fields": sorted(changes)}
    await audit.add(tx, who.subject, "enterprise.changed", id, at=at, detail=detail)
    return enterprise


async def get(tx: AsyncSession, who: Principal, id: UUID) -> Enterprise:
    """An enterprise the caller may see, for the slices above. Raises: NotFound."""
    return await repository.get(tx, who, id)


async def own_many(
    tx: AsyncSession, wanted: Sequence[tuple[Principal, UUID]]
) -> Sequence[Enterprise | NotFound]:
    """The callers' own enterprises in order, for the slices above; a refusal where it is not theirs."""
    found = await repository.own_many(tx, wanted)
    return [found.get((who.subject, id)) or absent("企业", "enterprise") for who, id in wanted]
