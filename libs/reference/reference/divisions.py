"""Administrative divisions (行政区划, GB/T 2260) of the region, down to banner and county."""

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any, Literal

from reference.packaged import document

Level = Literal["region", "league_city", "county"]
Relation = Literal["same_county", "same_league", "region", "outside"]
REGION = "150000"


class UnknownDivision(ValueError):
    """The code is no division of the region, or not on that day."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no division {code!r}")
        self.code = code


@dataclass(frozen=True)
class Division:
    """A place. `lon` and `lat` are its seat of government; `mongolian` may be shown only if verified."""

    code: str
    zh: str
    en: str
    level: Level
    type: str
    parent: str | None
    lon: float | None
    lat: float | None
    mongolian: str | None
    mongolian_verified: bool
    window: bool
    valid_from: date | None


def _division(entry: dict[str, Any]) -> Division:
    lon, lat = entry.get("seat_lonlat", (None, None))
    since = entry.get("valid_from")
    return Division(
        code=entry["code"],
        zh=entry["zh"],
        en=entry["en"],
        level=entry["level"],
        type=entry["type"],
        parent=entry["parent"],
        lon=lon,
        lat=lat,
        mongolian=entry.get("mongolian"),
        mongolian_verified=entry.get("mongolian_verified", False),
        window=entry.get("window", False),
        valid_from=date.fromisoformat(since) if since else None,
    )


@cache
def _borders() -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {place.code: set() for place in everything() if place.window}
    for a, b in document("neighbours.json")["borders"]:
        found[a].add(b)
        found[b].add(a)
    return {code: tuple(sorted(near)) for code, near in found.items()}


@cache
def _by_code() -> dict[str, Division]:
    return {entry["code"]: _division(entry) for entry in document("divisions.json")["divisions"]}


def edition() -> str:
    """Return the day the list was taken."""
    return document("divisions.json")["edition"]


def get(code: str, day: date | None = None) -> Division:
    """Return a division; with `day`, only one that existed then.

    Raises: UnknownDivision.
    """
    found = _by_code().get(code)
    if found is None or (day and found.valid_from and day < found.valid_from):
        raise UnknownDivision(code)
    return found


def everything() -> tuple[Division, ...]:
    """Return the region, the 12 leagues and cities, then every banner and county."""
    return tuple(_by_code().values())


@lru_cache(maxsize=4096)
def prefix_of(code: str) -> str:
    """Return what every place inside starts with: 150100 -> 1501, 150000 -> 15, 150781 as it is.

    Raises: UnknownDivision unless it is 2, 4 or 6 digits.
    """
    if not (code.isascii() and code.isdigit() and len(code) in (2, 4, 6)):
        raise UnknownDivision(code)
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def is_within(code: str, prefix: str) -> bool:
    """Tell whether a place lies in an area given as a code or a prefix."""
    return prefix_of(code).startswith(prefix_of(prefix))


def league_of(code: str) -> Division | None:
    """Return the league or city a place lies in, by code; None for the region itself.

    Manzhouli is in Hulunbuir here although it has its own window: statistics count a place once.
    Raises: UnknownDivision.
    """
    place = get(code)
    return None if place.level == "region" else get(place.code[:4] + "00")


def window_of(code: str) -> Division | None:
    """Return the division whose window serves the place: the longest prefix; None for the region itself.

    Raises: UnknownDivision.
    """
    place = get(code)
    return place if place.window else league_of(code)


@lru_cache(maxsize=2**14)
def relation(a: str, b: str) -> Relation:
    """Tell how near two places are. A league as such is in the same league as its counties."""
    a, b = prefix_of(a), prefix_of(b)
    if not a.startswith(prefix_of(REGION)) or not b.startswith(prefix_of(REGION)):
        return "outside"
    if a == b and len(a) == 6:
        return "same_county"
    if a[:4] == b[:4] and len(a) > 2:
        return "same_league"
    return "region"


def neighbours(code: str) -> tuple[str, ...]:
    """Return the codes of the leagues and cities that share a border with one that has a window.

    Shape: Manzhouli and Erenhot border only the league or city that encloses them, and it borders them.
    Raises: UnknownDivision for a place without a window of its own.
    """
    try:
        return _borders()[code]
    except KeyError:
        raise UnknownDivision(code) from None


def search(text: str) -> tuple[Division, ...]:
    """Find places by code, Chinese or English name, or an address naming them; best first."""
    wanted = text.strip().casefold()
    if not wanted:
        return ()

    def rank(place: Division) -> int | None:
        names = (place.code, place.zh, place.en.casefold())
        if wanted in names:
            return 0
        if any(name.startswith(wanted) for name in names):
            return 1
        if any(wanted in name for name in names[1:]):
            return 2
        # An address names the large before the small; the county is what was meant.
        return {"county": 3, "league_city": 4, "region": 5}[place.level] if place.zh in wanted else None

    ranked = [(score, place.code, place) for place in everything() if (score := rank(place)) is not None]
    return tuple(place for _, _, place in sorted(ranked, key=lambda row: row[:2]))
