"""What can be searched in the catalogue, and how words are compared."""

import unicodedata
from typing import Any
from uuid import UUID

from common.contracts.envelope import Contract

# What a provider may be seen and invited with.
VISIBLE_OFFERING = "published"
VISIBLE_PROVIDER = "active"
# The state that is a tombstone.
RETIRED = "retired"
MAX_WORDS = 10


class Item(Contract):
    """A published offering as its owner tells it."""

    owner: str
    id: UUID
    epoch: int
    version: int
    forked: bool
    body: dict[str, Any]


class Search(Contract):
    """What somebody looks for. `categories` has the category and all below it; `place` is a code prefix."""

    kind: str | None = None
    categories: tuple[str, ...] | None = None
    place: str | None = None
    platform: str | None = None
    words: tuple[str, ...] = ()


def folded(text: str) -> str:
    """Text as it is compared: full-width and half-width, upper and lower case alike."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(query: str | None) -> tuple[str, ...]:
    """The words of a query, each once."""
    return tuple(dict.fromkeys(folded(query or "").split()))[:MAX_WORDS]


def pattern(word: str) -> str:
    """A LIKE pattern for a word as it stands; `\\` escapes."""
    for special in "\\%_":
        word = word.replace(special, f"\\{special}")
    return f"%{word}%"


def prefix(code: str) -> str:
    """What every place inside an area starts with: 150100 -> 1501."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code
