"""From copies of demands and providers and the engine's scores to the problem that is solved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from uuid import UUID

from common import ids
from common.contracts import demands as contract
from common.contracts.envelope import Contract
from common.contracts.matches import Component
from reference import categories, divisions

from matchmaking.campaigns import problem
from matchmaking.campaigns.domain import Campaign, ListedProvider, Support
from matchmaking.campaigns.plans import PlanLine
from matchmaking.matching.listing import Listing

# Of the offerings that fit a demand so many providers are weighed, the best first.
PER_DEMAND = 50
# Below so many pairs the optimum is searched to the end, above to one part in 5,000.
EXACT_PAIRS, GAP = 5_000, 2e-4
Key = tuple[str, UUID]


class Scored(Protocol):
    """An offering that fits a demand, as the engine gives it."""

    @property
    def listing(self) -> Listing: ...

    @property
    def score(self) -> float: ...

    @property
    def components(self) -> tuple[Component, ...]: ...


class SeenDemand(Contract):
    """A demand as it was when the plan was made. Shape: `skipped` says why it was not put to the solver."""

    window: str
    id: UUID
    version: int
    number: str
    title: str
    amount_cents: int = 0
    skipped: str | None = None

    @property
    def key(self) -> str:
        return key((self.window, self.id))


class SeenProvider(Contract):
    platform: str
    id: UUID
    name: str

    @property
    def key(self) -> str:
        return key((self.platform, self.id))


class SeenOffer(Contract):
    """The best offering of a provider for a demand."""

    demand: str
    provider: str
    offering_id: UUID
    version: int
    title: str
    score: float
    newcomer: bool = False


class Inputs(Contract):
    """All that a plan was made from: the same inputs give the same plan."""

    problem: problem.Problem
    demands: tuple[SeenDemand, ...]
    providers: tuple[SeenProvider, ...]
    offers: tuple[SeenOffer, ...]


@dataclass(frozen=True)
class Gathered:
    """Copies that the campaign means: demands in the order of submission, providers by id."""

    campaign: Campaign
    demands: Sequence[tuple[str, contract.Demand]]
    providers: Sequence[SeenProvider]
    taken: frozenset[Key]

    @cached_property
    def provider_keys(self) -> frozenset[str]:
        return frozenset(one.key for one in self.providers)


def key(parts: Key) -> str:
    return f"{parts[0]}/{parts[1]}"


def own_and_below(chosen: Iterable[str]) -> list[str]:
    """Categories with those within them."""
    wanted = tuple(chosen)
    return [c.id for c in categories.all() if any(categories.is_within(c.id, top) for top in wanted)]


def in_area(division: str, areas: Iterable[str]) -> bool:
    wanted = tuple(areas)
    return not wanted or any(divisions.is_within(division, area) for area in wanted)


def amount(support: Support, demand: contract.Demand) -> int | None:
    """What the demand takes of the budget, in whole yuan where it is a share; None where that is not known.

    Never more than the demand's own budget.
    """
    own = demand.budget.to_cents
    if support.share_percent is None:
        wish = support.amount_cents or 0
    elif own is not None:
        wish = own * support.share_percent // 10_000 * 100
        wish = wish if support.amount_cents is None else min(wish, support.amount_cents)
    elif support.amount_cents is not None:
        wish = support.amount_cents
    else:
        return None
    return wish if own is None else min(wish, own)


def seen(gathered: Gathered) -> list[SeenDemand]:
    """Every demand with its amount, or why it is passed over."""
    found: list[SeenDemand] = []
    for window, demand in gathered.demands:
        cents = amount(gathered.campaign.support, demand)
        taken = (window, demand.id) in gathered.taken
        skipped = "already-allocated" if taken else "amount-unknown" if cents is None else None
        found.append(
            SeenDemand(
                window=window,
                id=demand.id,
                version=demand.version,
                number=demand.number,
                title=demand.title,
                amount_cents=cents or 0,
                skipped=skipped,
            )
        )
    return found


def offers_for(gathered: Gathered, demand: Key, fitting: Iterable[Scored]) -> list[SeenOffer]:
    """The best offering of each provider of the campaign, `fitting` being best first."""
    campaign, best = gathered.campaign, dict[str, SeenOffer]()
    known = gathered.provider_keys
    for one in fitting:
        listing, provider = one.listing, key((one.listing.platform, one.listing.provider_id))
        if provider not in known or provider in best or one.score < campaign.rules.least_score:
            continue
        if campaign.demands.kinds and listing.kind not in campaign.demands.kinds:
            continue
        best[provider] = SeenOffer(
            demand=key(demand),
            provider=provider,
            offering_id=listing.offering_id,
            version=listing.version,
            title=listing.title,
            score=one.score,
            newcomer=any(part.name == "newcomer" and part.score > 0 for part in one.components),
        )
        if len(best) == PER_DEMAND:
            break
    return list(best.values())


def inputs(gathered: Gathered, offers: Sequence[SeenOffer]) -> Inputs:
    """The problem and the names that go with it."""
    campaign, demands = gathered.campaign, seen(gathered)
    asked = {one.key for one in demands if one.skipped is None}
    known = {one.key for one in gathered.providers}
    kept = [one for one in offers if one.demand in asked and one.provider in known]
    new = {one.provider for one in kept if one.newcomer}
    excluded = (
        (key((e.window, e.demand_id)), key((e.platform, e.provider_id))) for e in campaign.rules.exclusions
    )
    stated = problem.Problem(
        demands=tuple(_demands(gathered, demands)),
        providers=tuple(_provider(campaign, one, one.key in new) for one in gathered.providers),
        pairs=tuple(problem.Pair(demand=o.demand, provider=o.provider, utility=o.score) for o in kept),
        budget_cents=campaign.budget_cents,
        exclusions=tuple(pair for pair in excluded if pair[0] in asked and pair[1] in known),
        most_percent=campaign.rules.most_percent,
        newcomers_percent=campaign.rules.newcomers_percent,
        leasts=tuple(problem.LeagueLeast(league=o.division, count=o.count) for o in campaign.rules.leasts),
        gap=0.0 if len(kept) <= EXACT_PAIRS else GAP,
    )
    return Inputs(
        problem=stated, demands=tuple(demands), providers=tuple(gathered.providers), offers=tuple(kept)
    )


def _demands(gathered: Gathered, demands: Sequence[SeenDemand]) -> Iterable[problem.Demand]:
    listed = {(one.window, one.id): one for one in gathered.campaign.demands.listed}
    by_size = {one.size_class: one.priority for one in gathered.campaign.rules.priorities}
    for one, (window, demand) in zip(demands, gathered.demands, strict=True):
        if one.skipped is not None:
            continue
        own = listed.get((window, demand.id))
        yield problem.Demand(
            id=one.key,
            submitted_at=demand.submitted_at,
            league=league(demand.division),
            amount_cents=one.amount_cents,
            priority=own.priority if own else by_size.get(demand.size_class, 1),
            required=own.required if own else False,
        )


def league(division: str) -> str:
    """The league or city of a place; empty for the region itself and for a place not in the list."""
    try:
        found = divisions.league_of(division)
    except divisions.UnknownDivision:
        return ""
    return "" if found is None else found.code


def _provider(campaign: Campaign, one: SeenProvider, newcomer: bool) -> problem.Provider:
    listed: Mapping[Key, ListedProvider] = {(p.platform, p.id): p for p in campaign.providers.listed}
    own = listed.get((one.platform, one.id))
    return problem.Provider(
        id=one.key,
        capacity=own.capacity if own else campaign.providers.capacity or 0,
        budget_cents=own.budget_cents if own else campaign.providers.budget_cents,
        least=own.least if own else 0,
        newcomer=newcomer,
    )


def lines(plan_id: UUID, given: Inputs, solution: problem.Solution) -> list[PlanLine]:
    """One line a demand, in the order of submission."""
    offers = {(one.demand, one.provider): one for one in given.offers}
    providers = {one.key: one for one in given.providers}
    assigned = {pair.demand: offers[pair.demand, pair.provider] for pair in solution.assignments}
    reasons = {one.demand: one.reason for one in solution.unassigned}
    found: list[PlanLine] = []
    for demand in given.demands:
        offer = assigned.get(demand.key)
        provider = None if offer is None else providers[offer.provider]
        found.append(
            PlanLine(
                id=ids.new(),
                plan_id=plan_id,
                outcome="unassigned" if offer is None else "assigned",
                demand_window=demand.window,
                demand_id=demand.id,
                demand_version=demand.version,
                demand_number=demand.number,
                demand_title=demand.title,
                amount_cents=demand.amount_cents,
                reason=(demand.skipped or reasons.get(demand.key)) if offer is None else None,
                platform=provider and provider.platform,
                provider_id=provider and provider.id,
                provider_name=provider and provider.name,
                offering_id=offer and offer.offering_id,
                offering_version=offer and offer.version,
                offering_title=offer and offer.title,
                utility=offer and offer.score,
            )
        )
    return found
