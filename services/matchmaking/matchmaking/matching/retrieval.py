"""What the engine asks of a search, and what it is told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matchmaking.matching.lexical import Sought

Vector: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Document:
    """Something that can be found, as text. `category` brings the everyday words people ask for it by."""

    title: str
    body: str
    category: str | None = None

    @property
    def passage(self) -> str:
        """What is read for its meaning."""
        return f"{self.title}\n{self.body}"


@dataclass(frozen=True, slots=True)
class Need:
    """What is sought: what it asks for, and its meaning where an embedder was there to read it.

    Shape: `vector` is of unit length, as the model gave it: the one whose vectors the index holds.
    """

    sought: "Sought"
    vector: Vector | None = None


class Hit(NamedTuple):
    """A document that was found. All are 0.0–1.0; `semantic` is None for one that was not read."""

    key: str
    lexical: float
    semantic: float | None
    topical: float
    relevance: float


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: in these categories only, or everywhere."""

    categories: Collection[str] | None = None


EVERYWHERE = Scope()
Hits: TypeAlias = Sequence[Hit]
