"""An offering as the engine judges it, and what is known of its provider."""

from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import NamedTuple
from uuid import UUID

from common.contracts.demands import Demand, SizeClass
from common.contracts.finance import FinanceTerms
from common.contracts.offerings import OfferingKind, OfferingState, Price
from common.contracts.providers import ProviderState, Qualification, Recognition
from common.contracts.technology import Achievement

from matchmaking.matching.standing import UNKNOWN, Standing


@dataclass(frozen=True, slots=True)
class Supplier:
    """A provider as far as it decides on its offerings. `state` is None while it is unknown here."""

    state: ProviderState | None = None
    version: int = 0
    epoch: int = 0
    qualifications: tuple[Qualification, ...] = ()
    recognitions: tuple[Recognition, ...] = ()
    standing: Standing = UNKNOWN


# A provider of whom nothing has been heard yet.
NOBODY = Supplier()


@dataclass(frozen=True, slots=True)
class Listing:
    """An offering as it was said at `version`."""

    platform: str
    offering_id: UUID
    epoch: int
    version: int
    provider_id: UUID
    provider_name: str
    kind: OfferingKind
    title: str
    category: str
    division: str
    service_area: tuple[str, ...]
    price: Price
    lead_days: int | None
    state: OfferingState
    example: bool = False
    size_classes: tuple[SizeClass, ...] = ()
    qualifications: tuple[str, ...] = ()
    capacity: int | None = None
    finance: FinanceTerms | None = None
    achievement: Achievement | None = None
    # Of one provider it is the same string: the catalogue looks it up for each offering it judges.
    provider_key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider_key", intern(key(self.platform, self.provider_id)))

    @property
    def key(self) -> str:
        return key(self.platform, self.offering_id)


@dataclass(frozen=True, slots=True)
class Presence:
    """How a platform is. `as_of`: when it was last heard, None while it is being heard."""

    away: bool = False
    as_of: datetime | None = None


HERE = Presence()


class Offer(NamedTuple):
    """A listing with its provider, how many engagements it has now, and how its platform is."""

    listing: Listing
    supplier: Supplier = NOBODY
    open_engagements: int = 0
    presence: Presence = HERE


def key(platform: str, id: UUID) -> str:
    """What an index knows an offering by, and a catalogue a provider."""
    return f"{platform}/{id}"


def parts(key: str) -> tuple[str, UUID]:
    """Platform and id of a key."""
    platform, _, id = key.rpartition("/")
    return platform, UUID(id)


def wording(demand: Demand) -> str:
    """The text a demand is searched by. Its title counts twice: there people say what they want."""
    parts = [demand.title, demand.title, demand.text, *demand.must_haves, *demand.nice_to_haves]
    if demand.technology is not None:
        need = demand.technology
        parts += [*need.keywords, need.main_problem, need.key_technology, need.expected_goal]
    if demand.finance is not None and demand.finance.purpose is not None:
        parts.append(demand.finance.purpose)
    return "\n".join(parts)


def meaning(demand: Demand) -> str:
    """What is read of a demand for its meaning: once, and what matters first."""
    parts = [demand.title, demand.text]
    if demand.technology is not None:
        parts = [demand.title, *demand.technology.keywords, demand.technology.key_technology, demand.text]
    return "\n".join(parts)
