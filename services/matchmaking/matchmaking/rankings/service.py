"""Keep versions of the weights, measure each against the active one, and switch by a person's word alone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common import audit, log
from common.auth import Principal
from common.contracts.matches import Match
from common.errors import absent
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.matching import weights as shipped
from matchmaking.matching.weights import Weights
from matchmaking.outcomes import service as outcomes
from matchmaking.rankings import cases, documents, domain, evaluation, repository
from matchmaking.rankings.cases import Case
from matchmaking.rankings.domain import Ranking
from matchmaking.rankings.evaluation import Evaluation

Demand = tuple[str, UUID]
# All results of these demands (window, id), in any order.
Shown = Callable[[AsyncSession, Sequence[Demand]], Awaitable[Mapping[Demand, Sequence[Match]]]]
# The results of so many are some megabytes.
DEMANDS_AT_ONCE = 200


async def active(tx: AsyncSession) -> Weights:
    """The weights to rank by now. A version made for other components than this release's does not count."""
    release, found = shipped.current(), await repository.active(tx)
    if found is None:
        return release
    weights = documents.readable(found.document, release)
    if weights is None:
        log.get("rankings").warning("weights-unreadable", version=found.version, instead=release.version)
    return weights or release


async def every(tx: AsyncSession, who: Principal) -> list[Ranking]:
    """All versions, newest first, the release's last."""
    found = await repository.every(tx, who)
    return [*found, domain.shipped(shipped.current(), found)]


async def get(tx: AsyncSession, who: Principal, version: str) -> Ranking:
    """Raises: NotFound."""
    for ranking in await every(tx, who):
        if ranking.version == version:
            return ranking
    raise absent("权重版本", "version of the weights")


async def weights(tx: AsyncSession, who: Principal, version: str) -> Weights:
    """The weights of a version, whether they rank now or not. Raises: NotFound."""
    return Weights.model_validate((await get(tx, who, version)).document)


async def submit(
    tx: AsyncSession,
    who: Principal,
    document: dict[str, Any],
    *,
    trained_on: dict[str, Any],
    claimed: dict[str, Any],
    shown: Shown,
    at: datetime,
) -> Ranking:
    """Take a candidate and measure it. The same one again is the one that is held.

    Raises: Invalid; Conflict when its version names another.
    """
    proposed = documents.parsed(document)
    await repository.alone(tx)
    for held in await every(tx, who):
        if held.version == proposed.version:
            domain.check_same(held, proposed)
            return held
    measured = await _measured(tx, who, proposed, shown)
    ranking = domain.submitted(
        proposed, trained_on=trained_on, claimed=claimed, evaluation=measured, by=who.subject, at=at
    )
    await repository.add(tx, ranking)
    await _note(tx, who, "submitted", ranking, at)
    return ranking


async def activate(tx: AsyncSession, who: Principal, version: str, *, shown: Shown, at: datetime) -> Ranking:
    """Rank by this version from now on. It is measured anew, on what has come in since.

    Raises: NotFound; Conflict unless it wins; Invalid when it differs in more than the components' weights.
    """
    await repository.alone(tx)
    ranking = await get(tx, who, version)
    domain.check_activatable(ranking)
    measured = await _measured(tx, who, documents.parsed(ranking.document), shown)
    activated = domain.activate(ranking, measured, by=who.subject, at=at)
    before = await repository.active(tx)
    if before is not None:
        await repository.save(tx, domain.replaced(before))
    await repository.save(tx, activated)
    await _note(tx, who, "activated", activated, at)
    return activated


async def retire(tx: AsyncSession, who: Principal, version: str, *, at: datetime) -> Ranking:
    """Rank by this version no more; if it was active, the one before it is again.

    Raises: NotFound; Conflict.
    """
    await repository.alone(tx)
    ranking = await get(tx, who, version)
    retired = domain.retire(ranking, by=who.subject, at=at)
    await repository.save(tx, retired)
    if ranking.state == "active":
        back = domain.previous(await repository.every(tx, who))
        if back is not None:
            await repository.save(tx, domain.restored(back))
    await _note(tx, who, "retired", retired, at)
    return retired


async def learnable(
    tx: AsyncSession, who: Principal, after: Demand | None, *, shown: Shown, held_out_only: bool = False
) -> tuple[list[Case], Demand | None]:
    """The next cases, and where to go on from; None at the end."""
    if not who.staff:
        return [], None
    ended = await outcomes.ended(tx, after, DEMANDS_AT_ONCE)
    wanted = [one for one in ended if not held_out_only or cases.is_held_out(one.demand_id)]
    results = await shown(tx, [(one.owner, one.demand_id) for one in wanted]) if wanted else {}
    weights = {one.version: one.document["weights"] for one in await every(tx, who)}
    release = shipped.current().version
    found = [
        cases.assembled(one, results.get((one.owner, one.demand_id), ()), weights, release) for one in wanted
    ]
    last = (ended[-1].owner, ended[-1].demand_id) if len(ended) == DEMANDS_AT_ONCE else None
    return [case for case in found if case is not None], last


async def _measured(tx: AsyncSession, who: Principal, proposed: Weights, shown: Shown) -> Evaluation:
    """Our own figures from our own data. Raises: Invalid when more than the components' weights differ."""
    current = await active(tx)
    documents.check_guards(proposed, current)
    held_out: list[Case] = []
    after, more = None, True
    while more:
        some, after = await learnable(tx, who, after, shown=shown, held_out_only=True)
        held_out += some
        more = after is not None
    # Half a second for thousands of cases: not on the loop.
    return await asyncio.to_thread(
        evaluation.compare,
        held_out,
        documents.shares(current),
        documents.shares(proposed),
        against=current.version,
    )


async def _note(tx: AsyncSession, who: Principal, what: str, ranking: Ranking, at: datetime) -> None:
    """Which version is active after this stands in each line: the audit alone tells what ranked when."""
    detail = {"active": (await active(tx)).version, "evaluation": ranking.evaluation}
    await audit.add(tx, who.subject, f"weights.{what}", ranking.version, at=at, detail=detail)
