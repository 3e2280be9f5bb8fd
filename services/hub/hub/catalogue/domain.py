"""What can be searched in the catalogue, and how words are compared."""

import unicodedata
from typing import Any
from uuid import UUID

from common.contracts.envelope import Contract
from common.contracts.offerings import Offering
from common.errors import Invalid
from reference import categories

# What a provider may be seen and invited with.
VISIBLE_OFFERING = "published"
VISIBLE_PROVIDER = "active"
# The state that is a tombstone.
RETIRED = "retired"
MAX_WORDS = 10
# A platform and a record of it.
Key = tuple[str, UUID]


class Item(Contract):
    """A published offering as its owner tells it."""

    owner: str
    id: UUID
    epoch: int
    version: int
    forked: bool
    body: dict[str, Any]

    @property
    def key(self) -> Key:
        return self.owner, self.id

    @property
    def provider(self) -> Key:
        """Whose offering it is."""
        return self.owner, UUID(str(self.body["provider_id"]))


class Copy(Item):
    """A provider or an offering as its owner tells it, whatever its state."""

    deleted: bool


class Registered(Copy):
    """A provider's record, of which others of its credit code may be kept elsewhere.

    Shape: `offerings` counts those published; `primary` is the record that speaks for all it was merged with.
    """

    offerings: int
    primary: Key | None = None


class Shared(Contract):
    """A credit code that several records have. `merged` counts those merged into one of them."""

    credit_code: str
    name: str
    platforms: tuple[str, ...]
    records: int
    merged: int


class Technology(Contract):
    """What an achievement or a need of technology must be like. `field` is a part of its field's name."""

    field: str | None = None
    least_maturity: int | None = None
    cooperation: str | None = None


class Search(Contract):
    """What somebody looks for. `categories` has the category and all below it; `place` is a code prefix."""

    kind: str | None = None
    categories: tuple[str, ...] | None = None
    place: str | None = None
    platform: str | None = None
    provider: UUID | None = None
    words: tuple[str, ...] = ()
    technology: Technology = Technology()
    # Platforms whose offerings nobody finds now.
    hidden: frozenset[str] = frozenset()


# Full-width punctuation is most of what NFKC changes in Chinese text; exchanged first, the rest is a check.
_WIDE = tuple(zip("，：；（）！？　", ",:;()!? ", strict=True))


def folded(text: str) -> str:
    """Text as it is compared: full-width and half-width, upper and lower case alike."""
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def searched(offering: Offering) -> str:
    """The text of an offering that words are looked for in."""
    parts = [offering.title, offering.provider_name, offering.summary]
    if offering.achievement is not None:
        parts += [
            offering.achievement.owner,
            offering.achievement.field or "",
            *offering.achievement.keywords,
        ]
    return folded("\n".join(parts))


def within(category: str | None) -> tuple[str, ...] | None:
    """A category and all below it.

    Raises: Invalid for one that is not in the taxonomy.
    """
    if category is None:
        return None
    try:
        return tuple(found.id for found in categories.all() if categories.is_within(found.id, category))
    except categories.UnknownCategory:
        raise Invalid(
            "unknown-category",
            zh="没有这个服务分类；请核对分类编号",
            en="there is no such service category; check its id",
            field="category",
        ) from None


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
