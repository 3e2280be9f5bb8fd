"""Values for the engine's tests."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from common import ids
from common.contracts.demands import Demand
from common.contracts.offerings import Price
from matchmaking.matching import engine
from matchmaking.matching.lexical import Lexical
from matchmaking.matching.listing import Listing, wording
from matchmaking.matching.retrieval import Document

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


def demand(title: str = "牛奶化验", text: str | None = None, **changes: Any) -> Demand:
    given: dict[str, Any] = {
        "id": ids.derived("demand", title), "version": 1, "number": "D-1", "title": title, "text": text or title,
        "industry": "C", "division": "150102", "size_class": "small", "state": "submitted",
        "submitted_at": NOW, "changed_at": NOW,
    }  # fmt: skip
    return Demand.model_validate(given | changes)


def listing(name: str = "one", **changes: Any) -> Listing:
    plain = Listing(
        platform="hohhot", offering_id=ids.derived("offering", name), version=1,
        provider_id=ids.derived("provider", name), provider_name="示例机构", provider_state="active",
        kind="service", title=name, category="technology_quality.testing", division="150105",
        service_area=(), price=Price(from_cents=10_000, to_cents=20_000), lead_days=5, state="published",
    )  # fmt: skip
    return replace(plain, **changes)


@dataclass
class Region:
    """A catalogue with its index."""

    retrieval: Lexical
    listings: dict[str, Listing]

    def add(self, offering: Listing, summary: str) -> Listing:
        self.listings[offering.key] = offering
        self.retrieval.put(offering.key, Document(offering.title, summary, offering.category))
        return offering

    def match(self, need: Demand) -> engine.Result:
        text = wording(need)
        hits = self.retrieval.search(text, 200)
        return engine.match(need, hits, self.listings, lambda key: self.retrieval.evidence(key, text), TODAY)


def region() -> Region:
    return Region(Lexical(), {})


def sample(lines: str) -> tuple[Region, dict[UUID, str]]:
    """The catalogue of a text, and the short name of each offering."""
    found, names = region(), {}
    for line in lines.strip().splitlines():
        name, category, kind, division, title, summary = (part.strip() for part in line.split("|"))
        entry: Any = {"category": category, "kind": kind, "division": division, "title": title}
        names[found.add(listing(name, **entry), summary).offering_id] = name
    return found, names
