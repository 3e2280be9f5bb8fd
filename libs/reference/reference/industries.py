"""Industrial classification (国民经济行业分类, GB/T 4754): section, division, group, class."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from reference.packaged import document

Level = Literal["section", "division", "group", "class"]
LEVELS: tuple[Level, ...] = ("section", "division", "group", "class")
EDITION = "GB/T 4754-2017"


class UnknownIndustry(ValueError):
    """The code is not in that edition."""

    def __init__(self, code: str, edition: str) -> None:
        super().__init__(f"no industry {code!r} in {edition}")
        self.code = code
        self.edition = edition


@dataclass(frozen=True)
class Industry:
    """An entry. English exists for sections and divisions only."""

    code: str
    zh: str
    en: str | None
    level: Level
    parent: str | None
    section: str


@cache
def _by_code(edition: str) -> dict[str, Industry]:
    listed = document("industries.json")
    found: dict[str, Industry] = {}
    if listed["edition"] != edition:
        return found
    for code, zh, parent, *en in listed["industries"]:
        section = found[parent].section if parent else code
        level = LEVELS[0 if parent is None else len(code) - 1]
        found[code] = Industry(code, zh, en[0] if en else None, level, parent, section)
    return found


def get(code: str, edition: str = EDITION) -> Industry:
    """Return an entry: `C`, `14`, `144` or `1441`, also with its section letter as in `C1441`.

    Raises: UnknownIndustry, also for an edition that is not held.
    """
    known = _by_code(edition)
    found = known.get(code)
    if found is None and code[1:].isdigit():
        lettered = known.get(code[1:])
        found = lettered if lettered and lettered.section == code[0] else None
    if found is None:
        raise UnknownIndustry(code, edition)
    return found


def ancestors(code: str, edition: str = EDITION) -> tuple[Industry, ...]:
    """Return the entries above, nearest first: 1441 -> 144, 14, C."""
    above: list[Industry] = []
    parent = get(code, edition).parent
    while parent:
        above.append(get(parent, edition))
        parent = above[-1].parent
    return tuple(above)


def is_within(code: str, ancestor: str, edition: str = EDITION) -> bool:
    """Tell whether an entry is the other or lies below it."""
    wanted = get(ancestor, edition)
    return get(code, edition) == wanted or wanted in ancestors(code, edition)


def children(code: str | None = None, edition: str = EDITION) -> tuple[Industry, ...]:
    """Return the entries one level below; the sections without a code."""
    parent = get(code, edition).code if code else None
    return tuple(entry for entry in _by_code(edition).values() if entry.parent == parent)


def search(text: str, edition: str = EDITION) -> tuple[Industry, ...]:
    """Find entries by the start of the code or a part of the name; exact first, then the broader."""
    wanted = text.strip().casefold()
    if not wanted:
        return ()

    def rank(entry: Industry) -> int | None:
        names = (entry.code.casefold(), entry.zh, (entry.en or "").casefold())
        if wanted in names:
            return 0
        hit = names[0].startswith(wanted) or any(wanted in name for name in names[1:])
        return 1 + LEVELS.index(entry.level) if hit else None

    listed = _by_code(edition).values()
    ranked = [(score, entry.code, entry) for entry in listed if (score := rank(entry)) is not None]
    return tuple(entry for _, _, entry in sorted(ranked, key=lambda row: row[:2]))
