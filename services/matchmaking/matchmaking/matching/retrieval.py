"""What the engine asks of any search: texts in, keys with a calibrated relevance out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """An offering as text. `category` brings the everyday words people ask for it by."""

    title: str
    body: str
    category: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of the need that an offering says itself, and those its category stands for."""

    said: tuple[str, ...] = ()
    by_category: tuple[str, ...] = ()


class Retrieval(Protocol):
    """A search over documents. What was put or removed is seen by the next search.

    Shape: relevance is 0.0–1.0 and means the same for every text and every size of catalogue.
    """

    @property
    def count(self) -> int: ...

    def put(self, key: str, document: Document) -> None: ...

    def remove(self, key: str) -> None: ...

    def commit(self) -> None:
        """Make what was put or removed visible now; a search does it by itself."""
        ...

    def search(self, text: str, limit: int) -> Sequence[tuple[str, float]]:
        """Best first; equal ones by key."""
        ...

    def evidence(self, key: str, text: str) -> Evidence: ...
