"""What the status page shows."""

from datetime import datetime

from common.contracts.envelope import Contract


class Place(Contract):
    """A platform on the page; `lon` and `lat` where its seat is known."""

    id: str
    kind: str
    zh: str
    en: str
    state: str
    since: datetime | None
    lag: int | None
    lon: float | None
    lat: float | None
    offerings: int


class Status(Contract):
    """The network at one moment."""

    at: datetime
    places: tuple[Place, ...]
    cases: dict[str, int]
    dead_letters: int
