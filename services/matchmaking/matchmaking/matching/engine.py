"""From what was retrieved to a ranked result with reasons. The same input gives the same result."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from common.contracts.demands import Demand
from common.contracts.matches import Candidate, Component, Matched, NearMiss, Widening

from matchmaking.matching import eligibility, lexicon, reasons, scoring, words
from matchmaking.matching.listing import Listing, Offer
from matchmaking.matching.reasons import Answered
from matchmaking.matching.retrieval import Hit
from matchmaking.matching.weights import Component as Name
from matchmaking.matching.weights import Weights
from matchmaking.matching.widening import STEPS

# A change of the code that changes results is a new number.
VERSION = "hybrid 1"
CANDIDATES = 20
NEAR_MISSES = 10
SHOWN_WORDS = 12
Answers = Callable[[str], Answered]


@dataclass(frozen=True, slots=True)
class Scored:
    """An offer with its score; `relaxed` are conditions it does not hold."""

    offer: Offer
    hit: Hit
    score: float
    shares: Mapping[Name, float]
    relaxed: tuple[str, ...] = ()

    @property
    def listing(self) -> Listing:
        return self.offer.listing

    @property
    def components(self) -> tuple[Component, ...]:
        return scoring.components(self.shares)


@dataclass(frozen=True, slots=True)
class Failed:
    """A relevant offer that fails hard conditions."""

    offer: Offer
    hit: Hit
    conditions: tuple[str, ...]

    @property
    def listing(self) -> Listing:
        return self.offer.listing


@dataclass(frozen=True, slots=True)
class Ranking:
    """All that was judged.

    Shape: `fitting` best first; `failing` fewest failed conditions first; `widened` are the steps taken
    because nothing fitted, and then `fitting` holds what the last of them let in.
    """

    fitting: tuple[Scored, ...]
    failing: tuple[Failed, ...]
    widened: tuple[Widening, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """Best first. No candidate means no match; the near misses say what stood in the way."""

    candidates: tuple[Candidate, ...]
    near_misses: tuple[NearMiss, ...]
    ranking: Ranking

    @property
    def outcome(self) -> str:
        return "matched" if self.candidates else "no_match"

    @property
    def fitting(self) -> tuple[Scored, ...]:
        """Everything that holds all hard conditions; nothing after a widening."""
        return () if self.ranking.widened else self.ranking.fitting


def versions() -> dict[str, str]:
    return {"engine": VERSION, "words": words.version(), "lexicon": lexicon.version()}


def preload() -> None:
    """Read dictionaries and word lists now, so that forked processes share them."""
    words.preload()
    lexicon.met("预先载入")


def rank(
    demand: Demand, hits: Iterable[Hit], offers: Mapping[str, Offer], by: Weights, today: date
) -> Ranking:
    """Judge what retrieval found. A key without an offer has gone and is passed over."""
    fitting: list[Scored] = []
    failing: list[Failed] = []
    shown = [
        (hit, offer)
        for hit in hits
        if (offer := offers.get(hit.key)) is not None and eligibility.may_be_shown(offer)
    ]
    least = least_relevance((hit for hit, _ in shown), by)
    conditions = eligibility.of(demand)
    for hit, offer in shown:
        if hit.relevance < least:
            continue
        failed = eligibility.failed(demand, offer, today, conditions)
        if failed:
            failing.append(Failed(offer, hit, failed))
        else:
            fitting.append(score(demand, offer, hit, by, today))
    fitting.sort(key=best_first)
    failing.sort(key=lambda one: (len(one.conditions), -one.hit.relevance, one.hit.key))
    if fitting:
        return Ranking(tuple(fitting), tuple(failing))
    return _widen(demand, failing, by, today)


def least_relevance(hits: Iterable[Hit], by: Weights) -> float:
    """What is less relevant than this is not to the point, though nothing better may be there."""
    return max(by.floor, by.beside_best * max((hit.relevance for hit in hits), default=0.0))


def score(
    demand: Demand, offer: Offer, hit: Hit, by: Weights, today: date, relaxed: tuple[str, ...] = ()
) -> Scored:
    shares = scoring.shares(demand, offer, hit.relevance, by, today)
    return Scored(offer, hit, scoring.score(shares), shares, relaxed)


def best_first(one: Scored) -> tuple[float, str]:
    """What a ranking is sorted by."""
    return -one.score, one.hit.key


def _widen(demand: Demand, failing: list[Failed], by: Weights, today: date) -> Ranking:
    """Step by step wider until something fits; what fits then says what it does not hold.

    Asking somebody who does not say that he serves one is worth it for what is surely to the point only.
    """
    taken: list[Widening] = []
    for step in STEPS:
        if "category" in step.relaxed and demand.category is None:
            break
        let_in: list[Failed] = []
        rest: list[Failed] = []
        for one in failing:
            admitted = (
                one.hit.relevance >= by.relaxed_floor
                and set(one.conditions) <= set(step.relaxed)
                and step.admits(demand, one.listing)
            )
            (let_in if admitted else rest).append(one)
        taken.append(Widening(step=step.name, relaxed=tuple(step.relaxed), found=len(let_in)))
        if let_in:
            found = [score(demand, one.offer, one.hit, by, today, one.conditions) for one in let_in]
            return Ranking(tuple(sorted(found, key=best_first)), tuple(rest), tuple(taken))
    return Ranking((), tuple(failing), tuple(taken))


def result(demand: Demand, ranking: Ranking, answers: Answers) -> Result:
    """The best of a ranking, with reasons."""
    return Result(
        tuple(
            candidate(demand, place, one, answers(one.hit.key))
            for place, one in enumerate(ranking.fitting[:CANDIDATES], start=1)
        ),
        tuple(_near_miss(one) for one in ranking.failing[:NEAR_MISSES]),
        ranking,
    )


def candidate(demand: Demand, place: int, one: Scored, answered: Answered) -> Candidate:
    listing = one.listing
    zh, en = reasons.sentences(demand, one.offer, answered, one.relaxed)
    shown = answered[:SHOWN_WORDS]
    return Candidate(
        rank=place,
        offering_id=listing.offering_id,
        offering_version=listing.version,
        platform=listing.platform,
        provider_id=listing.provider_id,
        provider_name=listing.provider_name,
        title=listing.title,
        kind=listing.kind,
        category=listing.category,
        price=listing.price,
        score=one.score,
        components=one.components,
        matched_words=tuple(one.said for one in shown),
        matched=tuple(Matched.model_validate({"word": one.said, "field": one.field}) for one in shown),
        relaxed=one.relaxed,
        newcomer=one.shares["newcomer"] > 0,
        as_of=one.offer.presence.as_of,
        reason_zh=zh,
        reason_en=en,
    )


def _near_miss(one: Failed) -> NearMiss:
    listing = one.listing
    return NearMiss(
        offering_id=listing.offering_id,
        platform=listing.platform,
        provider_name=listing.provider_name,
        title=listing.title,
        failed=one.conditions,
    )
