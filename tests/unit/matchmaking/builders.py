"""Values for the engine's tests."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from common import ids
from common.contracts.demands import Demand
from common.contracts.offerings import Price
from matchmaking.matching import engine, weights
from matchmaking.matching.index import Index
from matchmaking.matching.listing import HERE, Listing, Offer, Presence, Supplier, wording
from matchmaking.matching.retrieval import Document, Hit, Need
from matchmaking.matching.weights import Weights

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
ACTIVE = Supplier("active", version=1, epoch=1)


def demand(title: str = "牛奶化验", text: str | None = None, **changes: Any) -> Demand:
    given: dict[str, Any] = {
        "id": ids.derived("demand", title), "version": 1, "number": "D-1", "title": title, "text": text or title,
        "industry": "C", "division": "150102", "size_class": "small", "state": "submitted",
        "submitted_at": NOW, "changed_at": NOW,
    }  # fmt: skip
    return Demand.model_validate(given | changes)


def listing(name: str = "one", **changes: Any) -> Listing:
    plain = Listing(
        platform="hohhot", offering_id=ids.derived("offering", name), epoch=1, version=1,
        provider_id=ids.derived("provider", name), provider_name="示例机构", kind="service", title=name,
        category="technology_quality.testing", division="150105", service_area=(),
        price=Price(from_cents=10_000, to_cents=20_000), lead_days=5, state="published",
    )  # fmt: skip
    return replace(plain, **changes)


def offer(
    name: str = "one",
    supplier: Supplier = ACTIVE,
    open_engagements: int = 0,
    presence: Presence = HERE,
    **changes: Any,
) -> Offer:
    """An offering of an active provider nobody knows yet; `changes` are of its listing."""
    return Offer(listing(name, **changes), supplier, open_engagements, presence)


@dataclass
class Region:
    """A catalogue with its index."""

    index: Index = field(default_factory=Index)
    offers: dict[str, Offer] = field(default_factory=dict)

    def add(self, offered: Offer, summary: str) -> Listing:
        listed = offered.listing
        self.offers[listed.key] = offered
        self.index.put(listed.key, Document(listed.title, summary, listed.category))
        return listed

    def need(self, demand: Demand) -> Need:
        return Need(self.index.sought(wording(demand)))

    def match(self, need: Demand, by: Weights | None = None) -> engine.Result:
        sought = self.need(need)
        hits = self.index.search(sought, 200)
        ranking = engine.rank(need, hits, self.offers, by or weights.current(), TODAY)
        return engine.result(need, ranking, lambda key: self.index.evidence(sought.sought, key))


def hits(*offered: Offer, relevance: float = 0.75) -> list[Hit]:
    """As if a search had found these, all alike."""
    return [Hit(one.listing.key, relevance, None, 0.0, relevance) for one in offered]


def ranked(need: Demand, *offered: Offer, relevance: float = 0.75, by: Weights | None = None):
    found = hits(*offered, relevance=relevance)
    offers = {one.listing.key: one for one in offered}
    return engine.rank(need, found, offers, by or weights.current(), TODAY)


def sample(lines: str) -> tuple[Region, dict[UUID, str]]:
    """The catalogue of a text, and the short name of each offering."""
    found, names = Region(), {}
    for line in lines.strip().splitlines():
        name, category, kind, division, title, summary = (part.strip() for part in line.split("|"))
        entry: Any = {"category": category, "kind": kind, "division": division, "title": title}
        names[found.add(offer(name, **entry), summary).offering_id] = name
    return found, names
