"""What is answered to why."""

from typing import Literal
from uuid import UUID

from common.contracts.matches import Candidate, Component, NearMiss
from common.http import Out


class WhyNotOut(Out):
    """Where an offering stands for a demand now. `gap` is what its score lacks to the last one shown."""

    verdict: Literal["candidate", "beyond-the-last", "fails-conditions", "not-relevant", "not-public"]
    failed: tuple[str, ...]
    relevance: float
    least_relevance: float
    lexical: float
    semantic: float | None
    topical: float
    answered: tuple[str, ...]
    score: float | None
    components: tuple[Component, ...]
    place: int | None
    last_shown_score: float | None
    gap: float | None
    reason_zh: str
    reason_en: str


class ReplayOut(Out):
    """A stored result made once more. With nothing `outdated`, it is identical."""

    identical: bool
    outdated: tuple[str, ...]
    differences: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    near_misses: tuple[NearMiss, ...]


class SimilarOut(Out):
    """Another open demand; 1 is the same words."""

    window: str
    demand_id: UUID
    number: str
    title: str
    state: str
    similarity: float


class SimilarsOut(Out):
    """The nearest first."""

    items: tuple[SimilarOut, ...]
