"""When a demand is to be matched, as long as it is open, and what a search for it was made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from common.contracts.demands import Demand, DemandChanged, DemandSubmitted
from common.fields import CHINA
from reference import categories

from matchmaking.matches.domain import Absent, Considered, Involved, Run, written
from matchmaking.matching import engine
from matchmaking.matching.engine import Ranking
from matchmaking.matching.listing import HERE, Offer, wording
from matchmaking.matching.retrieval import Document, Hit, Need
from matchmaking.matching.weights import Weights

WAITING = ("submitted", "published")
# Who offers something that fits may still answer.
OPEN = (*WAITING, "matched", "no_match", "quoting", "evaluating", "no_quotation")


def is_new_need(fact: Demand) -> bool:
    """It was submitted or edited, and awaits its match."""
    return isinstance(fact, DemandSubmitted | DemandChanged) and fact.state in WAITING


def is_unmatched(fact: Demand) -> bool:
    """It is open although nothing was found: what has been offered since may fit."""
    return fact.state == "no_match"


def is_open(demand: Demand) -> bool:
    return demand.state in OPEN


def document(demand: Demand) -> Document:
    """A demand as something that can be found itself."""
    return Document(demand.title, wording(demand), demand.category)


def today(at: datetime) -> date:
    """Days are counted where the demands are."""
    return at.astimezone(CHINA).date()


def categories_within(id: str | None) -> frozenset[str] | None:
    """A category and its own; None for none, and for one that the taxonomy no longer has."""
    if id is None:
        return None
    within = frozenset(c.id for c in categories.all() if id in (c.id, c.parent))
    return within or None


@dataclass(frozen=True)
class Search:
    """A search for a demand with all it was made of.

    Shape: `model` is the one that read `need.vector`.
    """

    demand: Demand
    today: date
    by: Weights
    need: Need
    model: str | None
    hits: Sequence[Hit]
    offers: Mapping[str, Offer]
    ranking: Ranking
    degraded: tuple[str, ...]

    def run(self, catalogue: str) -> Run:
        """What is kept of it: everything that had a part in the result."""
        least = engine.least_relevance((hit for hit in self.hits if hit.key in self.offers), self.by)
        judged = [
            (hit, self.offers[hit.key])
            for hit in self.hits
            if hit.key in self.offers and hit.relevance >= min(least, self.by.floor)
        ]
        involved = {
            (offer.listing.platform, offer.listing.provider_id): offer.supplier for _, offer in judged
        }
        versions = engine.versions() | {
            "weights": self.by.version,
            "model": self.model or "none",
            "catalogue": catalogue,
        }
        return Run(
            demand=self.demand,
            today=self.today,
            weights=self.by.version,
            versions=versions,
            telling=dict(self.need.sought.telling),
            model=self.model,
            vector=written(self.need.vector),
            considered=tuple(_considered(hit, offer) for hit, offer in judged),
            involved=tuple(
                Involved.model_construct(
                    platform=platform,
                    provider_id=id,
                    epoch=supplier.epoch,
                    version=supplier.version,
                    standing=supplier.standing,
                )
                for (platform, id), supplier in involved.items()
            ),
            absent=tuple(
                Absent(platform=platform, away=presence.away, as_of=presence.as_of)
                for platform, presence in {
                    offer.listing.platform: offer.presence for _, offer in judged
                }.items()
                if presence != HERE
            ),
        )


def _considered(hit: Hit, offer: Offer) -> Considered:
    return Considered.model_construct(
        platform=offer.listing.platform,
        offering_id=offer.listing.offering_id,
        epoch=offer.listing.epoch,
        version=offer.listing.version,
        open_engagements=offer.open_engagements,
        lexical=hit.lexical,
        semantic=hit.semantic,
        topical=hit.topical,
        relevance=hit.relevance,
    )
