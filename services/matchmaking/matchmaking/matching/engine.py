"""From what was retrieved to a ranked result with reasons. The same input gives the same result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from common.contracts.demands import Demand
from common.contracts.matches import Candidate, Component, NearMiss

from matchmaking.matching import eligibility, reasons, scoring, weights, words
from matchmaking.matching.listing import Listing
from matchmaking.matching.retrieval import Evidence

CANDIDATES = 20
NEAR_MISSES = 10
SHOWN_WORDS = 12


@dataclass(frozen=True)
class Result:
    """Best first. No candidate means no match; the near misses say what stood in the way."""

    candidates: tuple[Candidate, ...]
    near_misses: tuple[NearMiss, ...]

    @property
    def outcome(self) -> str:
        return "matched" if self.candidates else "no_match"


def name() -> str:
    """Engine, weights and word list in one line: with the catalogue they fix the result."""
    return f"bm25 1, weights {weights.current().version}, words {words.version()}"


def match(
    demand: Demand,
    hits: Sequence[tuple[str, float]],
    listings: Mapping[str, Listing],
    evidence: Callable[[str], Evidence],
    today: date,
) -> Result:
    """Judge what retrieval found.

    Shape: `hits` are keys with relevance; a key without a listing has gone and is passed over.
    """
    by = weights.current()
    fitting: list[tuple[float, Listing, tuple[Component, ...]]] = []
    missing: list[tuple[float, Listing, tuple[str, ...]]] = []
    for key, relevance in hits:
        listing = listings.get(key)
        if listing is None or relevance < by.floor or not eligibility.may_be_shown(listing):
            continue
        failed = eligibility.failed(demand, listing, today)
        if failed:
            missing.append((relevance, listing, failed))
        else:
            parts = scoring.components(demand, listing, relevance, by, today)
            fitting.append((scoring.score(parts), listing, parts))
    fitting.sort(key=lambda entry: (-entry[0], entry[1].key))
    missing.sort(key=lambda entry: (len(entry[2]), -entry[0], entry[1].key))
    return Result(
        tuple(
            _candidate(demand, rank, entry, evidence)
            for rank, entry in enumerate(fitting[:CANDIDATES], start=1)
        ),
        tuple(_near_miss(listing, failed) for _, listing, failed in missing[:NEAR_MISSES]),
    )


def _candidate(
    demand: Demand,
    rank: int,
    entry: tuple[float, Listing, tuple[Component, ...]],
    evidence: Callable[[str], Evidence],
) -> Candidate:
    score, listing, parts = entry
    shared = evidence(listing.key)
    zh, en = reasons.sentences(demand, listing, shared)
    return Candidate(
        rank=rank,
        offering_id=listing.offering_id,
        offering_version=listing.version,
        platform=listing.platform,
        provider_id=listing.provider_id,
        provider_name=listing.provider_name,
        title=listing.title,
        kind=listing.kind,
        category=listing.category,
        price=listing.price,
        score=score,
        components=parts,
        matched_words=(*shared.said, *shared.by_category)[:SHOWN_WORDS],
        reason_zh=zh,
        reason_en=en,
    )


def _near_miss(listing: Listing, failed: tuple[str, ...]) -> NearMiss:
    return NearMiss(
        offering_id=listing.offering_id,
        platform=listing.platform,
        provider_name=listing.provider_name,
        title=listing.title,
        failed=failed,
    )
