"""Answer from what is stored, or from a search made now."""

from datetime import datetime
from uuid import UUID

from common.auth import Principal
from common.errors import Conflict, absent
from sqlalchemy.ext.asyncio import AsyncSession

from matchmaking.demands import service as demands
from matchmaking.demands.service import Matchmaker
from matchmaking.embeddings import service as embeddings
from matchmaking.explanations import domain
from matchmaking.explanations.domain import Replay, Similar, WhyNot
from matchmaking.matches import service as matches
from matchmaking.matches.domain import Run
from matchmaking.matching import engine
from matchmaking.matching.index import Index
from matchmaking.matching.listing import Offer, key, wording
from matchmaking.matching.retrieval import Need
from matchmaking.offerings import service as offerings
from matchmaking.rankings import service as rankings

SIMILAR = 20


async def why_not(
    tx: AsyncSession,
    who: Principal,
    matchmaker: Matchmaker,
    owner: str,
    demand_id: UUID,
    platform: str,
    offering_id: UUID,
    *,
    at: datetime,
) -> WhyNot:
    """Raises: NotFound for a demand that is not the caller's to see, or an offering that is not searched."""
    demand = await demands.get(tx, who, owner, demand_id)
    search = await matchmaker.search(tx, demand, at=at)
    key_ = key(platform, offering_id)
    offer = matchmaker.catalogue.offers([key_]).get(key_)
    if offer is None:
        raise absent("在检索中的服务产品", "offering that is searched")
    (hit,) = matchmaker.catalogue.index.judge(search.need, [key_])
    answered = matchmaker.catalogue.index.evidence(search.need.sought, key_)
    return domain.why_not(demand, offer, hit, search.ranking, answered, search.by, search.today)


async def similar(
    tx: AsyncSession, who: Principal, matchmaker: Matchmaker, owner: str, demand_id: UUID, *, at: datetime
) -> list[Similar]:
    """Open demands near to one, of windows whose demands the caller may see. Raises: NotFound."""
    demand = await demands.get(tx, who, owner, demand_id)
    search = await matchmaker.search(tx, demand, at=at)
    await matchmaker.demands.refresh(tx)
    return [
        Similar(
            window=window,
            demand_id=other.id,
            number=other.number,
            title=other.title,
            state=other.state,
            similarity=hit.relevance,
        )
        for window, other, hit in matchmaker.demands.like(
            search.need,
            SIMILAR,
            lambda window, other: (window, other.id) != (owner, demand.id) and who.staff_of(window),
        )
    ]


async def replay(tx: AsyncSession, who: Principal, owner: str, demand_id: UUID, version: int) -> Replay:
    """Make a stored result once more, from the versions and figures of that day.

    Raises: NotFound; Conflict when nothing of the run was kept.
    """
    value, run = await matches.get(tx, who, owner, demand_id, version)
    if run is None:
        raise Conflict(
            "run-not-kept",
            zh="该结果产生于保存计算依据之前，无法重算；请查看其候选与未入选记录",
            en="this result is from before its run was kept and cannot be replayed; read its candidates and near misses",
        )
    by = await rankings.weights(tx, who, run.weights)
    index, offers, changed = await _rebuilt(tx, run)
    sought = index.sought_as(wording(run.demand), run.telling)
    need = Need(sought, run.read)
    hits = index.judge(need, [one.key for one in run.considered])
    ranking = engine.rank(run.demand, hits, offers, by, run.today)
    again = engine.result(run.demand, ranking, lambda key_: index.evidence(sought, key_))
    stale = (*domain.outdated(run.versions), *changed)
    return domain.compare(value.candidates, value.near_misses, again, stale)


async def _rebuilt(tx: AsyncSession, run: Run) -> tuple[Index, dict[str, Offer], tuple[str, ...]]:
    """What was considered, as it was: an index, offers, and what could not be brought back."""
    texts, offers = await offerings.as_of(tx, run)
    index = Index()
    index.put_all({key_: document for key_, (document, _) in texts.items()})
    index.commit()
    if run.model is None:
        return index, offers, ()
    space, vectors = await embeddings.as_of(tx, run.model, {hash_ for _, hash_ in texts.values()})
    if space is None:
        return index, offers, ("model",)
    index.use(space)
    read = {one.key for one in run.considered if one.semantic is not None}
    index.learn({key_: vectors[h] for key_, (_, h) in texts.items() if key_ in read and h in vectors})
    return index, offers, ()
