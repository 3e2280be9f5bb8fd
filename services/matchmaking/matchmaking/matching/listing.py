"""An offering as the engine judges it, together with what is known of its provider."""

from dataclasses import dataclass
from uuid import UUID

from common.contracts.demands import Demand
from common.contracts.offerings import OfferingKind, OfferingState, Price
from common.contracts.providers import ProviderState


@dataclass(frozen=True, slots=True)
class Listing:
    """Shape: `provider_state` is None while its provider is unknown here; `grades` are of 1–5."""

    platform: str
    offering_id: UUID
    version: int
    provider_id: UUID
    provider_name: str
    provider_state: ProviderState | None
    kind: OfferingKind
    title: str
    category: str
    division: str
    service_area: tuple[str, ...]
    price: Price
    lead_days: int | None
    state: OfferingState
    grade_count: int = 0
    grade_sum: int = 0

    @property
    def key(self) -> str:
        return key(self.platform, self.offering_id)


def key(platform: str, offering_id: UUID) -> str:
    """What retrieval knows an offering by."""
    return f"{platform}/{offering_id}"


def wording(demand: Demand) -> str:
    """The text a demand is searched by. Its title counts twice: there people say what they want."""
    parts = [demand.title, demand.title, demand.text, *demand.must_haves, *demand.nice_to_haves]
    return "\n".join(parts)
