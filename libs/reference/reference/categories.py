"""What kinds of service there are (服务分类): a taxonomy of two levels, kept as data."""

from dataclasses import dataclass
from functools import cache

from reference.packaged import document


class UnknownCategory(ValueError):
    """The id is not in the taxonomy."""

    def __init__(self, id: str) -> None:
        super().__init__(f"no service category {id!r}")
        self.id = id


@dataclass(frozen=True)
class Category:
    """A category. `keywords` are everyday words by which people ask for it; a top one has its children's."""

    id: str
    zh: str
    en: str
    parent: str | None
    keywords: tuple[str, ...]
    status: str
    demo_platform_class: str | None


@cache
def _by_id() -> dict[str, Category]:
    found: dict[str, Category] = {}
    for top in document("categories.json")["categories"]:
        words = tuple(word for sub in top["sub"] for word in sub["keywords"])
        kind = top["demo_platform_class"]
        found[top["id"]] = Category(top["id"], top["zh"], top["en"], None, words, top["status"], kind)
        for sub in top["sub"]:
            found[sub["id"]] = Category(
                sub["id"], sub["zh"], sub["en"], top["id"], tuple(sub["keywords"]), sub["status"], kind
            )
    return found


def edition() -> str:
    return document("categories.json")["edition"]


def get(id: str) -> Category:
    """Return a category.

    Raises: UnknownCategory.
    """
    try:
        return _by_id()[id]
    except KeyError:
        raise UnknownCategory(id) from None


def all() -> tuple[Category, ...]:
    """Return every category, each top one before its own."""
    return tuple(_by_id().values())


def top() -> tuple[Category, ...]:
    return tuple(category for category in all() if category.parent is None)


def is_within(id: str, ancestor: str) -> bool:
    """Tell whether a category is the other or one of its own.

    Raises: UnknownCategory.
    """
    return get(ancestor).id in (id, get(id).parent)
